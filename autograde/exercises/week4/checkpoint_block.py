"""week4.checkpoint_block: throw activations away, and compute them again."""

from unittest import mock

import torch
import torch.utils.checkpoint

from autograde.exercise import Case, Exercise, Misconception
from autograde.exercises.draws import integer, normal

# What torch's checkpoint leans on; a probe takes it away from answers, not from the oracle.
_GENERATOR = torch.utils.checkpoint._checkpoint_without_reentrant_generator


def _checkpoint_probe(target, inputs):
    import weakref

    import torch
    import torch.utils.checkpoint as library

    from autograde.guard import LibraryCall

    kind, calls, arrays = inputs["function"], [], []
    draws = torch.Generator().manual_seed(inputs["seed"])

    class Watched(torch.autograd.Function):
        """Passes a tensor on in memory whose release can be seen."""

        @staticmethod
        def forward(ctx, x):
            array = x.detach().numpy().copy()
            arrays.append(weakref.ref(array))
            return torch.from_numpy(array)

        @staticmethod
        def backward(ctx, gradient):
            return gradient

    if kind == "a block of course.lab.gpt":
        from course.lab.gpt import Block, GPTConfig

        layers = [Block(GPTConfig(width=8, heads=2, mlp_width=12, dropout=0.3))]
    else:
        layers = [torch.nn.Linear(6, 6) for _ in range(2 if kind == "two layers in a row" else 1)]
    layers = torch.nn.ModuleList(layers).to(inputs["x"].dtype)
    with torch.no_grad():
        for p in layers.parameters():
            p.copy_(torch.randn(p.shape, generator=draws).to(p.dtype) / 2)
            if inputs["gradients before"]:
                p.grad = torch.ones_like(p)

    def through(layer):
        def function(x, *others):
            calls.append(1)
            if kind == "a block of course.lab.gpt":
                return layer(Watched.apply(x), *others)
            hidden = Watched.apply(layer(x))
            hidden = hidden * torch.sigmoid(hidden)
            if inputs["dropout"]:
                hidden = torch.nn.functional.dropout(hidden, 0.5)
            for other in others:
                if other is not None:
                    hidden = torch.where(other, hidden, 0.0) if other.dtype is torch.bool else hidden * other
            return Watched.apply(hidden).exp()

        return function

    given = [None if each is None else each.clone() for each in [inputs["x"], *inputs["others"]]]
    leaves = [each for each, needed in zip(given, inputs["gradients for"], strict=True) if needed]
    for leaf in leaves:
        leaf.requires_grad_()
    if inputs["used elsewhere"]:  # by a graph behind the inputs, which the sum below needs as well
        given = [each * 1.5 for each in given]
    names = "_checkpoint_without_reentrant_generator", "CheckpointFunction"
    originals = [getattr(library, name, None) for name in names]

    def refused(*args, **kwargs):
        raise LibraryCall("checkpoint")

    try:
        library._checkpoint_without_reentrant_generator = refused
        library.CheckpointFunction = type("Refused", (), {"apply": refused})
        torch.random.default_generator.manual_seed(inputs["seed"])
        out = given[0]
        with torch.set_grad_enabled(not inputs["no grad"]):
            for layer in layers:
                out = target(through(layer), out, *given[1:])
                if not isinstance(out, torch.Tensor):
                    raise TypeError(f"a tensor should be returned, not {out!r:.60}")
        held = sum(array() is not None for array in arrays)
        seen = {"output": out.detach(), "needs": bool(out.requires_grad), "held": held, "calls": [len(calls)]}
        seen["draws between"] = torch.rand(3)
        if out.requires_grad:
            total = out + sum(each.exp() for each in given) if inputs["used elsewhere"] else out
            ((total * torch.randn(total.shape, generator=draws)).sum() + 0.1 * (total * total).sum()).backward()
    finally:
        library._checkpoint_without_reentrant_generator, library.CheckpointFunction = originals
    seen["calls"].append(len(calls))
    seen["draws after"] = torch.rand(3)
    seen["of inputs"] = [torch.zeros_like(leaf) if leaf.grad is None else leaf.grad for leaf in leaves]
    seen["of parameters"] = [torch.zeros_like(p) if p.grad is None else p.grad for p in layers.parameters()]
    return seen


def _observed(inputs, seen):
    return {
        "output": seen["output"],
        "output has a graph": seen["needs"],
        "activations kept between forward and backward": seen["held"],
        "calls of the function in forward, and in all": seen["calls"],
        "gradients of the inputs": seen["of inputs"],
        "gradients of the parameters": seen["of parameters"],
        "random numbers drawn before backward": seen["draws between"],
        "random numbers drawn after backward": seen["draws after"],
    }


