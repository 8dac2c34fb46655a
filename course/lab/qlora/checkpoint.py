"""What a run needs to go on: the weights that train, their optimizer, schedule and scaler, in one file."""

import dataclasses
import pickle
from pathlib import Path

import torch
import torch.distributed as dist

from course.lab import files
from course.lab.qlora.base import SetupError


class Checkpoint:
    """`folder`/checkpoint.pt of a run, replaced atomically: a kill at any moment leaves the last whole one.

    `keepers` are what has state_dict and load_state_dict. No random state is kept: the loop seeds each update anew.
    """

    def __init__(self, folder, model, config, updates: int, **keepers):
        if config.checkpoint_every and folder is None:
            raise SetupError("config.checkpoint_every asks for checkpoints: give train a folder.")
        self.file = Path(folder) / "checkpoint.pt" if config.checkpoint_every else None
        self.model, self.keepers = model, keepers
        # The schedule follows from the number of updates, so that is a setting too.
        settings = dataclasses.asdict(config) | {"updates": updates}
        self.config = {name: str(value) for name, value in settings.items()}

    def save(self, step: int, skipped: int, seconds: float):
        """Writes the file, on the first process alone: all of them hold the same."""
        if dist.is_initialized() and dist.get_rank():
            return
        kept = {name: keeper.state_dict() for name, keeper in self.keepers.items()}
        kept |= {"step": step, "skipped": skipped, "seconds": seconds, "config": self.config}
        kept["model"] = {name: p.detach() for name, p in self.model.named_parameters() if p.requires_grad}
        with files.replacing(self.file) as stream:
            torch.save(kept, stream)

    def resume(self) -> tuple[int, int, float]:
        """Puts the file's state back; (updates done, updates skipped, seconds), (0, 0, 0.0) where there is none.

        Raises SetupError if it is damaged, or was written under another Config, for other adapters or for
        another number of updates.
        """
        if self.file is None or not self.file.exists():
            return 0, 0, 0.0
        try:
            kept = torch.load(self.file, map_location="cpu", weights_only=True)
        except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
            raise SetupError(f"{self.file} is damaged: delete it to begin anew.") from error
        changed = [name for name in self.config if kept["config"].get(name) != self.config[name]]
        if changed:
            raise SetupError(
                f"{self.file} belongs to a run with other settings ({', '.join(changed)}): name another folder, or "
                "delete it to begin anew."
            )
        parameters = {name: p for name, p in self.model.named_parameters() if p.requires_grad}
        if {name: p.shape for name, p in parameters.items()} != {name: t.shape for name, t in kept["model"].items()}:
            raise SetupError(
                f"{self.file} belongs to a run with other adapters: name another folder, or delete it to begin anew."
            )
        with torch.no_grad():
            for name, tensor in kept["model"].items():
                parameters[name].copy_(tensor)
        for name, keeper in self.keepers.items():
            keeper.load_state_dict(kept[name])
        return kept["step"], kept["skipped"], kept["seconds"]
