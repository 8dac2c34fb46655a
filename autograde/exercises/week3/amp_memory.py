"""week3.amp_memory: what autocast saves, and what it does not."""

import torch

from autograde.exercise import Case, Exercise, Misconception
from autograde.exercises.draws import integer

_WIDTH = 64  # of the square matrix that is measured


def _memory_cases(rng):
    for name, optimizer in (("AdamW", "adamw"), ("SGD", "sgd"), ("SGD with momentum", "momentum")):
        yield Case(f"{name}, a small model", {"n_params": integer(rng, 1_000, 90_000), "optimizer": optimizer})
    yield Case("AdamW, 7 billion parameters", {"n_params": 7 * 10**9 + integer(rng, 0, 10**6), "optimizer": "adamw"})
    yield Case("SGD, a billion parameters", {"n_params": 10**9 + integer(rng, 0, 10**6), "optimizer": "sgd"})
    yield Case("momentum, 70 billion", {"n_params": 70 * 10**9 + integer(rng, 0, 10**6), "optimizer": "momentum"})
    yield Case("one parameter", {"n_params": 1, "optimizer": "adamw"}, edge=True)


def _measured(inputs):
    """Bytes of one real step under autocast, read off its tensors, for as many parameters as were asked for."""
    layer = torch.nn.Linear(_WIDTH, _WIDTH, bias=False)
    optimizer = {
        "sgd": lambda p: torch.optim.SGD(p, lr=0.1),
        "momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
        "adamw": lambda p: torch.optim.AdamW(p, lr=0.1),
    }[inputs["optimizer"]](layer.parameters())
    casts = {}

    def keep(saved):
        if saved.dtype is torch.bfloat16 and saved.numel() == layer.weight.numel():
            casts[saved.untyped_storage().data_ptr()] = saved.nbytes
        return saved

    x = torch.ones(3, _WIDTH, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda saved: saved), torch.autocast("cpu", torch.bfloat16):
        out = layer(x)
    out.float().sum().backward()
    optimizer.step()
    state = [s for s in optimizer.state[layer.weight].values() if torch.is_tensor(s) and s.ndim]
    measured = {
        "master": layer.weight.nbytes,
        "copies": sum(casts.values()),
        "gradients": layer.weight.grad.nbytes,
        "state": sum(s.nbytes for s in state),
    }
    return {name: size * inputs["n_params"] // layer.weight.numel() for name, size in measured.items()}


def _ledger(master=4, copies=2, gradients=4, moment=4, moments=(0, 1, 2)):
    """An answer by bytes a parameter; `moments` of sgd, momentum, adamw."""

    def amp_memory(n_params, optimizer):
        count = dict(zip(("sgd", "momentum", "adamw"), moments, strict=True))[optimizer]
        sizes = {"master": master, "copies": copies, "gradients": gradients, "state": moment * count}
        return {name: size * n_params for name, size in sizes.items()}

    return amp_memory


AMP_MEMORY = Exercise(
    id="week3.amp_memory",
    title="Does mixed precision halve the memory?",
    points=2,
    minutes=10,
    why="Whoever plans a run with half of everything is out of memory at its first step.",
    oracle="the tensors of a real step under autocast, measured",
    cases=_memory_cases,
    expected=_measured,
    misconceptions=(
        Misconception(
            "everything halved",
            _ledger(master=2, copies=0, gradients=2, moment=2),
            "You halve everything. Autocast changes what the operations compute in, one by one; it does not convert "
            "the parameters, nor what the optimizer keeps.",
        ),
        Misconception(
            "master weights in 16 bits",
            _ledger(master=2),
            "The optimizer would then update 16-bit weights, and small updates would round away: see lost_update. "
            "Which dtype do a model's parameters have under autocast?",
        ),
        Misconception(
            "gradients in 16 bits",
            _ledger(gradients=2),
            "A gradient arrives in the dtype of its parameter, whatever the forward pass computed in. Print "
            "`parameter.grad.dtype` after a backward pass.",
        ),
        Misconception(
            "state in 16 bits",
            _ledger(moment=2),
            "The optimizer's state has the dtype of the parameters that it updates. Which one is that here?",
        ),
        Misconception(
            "gradients and state in 16 bits",
            _ledger(gradients=2, moment=2),
            "Both gradients and state follow the dtype of the parameters, not that of the forward pass.",
        ),
        *(
            Misconception(
                "no copies",
                _ledger(copies=copies, master=master),
                "Your 'copies' are off. A matrix product in 16 bits needs its weight in 16 bits, *beside* the one that "
                "the optimizer updates, and backward needs it again.",
            )
            for copies, master in ((0, 4), (4, 4), (0, 6), (2, 6))
        ),
        Misconception(
            "one moment for AdamW",
            _ledger(moments=(0, 1, 1)),
            "AdamW keeps more than one running mean of each parameter's gradient: of the gradient, and of what else?",
        ),
        Misconception(
            "momentum left out",
            _ledger(moments=(0, 0, 2)),
            "SGD with momentum remembers something of each parameter from step to step.",
        ),
        Misconception(
            "state for plain SGD",
            _ledger(moments=(1, 1, 2)),
            "SGD without momentum keeps nothing from one step to the next.",
        ),
        Misconception(
            "AdamW for all",
            _ledger(moments=(2, 2, 2)),
            "Your state is AdamW's for every optimizer.",
        ),
        Misconception(
            "numbers, not bytes",
            _ledger(master=1, copies=1, gradients=1, moment=1),
            "You count numbers. How many bytes does each of them take?",
        ),
        Misconception(
            "bits, not bytes",
            _ledger(master=32, copies=16, gradients=32, moment=32),
            "You count bits. The answer is asked for in bytes, of 8 bits each.",
        ),
    ),
)
