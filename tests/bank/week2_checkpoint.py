"""Answers to save_checkpoint and load_checkpoint whose worth is known, for `autograde audit`."""

import contextlib
import io
import os
import pathlib
import pickle
import random
import shutil
import tempfile

import numpy as np
import torch

from autograde.audit import right, wrong

# --- save_checkpoint --------------------------------------------------------------------------------------------------


def _everything(model, optimizer, step):
    return dict(rng=torch.random.get_rng_state(), step=step, optimizer=optimizer.state_dict(), model=model.state_dict())


@right("week2.save_checkpoint")
def saved_into_a_named_temporary_file(path, model, optimizer, step):
    folder = os.path.dirname(os.path.abspath(path))
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as stream:
        try:
            torch.save(_everything(model, optimizer, step), stream)
            stream.flush()
            os.fsync(stream.fileno())
        except BaseException:
            os.unlink(stream.name)
            raise
    os.replace(stream.name, path)


@right("week2.save_checkpoint")
def saved_into_memory_first(path, model, optimizer, step):
    buffer, path = io.BytesIO(), pathlib.Path(path)
    torch.save(_everything(model, optimizer, step), buffer)
    beside = path.with_suffix(".new")
    try:
        beside.write_bytes(buffer.getvalue())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


@contextlib.contextmanager
def _taking_the_place_of(path):
    other = str(path) + "~"
    done = False
    try:
        with open(other, "wb") as stream:
            yield stream
        os.rename(other, path)
        done = True
    finally:
        if not done:
            os.remove(other)


@right("week2.save_checkpoint")
def saved_by_a_context_manager(path, model, optimizer, step):
    generator = torch.default_generator
    content = {"step": int(step), "rng": generator.get_state().clone(), "epoch": None, "more": "keys do no harm"}
    content.update(model=model.state_dict(), optimizer=optimizer.state_dict())
    with _taking_the_place_of(path) as stream:
        torch.save(content, stream)


@right("week2.save_checkpoint")
def saved_in_a_folder_of_its_own(path, model, optimizer, step):
    with tempfile.TemporaryDirectory(dir=pathlib.Path(path).parent) as nest:
        egg = pathlib.Path(nest) / "egg.pt"
        torch.save(_everything(model, optimizer, torch.tensor(step)), egg)
        os.replace(egg, path)


@right("week2.save_checkpoint")
def saved_on_the_cpu(path, model, optimizer, step):
    weights = {}
    for name, tensor in model.state_dict().items():
        weights[name] = tensor.detach().cpu().clone()
    python = list(random.getstate()[1])
    state = {"model": weights, "optimizer": optimizer.state_dict(), "step": step, "python": python}
    state["rng"] = torch.get_rng_state()
    partial, ok = os.fspath(path) + f".{os.getpid()}", False
    try:
        torch.save(state, partial)
        ok = True
    finally:
        (os.replace if ok else lambda a, b: os.remove(a))(partial, path)


@right("week2.save_checkpoint")
def saved_with_a_stack_of_exits(path, model, optimizer, step):
    target = pathlib.Path(path)
    with contextlib.ExitStack() as stack:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=target.name)
        os.close(handle)
        stack.callback(lambda: os.path.exists(name) and os.unlink(name))
        torch.save(_everything(model, optimizer, step), name, _use_new_zipfile_serialization=True)
        shutil.move(name, target)


class _Checkpoint:
    def __init__(self, model, optimizer, step):
        self.parts = {"model": model, "optimizer": optimizer}
        self.step = step

    def content(self):
        states = {name: part.state_dict() for name, part in self.parts.items()}
        return states | {"step": self.step, "rng": torch.get_rng_state()}

    def write(self, path):
        hidden = os.path.join(os.path.dirname(path), "." + os.path.basename(path))
        try:
            torch.save(self.content(), hidden)
        except (Exception, KeyboardInterrupt):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(hidden)
            raise
        return os.replace(hidden, path)


@right("week2.save_checkpoint")
def saved_by_an_object(path, model, optimizer, step):
    _Checkpoint(model, optimizer, step).write(path)


@wrong("week2.save_checkpoint", "written in place")
def saved_over_the_old(path, model, optimizer, step):
    with open(path, "wb") as stream:
        torch.save(_everything(model, optimizer, step), stream)


@wrong("week2.save_checkpoint", "copied instead of moved")
def saved_in_place_from_memory(path, model, optimizer, step):
    buffer = io.BytesIO()
    torch.save(_everything(model, optimizer, step), buffer)
    pathlib.Path(path).write_bytes(buffer.getbuffer())


