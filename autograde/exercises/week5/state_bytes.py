"""week5.state_bytes: what an optimizer remembers, in bytes."""

import math

import torch

from autograde.exercise import Case, Exercise, Misconception
from autograde.exercises.draws import integer

OPTIMIZERS = ("sgd", "momentum", "adamw", "adamw8bit", "adafactor")
_TABLES = ("qmap1", "qmap2")  # of the 256 values of an 8-bit code, shared by all tensors


def _state_cases(rng):
    def case(name, side, optimizer, **options):
        return Case(name, {"n_params": side**2, "optimizer": optimizer}, **options)

    small, large = integer(rng, 20, 60), integer(rng, 9, 24) * 16 + integer(rng, 1, 15)
    for name, optimizer in zip(("SGD", "SGD with momentum", "AdamW"), OPTIMIZERS, strict=False):
        nothing = optimizer == "sgd"  # a zero, which a constant may hit
        yield case(f"{name}, a small matrix", small, optimizer, edge=nothing)
        yield case(f"{name}, a large matrix", large, optimizer, edge=nothing)
    yield case("8-bit AdamW, a large matrix", large, "adamw8bit")
    yield case("8-bit AdamW, another", large + integer(rng, 1, 9), "adamw8bit")
    yield case("8-bit AdamW, whole blocks", integer(rng, 5, 12) * 16, "adamw8bit")
    yield case("8-bit AdamW, the smallest in 8 bits", 64, "adamw8bit")
    yield case("8-bit AdamW, the largest in 32 bits", 63, "adamw8bit")
    yield case("8-bit AdamW, a small matrix", small, "adamw8bit")
    yield case("Adafactor, a small matrix", small, "adafactor")
    yield case("Adafactor, a large matrix", large, "adafactor")
    yield case("AdamW, one weight", 1, "adamw", edge=True)


def _measured(inputs):
    """Bytes of the tensors that a real optimizer holds after a step."""
    side = math.isqrt(inputs["n_params"])
    weight = torch.nn.Parameter(torch.ones(side, side))
    weight.grad = torch.ones(side, side)
    if inputs["optimizer"] == "adamw8bit":
        import bitsandbytes  # seconds, so only where it is needed

        optimizer = bitsandbytes.optim.AdamW8bit([weight])
    else:
        optimizer = {
            "sgd": lambda p: torch.optim.SGD(p, lr=0.1),
            "momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
            "adamw": lambda p: torch.optim.AdamW(p),
            "adafactor": lambda p: torch.optim.Adafactor(p),
        }[inputs["optimizer"]]([weight])
    optimizer.step()
    kept = optimizer.state[weight].items()
    return sum(value.nbytes for name, value in kept if torch.is_tensor(value) and value.ndim and name not in _TABLES)


def _adamw8bit(n, *, moments=2, code=1, scale=4, scales=2, blocks=math.ceil, least=4096, tables=0, size=4):
    if n < least:
        return moments * size * n
    return moments * code * n + scales * scale * blocks(n / 256) + tables


def _ledger(*, factor=1, more=0, size=4, sgd=0, momentum=1, adamw=2, adafactor=lambda n: 2 * math.isqrt(n), **eight):
    """An answer with its choices open: numbers kept of each weight, their size, and what is counted besides."""

    def state_bytes(n_params, optimizer):
        if optimizer == "adamw8bit":
            kept = _adamw8bit(n_params, size=size, **eight)
        else:
            count = {"sgd": sgd, "momentum": momentum, "adamw": adamw}.get(optimizer)
            kept = size * (adafactor(n_params) if count is None else count * n_params)
        return int(factor * kept + more * n_params)

    return state_bytes


