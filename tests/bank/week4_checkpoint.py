"""Answers to week4.checkpoint_block whose worth is known."""

import contextlib

import torch
import torch.utils.checkpoint
from torch.autograd.graph import saved_tensors_hooks

from autograde.audit import right, wrong

ID = "week4.checkpoint_block"


@right(ID)
def recomputed_when_the_first_saved_tensor_is_asked_for(function, *inputs):
    """As torch's own does it: what autograd would save is a number, and the tensors come from a second run."""
    if not torch.is_grad_enabled():
        return function(*inputs)
    state, saved, again = torch.get_rng_state(), [], []

    def pack(tensor):
        saved.append(None)
        return len(saved) - 1

    def unpack(number):
        if not again:
            with torch.random.fork_rng(), torch.enable_grad():
                torch.set_rng_state(state)
                copies = [x if x is None else x.detach().requires_grad_(x.requires_grad) for x in inputs]
                with saved_tensors_hooks(lambda tensor: again.append(tensor.detach()), lambda nothing: nothing):
                    function(*copies)
        return again[number]

    with saved_tensors_hooks(pack, unpack):
        return function(*inputs)


class _Recompute(torch.autograd.Function):
    @staticmethod
    def forward(ctx, function, state, anchor, *inputs):
        ctx.function, ctx.state, ctx.inputs = function, state, inputs
        with torch.no_grad():
            return function(*inputs)

    @staticmethod
    @torch.enable_grad()
    def backward(ctx, grad):
        leaves = []
        for x in ctx.inputs:
            if isinstance(x, torch.Tensor):
                leaf = x.detach()
                leaf.requires_grad = x.requires_grad
                leaves.append(leaf)
            else:
                leaves.append(x)
        now = torch.get_rng_state()
        torch.set_rng_state(ctx.state)
        try:
            out = ctx.function(*leaves)
        finally:
            torch.set_rng_state(now)
        torch.autograd.backward([out], [grad])
        return (None, None, None) + tuple(getattr(leaf, "grad", None) for leaf in leaves)


@right(ID)
def with_a_class_outside(function, *inputs):
    return _Recompute.apply(function, torch.get_rng_state(), torch.ones(1, requires_grad=True), *inputs)


@contextlib.contextmanager
def _as_it_was(state):
    before = torch.random.get_rng_state()
    torch.random.set_rng_state(state)
    yield
    torch.random.set_rng_state(before)


@right(ID)
def with_a_leaf_and_a_hook(function, *inputs):
    """The output of a run without a graph becomes a leaf; its hook sends the gradient on, through stand-ins."""
    state = torch.random.get_rng_state()
    with torch.no_grad():
        out = function(*inputs)
    if not torch.is_grad_enabled():
        return out
    carriers = [x * 1 if isinstance(x, torch.Tensor) and x.requires_grad else x for x in inputs]

    class Bridge(torch.autograd.Function):
        @staticmethod
        def forward(ctx, value, start, *tensors):
            return value

        @staticmethod
        def backward(ctx, gradient):
            stands = [
                x.detach().requires_grad_() if isinstance(x, torch.Tensor) and x.requires_grad else x for x in inputs
            ]
            with _as_it_was(state), torch.enable_grad():
                function(*stands).backward(gradient)
            return None, None, *[s.grad if isinstance(s, torch.Tensor) else None for s in stands]

    return Bridge.apply(out, torch.zeros(1).requires_grad_(), *carriers)


@right(ID)
def with_gradients_asked_for_by_name(function, *inputs):
    """torch.autograd.grad for the inputs and for whatever leaves the graph of the second run ends in."""
    where = [i for i, x in enumerate(inputs) if x is not None and x.requires_grad]
    generator_state = torch.default_generator.get_state()

    class Once(torch.autograd.Function):
        @staticmethod
        def forward(ctx, _, *xs):
            return function(*xs)

        @staticmethod
        def backward(ctx, g):
            fresh = list(inputs)
            for i in where:
                fresh[i] = inputs[i].detach().clone().requires_grad_(True)
            kept = torch.default_generator.get_state()
            torch.default_generator.set_state(generator_state)
            with torch.set_grad_enabled(True):
                y = function(*fresh)
            torch.default_generator.set_state(kept)
            leaves, seen, queue = [], set(), [y.grad_fn]
            while queue:
                node = queue.pop()
                if node is None or node in seen:
                    continue
                seen.add(node)
                if hasattr(node, "variable"):
                    leaves.append(node.variable)
                queue += [following for following, _ in node.next_functions]
            for leaf, found in zip(leaves, torch.autograd.grad(y, leaves, g), strict=True):
                leaf.grad = found if leaf.grad is None else leaf.grad + found
            return None, *(x.grad if i in where else None for i, x in enumerate(fresh))

    return Once.apply(torch.tensor(0.0, requires_grad=True), *inputs)