@wrong("week2.save_checkpoint", "a torso left behind")
def saved_beside_and_renamed(path, model, optimizer, step):
    beside = pathlib.Path(f"{path}.part")
    torch.save(_everything(model, optimizer, step), beside)
    beside.rename(path)


@wrong("week2.save_checkpoint", "the error swallowed")
def saved_with_a_word_of_regret(path, model, optimizer, step):
    beside = f"{path}.tmp"
    try:
        torch.save(_everything(model, optimizer, step), beside)
        os.replace(beside, path)
    except (OSError, KeyboardInterrupt):
        os.remove(beside)
        print("the checkpoint could not be saved")


@wrong("week2.save_checkpoint", "the generator is lost")
def saved_as_tutorials_do(path, model, optimizer, step):
    state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step}
    with _taking_the_place_of(path) as stream:
        torch.save(state, stream)


@wrong("week2.save_checkpoint")
def saved_under_other_keys(path, model, optimizer, step):
    state = {"model_state_dict": model.state_dict(), "optimizer_state_dict": optimizer.state_dict(), "step": step}
    with _taking_the_place_of(path) as stream:
        torch.save(state | {"rng_state": torch.get_rng_state()}, stream)


@wrong("week2.save_checkpoint")
def saved_by_pickle(path, model, optimizer, step):
    with _taking_the_place_of(path) as stream:
        pickle.dump(_everything(model, optimizer, step), stream)


@wrong("week2.save_checkpoint")
def saved_and_seeded(path, model, optimizer, step):
    """To go on from a known place, it says; so does every run, from the same one."""
    torch.manual_seed(step)
    with _taking_the_place_of(path) as stream:
        torch.save(_everything(model, optimizer, step), stream)


@wrong("week2.save_checkpoint")
def saved_in_half_precision(path, model, optimizer, step):
    state = _everything(model, optimizer, step)
    state["model"] = {name: tensor.bfloat16() for name, tensor in state["model"].items()}
    with _taking_the_place_of(path) as stream:
        torch.save(state, stream)


@wrong("week2.save_checkpoint")
def saved_with_numpys_generator(path, model, optimizer, step):
    state = _everything(model, optimizer, step)
    state["rng"] = torch.from_numpy(np.random.get_state()[1].astype(np.int64))
    with _taking_the_place_of(path) as stream:
        torch.save(state, stream)


@wrong("week2.save_checkpoint")
def saved_in_eval_mode(path, model, optimizer, step):
    model.eval()
    with _taking_the_place_of(path) as stream:
        torch.save(_everything(model, optimizer, step), stream)


@wrong("week2.save_checkpoint")
def saved_with_its_step_in_the_name(path, model, optimizer, step):
    with _taking_the_place_of(f"{path}.{step}") as stream:
        torch.save(_everything(model, optimizer, step), stream)


@wrong("week2.save_checkpoint")
def saved_for_the_optimizer_alone(path, model, optimizer, step):
    with _taking_the_place_of(path) as stream:
        torch.save(optimizer.state_dict() | {"step": step, "rng": torch.get_rng_state()}, stream)


@wrong("week2.save_checkpoint")
def saved_nowhere(path, model, optimizer, step):
    model.checkpoint = _everything(model, optimizer, step)


@wrong("week2.save_checkpoint")
def always_a_full_disk(path, model, optimizer, step):
    raise OSError(28, "No space left on device")


# --- load_checkpoint --------------------------------------------------------------------------------------------------


@right("week2.load_checkpoint")
def loaded_part_by_part(path, model, optimizer):
    content = torch.load(path, map_location="cpu", weights_only=True)
    for name, part in (("model", model), ("optimizer", optimizer)):
        part.load_state_dict(content.pop(name), **({"strict": True} if name == "model" else {}))
    torch.default_generator.set_state(content["rng"])
    return content["step"]


@right("week2.load_checkpoint")
def loaded_from_a_stream(path, model, optimizer):
    with open(path, "rb") as stream:
        saved = torch.load(stream)
    torch.random.set_rng_state(saved["rng"].clone())
    report = model.load_state_dict(saved["model"], strict=False)
    if report.missing_keys or report.unexpected_keys:
        raise RuntimeError(f"the file does not fit the model: {report}")
    optimizer.load_state_dict(saved["optimizer"])
    return int(saved["step"])


@right("week2.load_checkpoint")
def loaded_tensor_by_tensor(path, model, optimizer):
    state = torch.load(io.BytesIO(pathlib.Path(path).read_bytes()), weights_only=True)
    own = model.state_dict()
    if own.keys() != state["model"].keys():
        raise KeyError(own.keys() ^ state["model"].keys())
    with torch.no_grad():
        for name, tensor in own.items():
            tensor.copy_(state["model"][name])
    optimizer.load_state_dict(state["optimizer"])
    torch.set_rng_state(state["rng"])
    return state["step"]


