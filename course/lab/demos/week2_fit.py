"""Week 2: too little, too much, about right: training and validation loss under the amount of text and the model."""

import itertools
import math
from dataclasses import dataclass, field

import ipywidgets as widgets
import torch

from course.lab import plots, text, training
from course.lab.live import LivePanel, control

SIZES = {"2,000": 2_000, "8,000": 8_000, "32,000": 32_000, "128,000": 128_000, "all (2.7 million)": 3_000_000}
LOOKS, ROWS = 20, 64  # measurements along a run; rows of text in each


@dataclass
class Fit:
    """One run: steps at which was measured, and the losses then on training and on held-out text (nats per byte)."""

    name: str
    steps: list = field(default_factory=list)
    train: list = field(default_factory=list)
    val: list = field(default_factory=list)

    @property
    def best(self) -> int:
        """Where in the lists the held-out loss is lowest."""
        return min(range(len(self.val)), key=self.val.__getitem__)

    def words(self, total) -> str:
        if len(self.val) < 2:
            return f"{self.name}: a fresh model, {self.val[0]:.2f} nats per byte on both texts."
        said = (
            f"{self.name}, step {self.steps[-1]} of {total}: {plots.curve_words('training text', self.train)}, "
            f"{plots.curve_words('held-out text', self.val, 'nats per byte')}; the gap is "
            f"{self.val[-1] - self.train[-1]:.2f}."
        )
        if self.val[-1] > self.val[self.best] + 0.1:
            said += f" Held-out text was best at step {self.steps[self.best]} with {self.val[self.best]:.2f}."
        return said


def underfit_or_overfit(steps: int = 300, seed: int = 0) -> LivePanel:
    """Training and held-out loss of a model that trains here, for any amount of text, width and dropout."""
    fig, (left, right) = plots.figure(2, widths=(1.5, 1))
    plots.style(left, "Step (updates)", "Loss (nats per byte)", "Along the run", xlim=(0, steps), ylim=(0, 6))
    plots.reference(left, math.log(text.VOCAB_SIZE), f"ln {text.VOCAB_SIZE}: knows nothing")
    plots.style(
        right, "Training text (nats per byte)", "Held-out text (nats per byte)", "Where each run ended",
        xlim=(0, 6), ylim=(0, 6),
    )  # fmt: skip
    right.plot([0, 6], [0, 6], color=plots.GREY, lw=1.2, ls="--")
    right.text(5.9, 5.3, "no gap", color=plots.GREY, fontsize=plots.FONT - 2, ha="right", rotation=45)
    lines = [
        left.plot([], [], marker, color=colour, lw=2.5, ms=5)[0]
        for colour, marker in ((plots.BLUE, "-"), (plots.VERMILION, "o-"))
    ]
    (best,) = left.plot([], [], "^", color=plots.BLACK, ms=9, ls="none")
    (dots,) = right.plot([], [], "o", color=plots.SKY, ms=8)
    (now,) = right.plot([], [], "o", color=plots.VERMILION, ms=11)
    plots.legend(left, handles=[*lines, best], labels=["training text", "held-out text", "best"], ncols=3)
    plots.legend(right, handles=[now, dots], labels=["this run", "runs before"], loc="lower right")
    blit, ended = plots.Blit(fig, [*lines, best, dots, now]), {}
    held_out = next(text.batches("val", ROWS, 64, training.generator(seed, 3)))

    def job(size, width, dropout):
        amount = next(name for name, value in SIZES.items() if value == size)
        name = f"{amount} bytes of text, width {width}, dropout {dropout:g}"
        source, fit = text.corpus().train[:size], Fit(name)
        seen = next(text.batches(source, ROWS, 64, training.generator(seed, 2)))
        with training.one_thread(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = training.tiny_model(
                seed, width=width, heads=min(2, width // 2), mlp_width=3 * width, dropout=dropout
            )
            batches = itertools.islice(text.batches(source, 16, 64, training.generator(seed, 1)), steps)
            optimizer = training.OPTIMIZERS["adamw"](model.parameters(), 1e-2)
            run = training.train(model, batches, optimizer, schedule=lambda step: 1e-2 * min(1.0, (step + 1) / 20))
            every = max(1, steps // LOOKS)
            for step in range(0, steps + 1, every):
                for _ in itertools.islice(run, every if step else 0):
                    pass
                fit.steps.append(step)
                fit.train.append(training.evaluate(model, [seen]))
                fit.val.append(training.evaluate(model, [held_out]))
                yield fit
            ended[name] = fit.train[-1], fit.val[-1]
            yield fit

    def draw(fit):
        lines[0].set_data(fit.steps, fit.train)
        lines[1].set_data(fit.steps, fit.val)
        best.set_data([fit.steps[fit.best]], [min(5.8, fit.val[fit.best]) - 0.3])
        others = [end for name, end in ended.items() if name != fit.name]
        dots.set_data([x for x, _ in others], [y for _, y in others])
        now.set_data(fit.train[-1:], fit.val[-1:])
        return blit.png(), fit.words(steps)

    return LivePanel(
        {
            "size": control(widgets.SelectionSlider, "Training text (bytes)", options=list(SIZES.items()), value=8_000),
            "width": control(widgets.SelectionSlider, "Width of the model", options=[2, 8, 16, 32, 64], value=32),
            "dropout": control(widgets.SelectionSlider, "Dropout", options=[0.0, 0.1, 0.3, 0.5], value=0.0),
        },
        job,
        draw,
        stop=True,
        note="Both losses are measured at the same moments with dropout off. All runs take the same number of updates.",
    )
