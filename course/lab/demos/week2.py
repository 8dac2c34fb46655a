"""Week 2: a model that trains live under the learning rate and batch size that you set, and two demos more."""

import math
from dataclasses import dataclass, field

import ipywidgets as widgets

from course.lab import plots, text, training
from course.lab.demos.week2_fit import underfit_or_overfit  # noqa: F401  a lesson imports one module
from course.lab.demos.week2_flow import through_the_blocks  # noqa: F401
from course.lab.live import LivePanel, control

OPTIMIZERS = {"AdamW": "adamw", "SGD with momentum 0.9": "momentum", "SGD": "sgd"}
SEQ_LEN, CEILING = 64, 8.0  # tokens of a row; nats at which the loss axis ends


@dataclass
class Trace:
    """What a run has shown so far: losses in nats per token, their bias-corrected running mean, tokens seen."""

    label: str
    steps: int
    losses: list = field(default_factory=list)
    smooth: list = field(default_factory=list)
    tokens: list = field(default_factory=list)
    mean: float = 0.0
    diverged: bool = False

    def add(self, record, tokens, beta=0.9):
        self.diverged = record.diverged or record.loss > 100
        if not math.isfinite(record.loss):
            return
        self.losses.append(record.loss)
        self.tokens.append(tokens)
        self.mean = beta * self.mean + (1 - beta) * record.loss
        self.smooth.append(self.mean / (1 - beta ** len(self.losses)))

    def words(self) -> str:
        n = len(self.losses)
        if self.diverged:
            return f"{self.label}: diverged at step {n + 1}, the loss left the scale. Try a smaller learning rate."
        if not n:
            return f"{self.label}: a fresh model. It starts at ln 259 = {math.log(text.VOCAB_SIZE):.3f} nats per byte."
        return (
            f"{self.label}: step {n} of {self.steps}, "
            f"{plots.curve_words('smoothed loss', self.smooth, 'nats per byte')}, "
            f"{self.tokens[-1]:,} bytes seen."
        )


class Comparison:
    """The picture: loss against steps and against bytes seen, the run before this one as a ghost."""

    def __init__(self, steps, most_tokens):
        fig, (left, right) = plots.figure(2)
        for ax in (left, right):
            plots.reference(ax, math.log(text.VOCAB_SIZE), f"ln {text.VOCAB_SIZE}: knows nothing")
        plots.style(
            left,
            "Step (updates)",
            "Training loss (nats per byte)",
            "The same number of updates",
            xlim=(0, steps),
            ylim=(1.5, CEILING),
        )
        plots.style(
            right,
            "Bytes seen",
            "Smoothed loss (nats per byte)",
            "The same amount of data",
            xlim=(SEQ_LEN, most_tokens),
            ylim=(1.5, CEILING),
            xscale="log",
        )
        (self.raw,) = left.plot([], [], color=plots.SKY, lw=1)
        self.ghosts = [ax.plot([], [], color=plots.GREY, lw=2, ls=(0, (4, 2)))[0] for ax in (left, right)]
        self.lines = [ax.plot([], [], color=plots.BLUE, lw=2.5)[0] for ax in (left, right)]
        plots.legend(
            left,
            handles=[self.raw, self.lines[0], self.ghosts[0]],
            labels=["step", "smoothed", "run before"],
            loc="upper right",
            ncols=3,
            handlelength=1.4,
            columnspacing=1,
        )
        self.blit = plots.Blit(fig, [self.raw, *self.lines], resting=self.ghosts)
        self.before = None

    @staticmethod
    def _set(lines, trace):
        for line, xs in zip(lines, (range(1, len(trace.smooth) + 1), trace.tokens), strict=True):
            line.set_data(xs, trace.smooth)

    def compare_with(self, trace):
        """`trace` becomes the ghost."""
        self.before = trace
        self._set(self.ghosts, trace)
        self.blit.settle()

    def draw(self, trace) -> tuple[bytes, str]:
        self.raw.set_data(range(1, len(trace.losses) + 1), trace.losses)
        self._set(self.lines, trace)
        ghost = f" Run before: {self.before.label}, {self.before.smooth[-1]:.2f}." if self.before else ""
        return self.blit.png(), trace.words() + ghost


def learning_rate_and_batch_size(steps: int = 300, seed: int = 0) -> LivePanel:
    """Learning rate, batch size and optimizer over a 30k-parameter GPT that trains on the standard library's bytes
    while you watch.
    """
    sizes = [1, 2, 4, 8, 16, 32, 64]
    picture = Comparison(steps, steps * sizes[-1] * (SEQ_LEN - 1))
    last = []  # the latest trace: the next run's ghost

    def job(lr, batch_size, optimizer):
        if last and len(last[0].losses) > 10:  # a run that was dropped at once says nothing
            picture.compare_with(last[0])
        name = next(name for name, key in OPTIMIZERS.items() if key == optimizer)
        trace = Trace(f"{name}, learning rate {lr:.2g}, batch {batch_size}", steps)
        last[:] = [trace]
        yield trace
        with training.one_thread():
            for record in training.tiny_run(lr, batch_size, steps, seed, optimizer):
                trace.add(record, record.step * batch_size * (SEQ_LEN - 1))
                yield trace
                if trace.diverged:
                    return

    return LivePanel(
        {
            "lr": control(
                widgets.FloatLogSlider,
                "Learning rate",
                value=1e-2,
                base=10,
                min=-4,
                max=0,
                step=0.25,
                readout_format=".2g",
            ),
            "batch_size": control(widgets.SelectionSlider, "Batch size (rows)", value=16, options=sizes),
            "optimizer": control(widgets.Dropdown, "Optimizer", value="adamw", options=list(OPTIMIZERS.items())),
        },
        job,
        picture.draw,
        stop=True,
        note=f"Every run starts from the same weights and draws rows of {SEQ_LEN} bytes from the same seed ({seed}).",
    )