def _checkpoint_cases(rng):
    def case(name, function="one layer", x=None, others=(), needed=(True,), dropout=False, **options):
        x = normal(rng, 5, 6) if x is None else x
        inputs = {"function": function, "seed": integer(rng, 0, 10_000), "x": x, "others": list(others)}
        inputs |= {"gradients for": list(needed), "dropout": dropout, "no grad": False, "used elsewhere": False}
        edge = options.pop("edge", False)
        return Case(name, {**inputs, "gradients before": False, **options}, edge=edge)

    yield case("one layer")
    yield case("dropout inside", dropout=True)
    yield case("dropout inside, float64", dropout=True, x=normal(rng, 4, 6).double())
    yield case("a frozen input", needed=(False,), dropout=True)
    mask = torch.rand(5, 6, generator=rng) < 0.6
    others = [mask, None, normal(rng, 5, 6), normal(rng, 5, 6)]
    yield case("a mask, None, and two more inputs", others=others, needed=(True, False, False, True, False))
    yield case("two layers in a row", function="two layers in a row", dropout=True)
    angles = normal(rng, 4, 4)
    others = [angles.cos(), angles.sin(), None]
    block = {"function": "a block of course.lab.gpt", "others": others, "needed": (True, False, False, False)}
    yield case("a block of course.lab.gpt with dropout", x=normal(rng, 2, 4, 8), **block)
    yield case("inputs that are used elsewhere too", others=[mask / 2], needed=(True, True), **{"used elsewhere": True})
    yield case("gradients there before", **{"gradients before": True})
    yield case("under no_grad", dropout=True, edge=True, **{"no grad": True})


def _library_checkpoint(function, *inputs):
    with mock.patch.object(torch.utils.checkpoint, "_checkpoint_without_reentrant_generator", _GENERATOR):
        return torch.utils.checkpoint.checkpoint(function, *inputs, use_reentrant=False)


def _copies(inputs):
    return [x if x is None else x.detach().requires_grad_(x.requires_grad) for x in inputs]


def _gradients(copies):
    return [x if x is None else x.grad for x in copies]


def _replayed(state, run):
    """run() with the global generator at `state`, which afterwards stands where it stood."""
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.set_rng_state(state)
        return run()


def _with(backward, forward=None, late=False, anchored=True):
    """An answer with its choices open: backward(function, inputs, state, gradient) → gradients of the inputs."""

    def checkpointed(function, *inputs):
        class Recompute(torch.autograd.Function):
            @staticmethod
            def forward(ctx, anchor, *inputs):
                ctx.save_for_backward(*inputs)
                ctx.state = torch.get_rng_state()
                out = forward(function, inputs) if forward else function(*inputs)
                ctx.state = torch.get_rng_state() if late else ctx.state
                return out

            @staticmethod
            def backward(ctx, gradient):
                return None, *backward(function, ctx.saved_tensors, ctx.state, gradient)

        return Recompute.apply(torch.empty(0, requires_grad=anchored), *inputs)

    return checkpointed


def _right(function, inputs, state, gradient):
    copies = _copies(inputs)
    _replayed(state, lambda: function(*copies).backward(gradient))
    return _gradients(copies)


def _other_numbers(function, inputs, state, gradient):
    return _right(function, inputs, torch.get_rng_state(), gradient)


def _generator_advances(function, inputs, state, gradient):
    """No thought for the generator: another dropout, and it goes on from there."""
    copies = _copies(inputs)
    with torch.enable_grad():
        function(*copies).backward(gradient)
    return _gradients(copies)


def _generator_left_behind(function, inputs, state, gradient):
    torch.set_rng_state(state)
    return _generator_advances(function, inputs, state, gradient)


def _without_graph(function, inputs, state, gradient):
    copies = _copies(inputs)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.set_rng_state(state)
        function(*copies).backward(gradient)
    return _gradients(copies)


def _inputs_detached(function, inputs, state, gradient):
    _replayed(state, lambda: function(*[x if x is None else x.detach() for x in inputs]).backward(gradient))
    return [None for _ in inputs]


def _parameters_forgotten(function, inputs, state, gradient):
    copies = _copies(inputs)
    wanted = [x for x in copies if x is not None and x.requires_grad]
    if wanted:
        found = iter(_replayed(state, lambda: torch.autograd.grad(function(*copies), wanted, gradient)))
    return [next(found) if x is not None and x.requires_grad else None for x in copies]