STATE_BYTES = Exercise(
    id="week5.state_bytes",
    title="What an optimizer remembers",
    points=2,
    minutes=12,
    why="The optimizer's state is often the largest thing in memory, and the choice of optimizer decides how large.",
    oracle="the tensors that torch.optim and bitsandbytes.optim keep after a real step, measured",
    cases=_state_cases,
    expected=_measured,
    misconceptions=(
        Misconception(
            "twice the model for all",
            lambda n_params, optimizer: 8 * n_params,
            "You give every optimizer two numbers of each weight. That is AdamW's state; the others differ, which is "
            "why one chooses them.",
        ),
        Misconception(
            "three times the model for all",
            lambda n_params, optimizer: 12 * n_params,
            "'Two to three times the model' is a saying. Count instead what each optimizer keeps of one weight.",
        ),
        Misconception(
            "state in 16 bits",
            _ledger(size=2),
            "You count two bytes a number. The weights are float32, and state that is not quantized has their dtype.",
        ),
        Misconception(
            "numbers, not bytes",
            _ledger(factor=0.25),
            "You divide by four, or count numbers in place of bytes. How many bytes has a float32?",
        ),
        Misconception(
            "numbers, not bytes, of what is in 32 bits",
            _ledger(size=1),
            "You count numbers where the state is float32. How many bytes has each?",
        ),
        Misconception(
            "bits, not bytes",
            _ledger(factor=8),
            "You count bits. Asked for are bytes, of eight bits each.",
        ),
        Misconception(
            "weights counted too",
            _ledger(more=4),
            "You count the weights as well. They are not the optimizer's.",
        ),
        Misconception(
            "weights and gradients counted too",
            _ledger(more=8),
            "You count weights and gradients as well. Neither is the optimizer's.",
        ),
        Misconception(
            "momentum in plain SGD",
            _ledger(sgd=1),
            "SGD without momentum keeps nothing from one step to the next.",
        ),
        Misconception(
            "momentum left out",
            _ledger(momentum=0),
            "SGD with momentum keeps its buffer: one number of each weight.",
        ),
        Misconception(
            "one moment for AdamW",
            _ledger(adamw=1),
            "AdamW keeps the running mean of the gradient, and of what else?",
        ),
        Misconception(
            "8-bit scales forgotten",
            _ledger(scales=0),
            "Your 8-bit codes have no scales: every block keeps its absmax, for each of the two moments.",
        ),
        Misconception(
            "half of the scales",
            _ledger(scales=1),
            "Your scales take half of the room that they need. Each block has one for either moment, and each is a "
            "float32.",
        ),
        Misconception(
            "one moment in 8 bits",
            _ledger(moments=1, scales=1),
            "AdamW in 8 bits keeps two moments, as it does in 32.",
        ),
        Misconception(
            "scales in 8 bits",
            _ledger(scale=1),
            "An absmax is a float32: four bytes a block and moment.",
        ),
        Misconception(
            "no scale for the last block",
            _ledger(blocks=math.floor),
            "The last block may be short. It has a scale all the same: does your division round up?",
        ),
        Misconception(
            "a block too many",
            _ledger(blocks=lambda x: math.floor(x) + 1),
            "Where the weights fill their blocks exactly you count one block too many.",
        ),
        Misconception(
            "fractions of a scale",
            _ledger(blocks=float),
            "You spread the scales over the weights as a fraction of a byte. Count whole blocks: the last may be short "
            "and has a whole scale.",
        ),
        Misconception(
            "small tensors in 8 bits",
            _ledger(least=0),
            "You quantize small tensors. Below how many weights does a tensor stay in float32?",
        ),
        Misconception(
            "4096 weights in 32 bits",
            _ledger(least=4097),
            "A matrix of exactly 4096 weights is not fewer than 4096.",
        ),
        Misconception(
            "8-bit like 32-bit",
            _ledger(least=math.inf),
            "Your 8-bit AdamW keeps as much as the ordinary one.",
        ),
        Misconception(
            "a quarter of 32 bits",
            lambda n_params, optimizer: 2 * n_params if optimizer == "adamw8bit" else _ledger()(n_params, optimizer),
            "A quarter of AdamW's state is a good rule for large tensors. Exactly, there are scales, and small tensors "
            "that stay in float32.",
        ),
        Misconception(
            "tables counted",
            _ledger(tables=2 * 256 * 4),
            "You count the tables of 256 values for each tensor. All tensors share them, and the docstring leaves them "
            "out.",
        ),
        Misconception(
            "a whole second moment in Adafactor",
            _ledger(adafactor=lambda n: n),
            "Adafactor does not keep its second moment whole: it keeps the means of its rows and columns.",
        ),
        Misconception(
            "a first moment in Adafactor",
            _ledger(adafactor=lambda n: n + 2 * math.isqrt(n)),
            "You give Adafactor a first moment, too. The docstring says that it keeps none.",
        ),
        Misconception(
            "two whole moments in Adafactor",
            _ledger(adafactor=lambda n: 2 * n),
            "You give Adafactor the state of AdamW. What does it keep instead of a second moment?",
        ),
        Misconception(
            "rows without columns",
            _ledger(adafactor=math.isqrt),
            "Adafactor keeps one number a row *and* one a column.",
        ),
        Misconception(
            "nothing in Adafactor",
            _ledger(adafactor=lambda n: 0),
            "Adafactor keeps little, yet something: one number a row and one a column.",
        ),
        Misconception(
            "two moments by rows and columns",
            _ledger(adafactor=lambda n: 4 * math.isqrt(n)),
            "You keep two factored moments. Adafactor has a second moment only.",
        ),
    ),
)
