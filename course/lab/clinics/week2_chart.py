"""A chart of a training loop: what can be measured on it while it runs, for the clinic of week 2.

A loop takes a Chart: `model, rows, rng = chart.start()` gives the tiny model, lines of source as tuples of ids and a
generator, the same for everyone; `chart.note(model, batch, loss)` after each step writes down what can be measured.
"""

import functools
import itertools
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from course.lab import text, training

STEPS, CUT, EQUALS, LONGEST = 60, 14, ord("="), 192  # CUT: bytes of a row of assignments; LONGEST: what the model reads


@functools.cache
def lines(split: str, n: int = 2000, longest: int = 62) -> tuple[tuple[int, ...], ...]:
    """The first `n` lines of the standard library's `split` with 2 … `longest` bytes, each a tuple of ids."""
    source = text.decode(getattr(text.corpus(), split)[:200_000].tolist())
    every = (tuple(text.encode(line.strip())) for line in source.splitlines())
    return tuple(itertools.islice((ids for ids in every if 2 <= len(ids) <= longest), n))


def right_sides(rows) -> dict[str, torch.Tensor]:
    """A batch of assignments in which only what stands right of the first "=" counts."""
    batch = text.batch(rows)
    after = (batch["input_ids"] == EQUALS).cumsum(1) - (batch["input_ids"] == EQUALS).long()
    batch["labels"][after == 0] = -100
    return batch


@functools.cache
def _held_out(assignments):
    rows = lines("val", 600 if assignments else 128)
    return right_sides([row for row in rows if EQUALS in row[:CUT]]) if assignments else text.batch(rows)


def fresh(seed: int = 0):
    """(tiny model with dropout 0.1, AdamW) of a run that begins."""
    model = training.tiny_model(seed, dropout=0.1, seq_len=LONGEST)
    return model, torch.optim.AdamW(model.parameters(), lr=1e-2)


def losses(model, batches, optimizer) -> list[float]:
    """Takes a step on each batch and returns the losses, in nats, before each."""
    return [record.loss for record in training.train(model, batches, optimizer)]


@dataclass
class Chart:
    """A run and what was measured on it, one row per step.

    `step`; `reported`, the loss it wrote down (nats); `labels` that count in its batch; `gradient`, the norm of what
    lies in .grad, and `own gradient`, of what this batch alone gives (every tenth step, nan else); `moved`, the length
    of the last update over that of the weights; `rows seen`, how many different ones; `positions` computed and
    `padding`, the share of them that is; `held out`, the loss on fixed lines (every tenth step, nan else).
    """

    name: str = "run"
    lr: float = 1e-2
    width: int = 32
    dropout: float = 0.0
    assignments: bool = False  # what the held-out loss asks for: right-hand sides alone
    steps: list[dict] = field(default_factory=list)
    error: str = ""
    seconds: float = 0.0  # of the loop, without what measuring takes

    def start(self):
        """(model, rows, generator) that every loop begins with."""
        model = training.tiny_model(
            0, width=self.width, mlp_width=3 * self.width, dropout=self.dropout, seq_len=LONGEST
        )
        rows, self._before, self._seen = list(lines("train")), _flat(model), set()
        self._since = time.perf_counter()
        return model, rows, training.generator(0, 4)

    @torch.random.fork_rng(devices=[])
    def note(self, model, batch, loss) -> None:
        """Measures after a step; `loss` is what the loop reports (a 0-d tensor or a float)."""
        self.seconds += time.perf_counter() - self._since
        step, now, ids = len(self.steps) + 1, _flat(model), batch["input_ids"]
        real = batch["attention_mask"].bool()
        self._seen.update(tuple(row[kept].tolist()) for row, kept in zip(ids, real, strict=True))
        gradient = [p.grad.norm() for p in model.parameters() if p.grad is not None]
        tenth = step % 10 == 0 or step == 1
        self.steps.append(
            {
                "step": step,
                "reported": loss.item() if torch.is_tensor(loss) else float(loss),
                "labels": int((batch["labels"][:, 1:] != -100).sum()),
                "gradient": float(torch.stack(gradient).norm()) if gradient else math.nan,
                "own gradient": _own_gradient(model, batch) if tenth else math.nan,
                "moved": float((now - self._before).norm() / self._before.norm()),
                "rows seen": len(self._seen),
                "positions": ids.numel(),
                "padding": 1 - float(real.float().mean()),
                "held out": training.evaluate(model, [_held_out(self.assignments)]) if tenth else math.nan,
            }
        )
        self._before, self._since = now, time.perf_counter()

    def column(self, name: str) -> list:
        return [row[name] for row in self.steps]

    @property
    def held_out(self) -> float:
        """The held-out loss, in nats, when it was last measured; NaN without one."""
        measured = [row["held out"] for row in self.steps if row["step"] == 1 or row["step"] % 10 == 0]
        return measured[-1] if measured else math.nan

    @property
    def broke_at(self) -> int | None:
        """The first step whose reported loss is no number."""
        return next((row["step"] for row in self.steps if not math.isfinite(row["reported"])), None)


def _flat(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def _own_gradient(model, batch):
    loss = training.loss(model, batch)
    if not math.isfinite(loss.item()):
        return math.nan
    return float(torch.stack([g.norm() for g in torch.autograd.grad(loss, list(model.parameters()))]).norm())


def run(loop: Callable, name: str = "run", **config) -> Chart:
    """`loop(chart)` on one thread; the same loop gives the same chart. What it raises is kept in `error`."""
    chart = Chart(name, **config)
    with training.one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        try:
            loop(chart)
        except Exception as error:
            chart.error = f"{type(error).__name__}: {error}"
    return chart