@right(ID)
def with_new_style_setup_context(function, *inputs):
    """Forward without ctx, as torch.func wants it; for each call a function of its own."""
    state = torch.get_rng_state()

    def forward(anchor, *xs):
        return function(*xs)

    def setup_context(ctx, given, output):
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*given[1:])

    def backward(ctx, gradient):
        if gradient is None:
            return (None,) * (1 + len(inputs))
        xs = tuple(map(lambda x: x if x is None else x.detach().requires_grad_(x.requires_grad), ctx.saved_tensors))
        with torch.random.fork_rng(devices=()):
            torch.random.set_rng_state(state)
            with torch.enable_grad():
                (function(*xs) * gradient).sum().backward()
        return (None, *(None if x is None else x.grad for x in xs))

    parts = {"forward": forward, "setup_context": setup_context, "backward": backward}
    kind = type("Checkpointed", (torch.autograd.Function,), {name: staticmethod(f) for name, f in parts.items()})
    return kind.apply(torch.empty(3).requires_grad_(), *inputs)


class _Memo:
    """The second run of a function, made when the first piece of it is needed."""

    def __init__(self, function, inputs):
        self.function, self.inputs, self.state, self.pieces, self.count = function, inputs, torch.get_rng_state(), {}, 0

    def note(self, _):
        self.count += 1
        return self.count

    def collect(self, tensor):
        self.pieces[len(self.pieces) + 1] = tensor.detach()

    def recall(self, number):
        if number not in self.pieces:
            self.pieces.clear()
            now = torch.get_rng_state()
            torch.set_rng_state(self.state)
            with torch.enable_grad(), saved_tensors_hooks(self.collect, lambda piece: piece):
                self.function(*self.inputs)
            torch.set_rng_state(now)
        return self.pieces[number]


@right(ID)
def with_hooks_in_a_class(function, *inputs):
    memo = _Memo(function, inputs)
    with saved_tensors_hooks(memo.note, memo.recall):
        return function(*inputs)


@wrong(ID, "activations kept")
def the_graph_of_the_first_run(function, *inputs):
    class Kept(torch.autograd.Function):
        @staticmethod
        def forward(ctx, anchor, *xs):
            with torch.enable_grad():
                ctx.xs = [x if x is None else x.detach().requires_grad_(x.requires_grad) for x in xs]
                ctx.out = function(*ctx.xs)
            return ctx.out.detach()

        @staticmethod
        def backward(ctx, gradient):
            ctx.out.backward(gradient)
            return None, *(None if x is None else x.grad for x in ctx.xs)

    return Kept.apply(torch.zeros((), requires_grad=True), *inputs)


def _twice(function, inputs, replay, anchor=True, needs=lambda x: x.requires_grad):
    class Twice(torch.autograd.Function):
        @staticmethod
        def forward(ctx, anchor, *xs):
            ctx.state = torch.get_rng_state()
            ctx.save_for_backward(*xs)
            return function(*xs)

        @staticmethod
        def backward(ctx, gradient):
            xs = [x if x is None else x.detach().requires_grad_(needs(x)) for x in ctx.saved_tensors]
            with torch.enable_grad():
                replay(ctx.state, xs, gradient)
            return None, *(None if x is None else x.grad for x in xs)

    return Twice.apply(torch.zeros((), requires_grad=anchor), *inputs)


@wrong(ID, "other random numbers in the second run")
def the_generator_as_it_is(function, *inputs):
    return _twice(function, inputs, lambda state, xs, gradient: torch.autograd.backward(function(*xs), gradient))


@wrong(ID, "the generator is left behind")
def back_in_time(function, *inputs):
    def replay(state, xs, gradient):
        torch.default_generator.set_state(state)
        function(*xs).backward(gradient)

    return _twice(function, inputs, replay)


def _replay(function):
    def replay(state, xs, gradient):
        with torch.random.fork_rng():
            torch.set_rng_state(state)
            function(*xs).backward(gradient)

    return replay


@wrong(ID, "frozen inputs")
def no_anchor(function, *inputs):
    return _twice(function, inputs, _replay(function), anchor=False)


@wrong(ID, "inputs detached")
def cut_off_below(function, *inputs):
    return _twice(function, inputs, _replay(function), needs=lambda x: False)


@wrong(ID, "the incoming gradient is ignored")
def from_ones(function, *inputs):
    return _twice(function, inputs, lambda s, xs, g: _replay(function)(s, xs, torch.ones_like(g)))


@wrong(ID)
def a_run_for_every_saved_tensor(function, *inputs):
    state, count = torch.get_rng_state(), iter(range(1000))

    def unpack(number):
        pieces = []
        with torch.random.fork_rng(), torch.enable_grad():
            torch.set_rng_state(state)
            with saved_tensors_hooks(lambda t: pieces.append(t.detach()), lambda piece: piece):
                function(*inputs)
        return pieces[number]

    with saved_tensors_hooks(lambda tensor: next(count), unpack):
        return function(*inputs)


@wrong(ID)
def never_a_gradient(function, *inputs):
    with torch.no_grad():
        return function(*inputs)


@wrong(ID)
def two_runs_in_forward(function, *inputs):
    state = torch.get_rng_state()
    function(*inputs)
    torch.set_rng_state(state)
    return function(*inputs)


@wrong(ID)
def the_library_itself(function, *inputs):
    return torch.utils.checkpoint.checkpoint(function, *inputs, use_reentrant=False)


@wrong(ID)
def the_library_the_old_way(function, *inputs):
    return torch.utils.checkpoint.checkpoint(function, *inputs, use_reentrant=True)


@wrong(ID)
def only_the_first_input_needs_a_gradient(function, x, *others):
    return _twice(lambda first: function(first, *others), (x,), _replay(lambda first: function(first, *others)))