def _incoming_ignored(function, inputs, state, gradient):
    copies = _copies(inputs)
    _replayed(state, lambda: function(*copies).sum().backward())
    return _gradients(copies)


def _all_need_gradients(function, inputs, state, gradient):
    copies = [x.detach().requires_grad_() for x in inputs]
    _replayed(state, lambda: function(*copies).backward(gradient))
    return _gradients(copies)


def _forked_forward(function, inputs):
    with torch.random.fork_rng(devices=[]):
        return function(*inputs)


def _seeded_forward(function, inputs):
    torch.default_generator.manual_seed(0)
    return function(*inputs)


def _seeded_again(function, inputs, state, gradient):
    torch.default_generator.manual_seed(0)
    return _generator_advances(function, inputs, state, gradient)


def _through_the_history(function, *inputs):
    """The second run goes on into what lies before the inputs, which is then gone when others need it."""
    state = torch.get_rng_state()
    with torch.no_grad():
        out = function(*inputs)
    if torch.is_grad_enabled():
        out.requires_grad_()
        out.register_hook(lambda gradient: _replayed(state, lambda: function(*inputs).backward(gradient)))
    return out


CHECKPOINT_BLOCK = Exercise(
    id="week4.checkpoint_block",
    defines="checkpointed",
    title="Recompute instead of remember",
    points=4,
    minutes=45,
    why="What a deep model keeps for backward grows with every layer. A second forward pass buys that memory back.",
    oracle="torch.utils.checkpoint.checkpoint(use_reentrant=False)",
    cases=_checkpoint_cases,
    probe=_checkpoint_probe,
    observe=_observed,
    expected=lambda inputs: _observed(inputs, _checkpoint_probe(_library_checkpoint, inputs)),
    library=("checkpoint",),
    misconceptions=(
        Misconception(
            "activations kept",
            lambda function, *inputs: function(*inputs),
            "The gradients are right, but the activations stay in memory until backward, and the function is not "
            "called a second time. Who holds on to them?",
        ),
        *(
            Misconception(
                "other random numbers in the second run",
                _with(backward),
                "In the second run dropout strikes out other entries than in the first: the gradient belongs to a "
                "forward pass that never was. What decides which entries?",
            )
            for backward in (_generator_advances, _other_numbers)
        ),
        Misconception(
            "the state is taken too late",
            _with(_right, late=True),
            "You note the generator's state after the first run. To draw the same numbers again, where must it start?",
        ),
        Misconception(
            "the generator is left behind",
            _with(_generator_left_behind),
            "Your second run draws the right numbers. But then it leaves the generator in the past, and whoever draws "
            "next gets numbers that were there before.",
        ),
        Misconception(
            "the first run draws nothing",
            _with(_right, forward=_forked_forward),
            "You put the generator back after the *first* run: the next layer draws the same numbers as this one.",
        ),
        Misconception(
            "a seed of its own",
            _with(_seeded_again, forward=_seeded_forward),
            "You seed the generator in both runs. They agree, but every step of the training now draws the same "
            "numbers.",
        ),
        Misconception(
            "recomputed without a graph",
            _with(_without_graph),
            "Inside backward no graph is recorded unless you ask for it, so your second run has nothing to go back "
            "through.",
        ),
        Misconception(
            "inputs detached",
            _with(_inputs_detached),
            "The parameters inside get their gradients, and the inputs get none: training ends at this block, and all "
            "layers before it stand still.",
        ),
        Misconception(
            "parameters forgotten",
            _with(_parameters_forgotten),
            "The inputs get their gradients, and the parameters inside the function get none.",
        ),
        Misconception(
            "frozen inputs",
            _with(_right, anchored=False),
            "Where no input needs a gradient, autograd sees no reason to call your backward, though the parameters "
            "inside wait for theirs. It happens to everyone who trains adapters on a frozen model.",
        ),
        Misconception(
            "the incoming gradient is ignored",
            _with(_incoming_ignored),
            "You start the second backward from 1. It has to go on from the gradient that comes from above.",
        ),
        Misconception(
            "a gradient asked of everything",
            _with(_all_need_gradients),
            "A mask or None cannot have a gradient. Ask for one where the caller did.",
        ),
        Misconception(
            "on into the history",
            _through_the_history,
            "Your second run goes back beyond the inputs, into the graph that made them. Where that graph is needed by "
            "somebody else too, it is gone.",
        ),
    ),
)
