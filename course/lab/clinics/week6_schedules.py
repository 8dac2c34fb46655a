"""Week 6: three training loops whose learning rate is not as meant."""

import itertools
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from course.lab import plots, training
from course.lab.clinics.week6_rates import ROWS, held_out

SCHEDULES = {  # named as in transformers, and like those in what they do with `warmup`; shares of the peak
    "constant": lambda step, warmup, total: 1.0,
    "constant_with_warmup": lambda step, warmup, total: min(1.0, step / max(1, warmup)),
    "linear": lambda step, warmup, total: min(
        step / max(1, warmup), max(0, total - step) / max(1, total - warmup), 1.0
    ),
}
PEAKS, UPDATES = {"A": 3e-2, "B": 0.3, "C": 5e-2}, 120
DISEASES = {
    "A": "the clock, it counted micro-batches",
    "B": "the name, `constant` ignores its warm-up",
    "C": "the length, past its end a cosine rises",
}


def get_scheduler(name: str, optimizer, num_warmup_steps: int, num_training_steps: int):
    """The schedules "constant", "constant_with_warmup" and "linear" of transformers' function of this name."""
    share = SCHEDULES[name]
    return torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: share(step, num_warmup_steps, num_training_steps))


def meant(patient: str, update: int) -> float:
    """The rate that the patient's author had in mind for update 0, 1, 2 …"""
    shares = {
        "A": SCHEDULES["linear"](update, 10, UPDATES),
        "B": SCHEDULES["constant_with_warmup"](update, 20, UPDATES),
        "C": (1 + math.cos(math.pi * update / UPDATES)) / 2,
    }
    return PEAKS[patient] * shares[patient]


def accumulate(model, micro_batches) -> float:
    """Leaves in `.grad` the gradient of the mean loss over all counted tokens and returns that loss, as in week 4."""
    model.zero_grad()
    micro_batches = list(micro_batches)
    tokens = sum(int((batch["labels"][:, 1:] != -100).sum()) for batch in micro_batches)
    reported = 0.0
    for batch in micro_batches:
        share = training.summed_loss(model, batch)[0] / tokens
        share.backward()
        reported += share.item()
    return reported


@dataclass
class Run:
    """A patient's run: a fresh model and AdamW at the patient's peak; `step()` notes the rate and updates."""

    patient: str
    updates: int = UPDATES
    lrs: list = field(default_factory=list)
    losses: list = field(default_factory=list)  # held-out, after every fifth update

    def __post_init__(self):
        self.model = training.tiny_model()
        self.optimizer = torch.optim.AdamW(self.model.parameters(), PEAKS[self.patient], betas=(0.9, 0.95))
        self._batches = training.tiny_batches(ROWS)

    def batches(self, n: int = 1) -> list[dict]:
        """The next `n` batches of four rows."""
        return list(itertools.islice(self._batches, n))

    def step(self) -> None:
        """One update of the weights with what `.grad` holds; then the gradients are emptied."""
        if len(self.lrs) == 10 * self.updates:
            raise RuntimeError(f"{len(self.lrs)} updates, where {self.updates} were asked for")
        self.lrs.append(float(self.optimizer.param_groups[0]["lr"]))
        self.optimizer.step()
        self.optimizer.zero_grad()
        if len(self.lrs) % 5 == 0:
            self.losses.append(training.evaluate(self.model, [held_out()]))

    @property
    def well(self) -> bool:
        """Every update used the rate that was meant for it, give or take 3 % of the peak."""
        close = [abs(lr - meant(self.patient, n)) <= 0.03 * PEAKS[self.patient] for n, lr in enumerate(self.lrs)]
        return len(close) == self.updates and all(close)


def treated(patient: str, loop: Callable) -> Run:
    """The patient's run under `loop(run)`."""
    run = Run(patient)
    with training.one_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch does warn about A; in a long log nobody reads it
        loop(run)
    return run


def discharge(**loops: Callable) -> None:
    """Runs each patient's loop, draws the rates that its updates used over those meant, and says whether it is well."""
    fig, axes = plots.figure(len(loops), (9.6, 3.4))
    print("patient   first rate   highest      last   at rate 0   lowest loss   last loss")
    said = []
    for (name, loop), ax in zip(loops.items(), axes, strict=True):
        run = treated(name, loop)
        used, losses = run.lrs or [0.0], [x for x in run.losses if math.isfinite(x)] or [9.999]
        plots.style(ax, "Update", "Learning rate", f"Patient {name}", xlim=(0, UPDATES), ylim=(0, 1.1 * PEAKS[name]))
        ax.plot(range(UPDATES), [meant(name, n) for n in range(UPDATES)], color=plots.GREY, lw=5, alpha=0.5)
        ax.plot(range(len(used)), used, color=plots.BLUE, lw=2)
        rest = sum(lr < 1e-3 * max(used) for lr in used[1:])
        ends = f"{min(losses):14.3f}{losses[-1]:12.3f}   " + (f"well. It was: {DISEASES[name]}" if run.well else "sick")
        print(f"{name:9}{used[0]:11.4f}{max(used):10.4f}{used[-1]:10.4f}{rest:12}{ends}")
        said.append(
            f"patient {name}: the rate begins at {used[0]:.3g}, is {used[len(used) // 2]:.3g} half way and ends at "
            f"{used[-1]:.3g}"
        )
    axes[0].legend(["meant", "used"], frameon=False, fontsize=plots.FONT - 1)
    plots.show(fig, "; ".join(said) + f". Meant: up to {PEAKS['A']:g} and down to 0 for A, up to "
               f"{PEAKS['B']:g} and level for B, {PEAKS['C']:g} to 0 for C.")  # fmt: skip
