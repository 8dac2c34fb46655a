"""Many tiny models trained as one: their weights lie side by side, and a learning rate belongs to each member.

A model this small leaves a processor idle: most of a step's time goes into calling operators, not into their work. E
members in one call cost far less than E calls. Members differ in learning rate, in first weights, in data if you like;
the batch size is the same for all, so a sweep over batch sizes takes one ensemble for each.
"""

import copy
import functools
import itertools
import math
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F

from course.lab import training
from course.lab.gpt import GPT, rotate

BETAS, EPS, DECAY, MOMENTUM = (0.9, 0.95), 1e-8, 0.01, 0.9  # those of training.OPTIMIZERS


class Ensemble:
    """E copies of course.lab.gpt's model, each trained exactly as training.train would train it alone.

    `models`: one GPT, whose weights every member gets, or a list of E of the same configuration (dropout is not done).
    `lrs`: E learning rates. `optimizer`: "sgd", "momentum" or "adamw", with the settings of training.OPTIMIZERS;
    `decay`: AdamW's weight decay, a float or E of them.
    A member whose loss is inf or NaN is frozen before that step, and `diverged_at` says when; the others train on.
    """

    def __init__(self, models: GPT | list[GPT], lrs, optimizer: str = "adamw", decay=DECAY):
        if optimizer not in ("sgd", "momentum", "adamw"):
            raise ValueError(f"optimizer {optimizer!r} is none of sgd, momentum, adamw")
        lrs = torch.as_tensor(lrs, dtype=torch.float32)
        models = models if isinstance(models, list) else [models] * len(lrs)
        if len(models) != len(lrs):
            raise ValueError(f"{len(models)} models cannot have {len(lrs)} learning rates")
        self.like, self.size, self.optimizer, self.steps = models[0], len(lrs), optimizer, 0
        self.names = [name for name, _ in self.like.named_parameters()]
        self.shapes = [p.shape for p in self.like.parameters()]
        self.sizes = [len(lrs) * p.numel() for p in self.like.parameters()]
        members = zip(*(model.parameters() for model in models), strict=True)
        # All weights of all members are one vector, parameter after parameter: an update is a handful of operators.
        self.weights = torch.cat([torch.stack(same).detach().flatten() for same in members]).requires_grad_()
        self.first, self.second = torch.zeros_like(self.weights), torch.zeros_like(self.weights)
        self.lrs, self.alive = lrs, torch.ones(len(lrs), dtype=torch.bool)
        self.decay = torch.as_tensor(decay, dtype=torch.float32).expand(len(lrs))
        self._set_rates()
        self.diverged_at: list[int | None] = [None] * len(lrs)

    def _spread(self, values):
        """(E,) values, each at all of its member's weights: (all weights,)."""
        each = [values.repeat_interleave(size // self.size) for size in self.sizes]
        return torch.cat(each)

    def _set_rates(self):
        """Learning rate and rate × decay at every weight; 0 for members that are frozen."""
        self._rates = self._spread(self.lrs * self.alive)
        self._pull = self._spread(self.lrs * self.decay * self.alive)

    def _parts(self):
        parts = self.weights.split(self.sizes)
        return {
            name: part.view(self.size, *shape) for name, part, shape in zip(self.names, parts, self.shapes, strict=True)
        }

    def logits(self, input_ids):
        """input_ids (B, T), the same for every member, or (E, B, T). Returns (E, B, T, V)."""
        config, w = self.like.config, self._parts()
        ids = input_ids.expand(self.size, *input_ids.shape[-2:])
        (members, rows, length), width = ids.shape, config.width
        cos, sin = self.like.cos[:length], self.like.sin[:length]

        def linear(x, name):  # (E, B*T, in) by (E, out, in)
            return torch.bmm(x, w[name].transpose(1, 2))

        def norm(x, name):
            return F.rms_norm(x, (width,), eps=self.like.norm.eps) * w[name][:, None]

        first_row = torch.arange(members)[:, None, None] * config.vocab_size
        x = F.embedding(ids + first_row, w["embedding.weight"].flatten(0, 1)).view(members, rows * length, width)
        for layer in range(config.layers):
            name = f"blocks.{layer}."
            qkv = linear(norm(x, name + "norm1.weight"), name + "attention.qkv.weight")
            q, k, v = qkv.view(members * rows, length, 3, config.heads, -1).permute(2, 0, 3, 1, 4)
            mixed = F.scaled_dot_product_attention(rotate(q, cos, sin), rotate(k, cos, sin), v, is_causal=True)
            x = x + linear(mixed.transpose(1, 2).reshape(x.shape), name + "attention.out.weight")
            gate, up = linear(norm(x, name + "norm2.weight"), name + "mlp.gate_up.weight").chunk(2, dim=-1)
            x = x + linear(F.silu(gate) * up, name + "mlp.down.weight")
        return linear(norm(x, "norm.weight"), "head.weight").view(members, rows, length, -1)

    def losses(self, batch) -> torch.Tensor:
        """Each member's mean nats per counted label, (E,) with its graph. No row of `batch` may be padded."""
        if not batch["attention_mask"].all():
            raise ValueError("an ensemble takes rows without padding")
        targets = F.pad(batch["labels"][..., 1:], (0, 1), value=-100)
        targets = targets.expand(self.size, *targets.shape[-2:])
        nats = F.cross_entropy(self.logits(batch["input_ids"]).flatten(0, 2), targets.flatten(), reduction="none")
        return nats.view(self.size, -1).sum(1) / (targets != -100).flatten(1).sum(1)

    def step(self, batch, share: float = 1.0) -> list[float]:
        """One update of every member at `share` of its learning rate; returns the losses before it, in nats."""
        if not self.alive.any():
            return [math.nan] * self.size
        losses = self.losses(batch)
        (gradient,) = torch.autograd.grad(losses.sum(), self.weights)
        self.steps += 1
        if not (finite := losses.isfinite() | ~self.alive).all():
            for member in (~finite).nonzero().flatten().tolist():
                self.diverged_at[member] = self.steps
            self.alive &= finite
            self._set_rates()
        self._update(gradient, share)
        return losses.detach().masked_fill(~self.alive, math.nan).tolist()

    @torch.no_grad()
    def _update(self, gradient, share):
        weights, lr = self.weights, self._rates if share == 1 else self._rates * share
        if not self.alive.all():
            gradient = gradient.masked_fill(self._spread(~self.alive), 0.0)
        if self.optimizer == "adamw":
            first, second = (1 - beta**self.steps for beta in BETAS)
            self.first.lerp_(gradient, 1 - BETAS[0])
            self.second.mul_(BETAS[1]).addcmul_(gradient, gradient, value=1 - BETAS[1])
            move = self.first / (self.second / second).sqrt_().add_(EPS)
            weights.mul_(1 - self._pull * share).sub_(move.mul_(lr).div_(first))
        else:
            move = gradient if self.optimizer == "sgd" else self.first.mul_(MOMENTUM).add_(gradient)
            weights.sub_(lr * move)

    @torch.no_grad()
    def evaluate(self, batch) -> list[float]:
        """Each member's mean nats per counted label; NaN for those that diverged."""
        return self.losses(batch).masked_fill(~self.alive, math.nan).tolist()

    def train(self, batches: Iterable[dict]):
        """Yields the list of E losses before each update, one update a batch."""
        for batch in batches:
            yield self.step(batch)

    @torch.no_grad()
    def member(self, index: int) -> GPT:
        """A model of its own with the weights of one member."""
        model = GPT(self.like.config, torch.Generator())
        for name, part in self._parts().items():
            model.get_parameter(name).copy_(part[index])
        return model


SIZES, ROWS = (2, 4, 8, 16, 32, 64), 768
CONFIG = {"width": 16, "mlp_width": 48, "seq_len": 32}  # 10k parameters
LRS = {
    "sgd": tuple(0.01 * 2 ** (k * 0.75) for k in range(16)),
    "adamw": tuple(4e-4 * 2 ** (k * 0.66) for k in range(16)),
}
FULL = 4096  # tokens a call, from which more members gain nothing


@dataclass
class Sweep:
    """One map of losses: `losses[batch size]` has one for each of `lrs`, NaN where a run diverged or has not begun."""

    optimizer: str
    lrs: tuple[float, ...]
    rows: int  # read by every run, whatever its batch size
    done: float = 0.0  # share of the rows
    losses: dict[int, list[float]] = field(default_factory=dict)
    diverged: dict[int, list[int | None]] = field(default_factory=dict)  # the step, None where it did not

    def best(self, size: int) -> int | None:
        """The index of the rate with the lowest loss; None where every run diverged."""
        alive = [(loss, k) for k, loss in enumerate(self.losses[size]) if math.isfinite(loss)]
        return min(alive)[1] if alive else None


class _Row:
    """All learning rates at one batch size, in as few ensembles as fill the processor."""

    def __init__(self, size, lrs, optimizer, seed):
        model = training.tiny_model(seed, **CONFIG)
        most = max(1, FULL // (size * CONFIG["seq_len"]))
        self.parts = [Ensemble(model, lrs[k : k + most], optimizer) for k in range(0, len(lrs), most)]
        self.size, self.batches = size, training.tiny_batches(size, seed, seq_len=CONFIG["seq_len"])

    def read(self, rows):
        """Trains on so many rows more; the mean loss of each member over them, before each update."""
        steps = []
        for batch in itertools.islice(self.batches, rows // self.size):
            steps.append(list(itertools.chain(*(part.step(batch) for part in self.parts))))
        return [sum(member) / len(steps) for member in zip(*steps, strict=True)]

    def evaluate(self, batch):
        return list(itertools.chain(*(part.evaluate(batch) for part in self.parts)))

    def diverged_at(self):
        return list(itertools.chain(*(part.diverged_at for part in self.parts)))


def sweep(optimizer: str, rows: int = ROWS, sizes=SIZES, lrs=None, seed: int = 0, threads: int = 2) -> Iterator[Sweep]:
    """Trains a model for every batch size and learning rate, all at once, and yields the map as it fills.

    Each run reads the same number of `rows`, so the smaller its batch, the more updates it takes; sizes above `rows`
    are left out. While they train, losses are those of the rows read last; at the end they are of held-out text. The
    batch sizes share `threads` threads, and the figures do not depend on their number.
    """
    lrs, sizes = tuple(lrs or LRS[optimizer]), [size for size in sizes if size <= rows]
    each, state = max(sizes), Sweep(optimizer, lrs, rows)
    pool = ThreadPoolExecutor(threads)
    with training.one_thread():
        try:
            found = {size: _Row(size, lrs, optimizer, seed) for size in sizes}
            for number in range(1, rows // each + 1):
                jobs = {size: pool.submit(row.read, each) for size, row in found.items()}
                while any(not job.done() for job in jobs.values()):
                    wait(jobs.values(), 0.1)
                    state.losses |= {size: job.result() for size, job in jobs.items() if job.done()}
                    yield copy.copy(state)
                state.losses = {size: job.result() for size, job in jobs.items()}
                state.done = number * each / rows
            state.losses = {size: row.evaluate(held_out()) for size, row in found.items()}
            state.diverged = {size: row.diverged_at() for size, row in found.items()}
            yield state
        finally:
            pool.shutdown(cancel_futures=True)


@functools.cache
def held_out() -> dict:
    """The 64 rows of unseen text that a sweep ends with."""
    return next(training.tiny_batches(64, 7, "val", CONFIG["seq_len"]))


def alone(optimizer: str, size: int, lr: float, rows: int = ROWS, seed: int = 0) -> float:
    """The held-out loss of one run of the sweep, trained by itself in the ordinary way; NaN if it diverged."""
    model = training.tiny_model(seed, **CONFIG)
    batches = itertools.islice(training.tiny_batches(size, seed, seq_len=CONFIG["seq_len"]), rows // size)
    with training.one_thread():
        records = list(training.train(model, batches, training.OPTIMIZERS[optimizer](model.parameters(), lr)))
        return math.nan if records[-1].diverged else training.evaluate(model, [held_out()])