@right("week2.load_checkpoint")
def loaded_by_mapping_the_file(path, model, optimizer):
    saved = torch.load(str(path), mmap=True, weights_only=True)
    actions = {"model": model.load_state_dict, "optimizer": optimizer.load_state_dict, "rng": torch.set_rng_state}
    [act(saved[key]) for key, act in actions.items()]
    return saved["step"]


@right("week2.load_checkpoint")
def loaded_and_written_into_the_old_state(path, model, optimizer):
    weights, moments, step, rng = (torch.load(path)[key] for key in ("model", "optimizer", "step", "rng"))
    model.load_state_dict(weights)
    optimizer.__setstate__({"state": {}})
    optimizer.load_state_dict(moments)
    try:
        return step
    finally:
        torch.set_rng_state(torch.as_tensor(rng, dtype=torch.uint8))


class _Loader:
    def __init__(self, path):
        self.__dict__.update(torch.load(path, weights_only=True))

    def into(self, model, optimizer):
        model.load_state_dict(self.model)
        optimizer.load_state_dict(self.optimizer)
        return self

    def seeded(self):
        torch.set_rng_state(self.rng)
        return self


@right("week2.load_checkpoint")
def loaded_by_an_object(path, model, optimizer):
    return _Loader(path).into(model, optimizer).seeded().step


@wrong("week2.load_checkpoint", "the generator is not put back")
def loaded_as_tutorials_do(path, model, optimizer):
    checkpoint = torch.load(path, weights_only=True)
    model.load_state_dict(checkpoint["model"])
    optimizer.load_state_dict(checkpoint["optimizer"])
    return checkpoint["step"]


@wrong("week2.load_checkpoint", "the optimizer is not put back")
def loaded_with_a_new_optimizer(path, model, optimizer):
    checkpoint = torch.load(path, weights_only=True)
    model.load_state_dict(checkpoint["model"])
    torch.optim.AdamW(model.parameters()).zero_grad()
    torch.set_rng_state(checkpoint["rng"])
    return checkpoint["step"]


@wrong("week2.load_checkpoint", "weights that do not fit are passed over")
def loaded_where_it_fits(path, model, optimizer):
    state = torch.load(path, weights_only=True)
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if name in state["model"] and tensor.shape == state["model"][name].shape:
                tensor.copy_(state["model"][name])
    optimizer.load_state_dict(state["optimizer"])
    torch.set_rng_state(state["rng"])
    return state["step"]


@wrong("week2.load_checkpoint", "code in the file is run")
def loaded_by_a_pickle_module(path, model, optimizer):
    state = torch.load(path, pickle_module=pickle, weights_only=False)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    torch.set_rng_state(state["rng"])
    return state["step"]


@wrong("week2.load_checkpoint", "ends in eval mode")
def loaded_for_a_look(path, model, optimizer):
    state = torch.load(path, weights_only=True)
    model.eval().load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    torch.set_rng_state(state["rng"])
    return state["step"]


@wrong("week2.load_checkpoint")
def loaded_without_a_word(path, model, optimizer):
    state = torch.load(path, weights_only=True)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    torch.set_rng_state(state["rng"])


@wrong("week2.load_checkpoint")
def loaded_and_returned_whole(path, model, optimizer):
    state = torch.load(path, weights_only=True)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    torch.set_rng_state(state["rng"])
    return state


@wrong("week2.load_checkpoint")
def loaded_then_drawn(path, model, optimizer):
    """A look at the first mask moves the generator."""
    state = torch.load(path, weights_only=True)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    torch.set_rng_state(state["rng"])
    torch.rand(1)
    return state["step"]


@wrong("week2.load_checkpoint")
def loaded_with_errors_caught(path, model, optimizer):
    try:
        state = torch.load(path, weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["rng"])
        return state["step"]
    except Exception:
        return 0


@wrong("week2.load_checkpoint")
def loaded_never(path, model, optimizer):
    raise RuntimeError("the file does not fit")


@wrong("week2.load_checkpoint")
def loaded_in_half_precision(path, model, optimizer):
    state = torch.load(path, weights_only=True)
    model.load_state_dict({name: tensor.bfloat16() for name, tensor in state["model"].items()})
    optimizer.load_state_dict(state["optimizer"])
    torch.set_rng_state(state["rng"])
    return state["step"]


@wrong("week2.load_checkpoint")
def loaded_with_the_first_learning_rate_for_all(path, model, optimizer):
    state = torch.load(path, weights_only=True)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    for group in optimizer.param_groups:
        group["lr"] = optimizer.param_groups[0]["lr"]
    torch.set_rng_state(state["rng"])
    return state["step"]
