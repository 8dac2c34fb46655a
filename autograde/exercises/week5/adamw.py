"""week5.adamw: AdamW as an optimizer for whole models."""

import functools
import json
import math
from unittest import mock

import torch
import torch.optim.adam as library

from autograde.compare import compare
from autograde.exercise import Case, Exercise, Misconception, Tolerance
from autograde.exercises.draws import integer, uniform

TIGHT = Tolerance(1e-4, 1e-5)
LONG = Tolerance(
    1e-4, 1e-4
)  # after 1,000 steps: betas rounded to float32 move a weight by 1e-5, the order of decay by 1e-3
# What torch's own step leans on; the probe takes it away from answers, not from the oracle.
_STEP = library._single_tensor_adam


def _optimizer_probe(target, inputs):
    """Drives an optimizer: gradients drawn from a seed, a schedule, Nones, a closure, saving → the weights on the way.

    inputs: `groups`, a list of (shapes, settings); `grads are`, one letter a step for each parameter, repeated:
    "g" a gradient, "0" zeros, "-" None; `lr factors`, one a step, repeated; `load before`, a step or None.
    The 1,000 steps of the last case cost an answer a tenth of a second or two.
    """
    import contextlib
    import copy
    import sys
    from unittest import mock

    import torch
    import torch.optim.adam as library

    from autograde import guard

    def refused(*args, **kwargs):
        raise guard.LibraryCall("AdamW")

    def build(weights):
        if inputs["given as"] == "groups":
            places = iter(weights)
            groups = [dict(settings, params=[next(places) for _ in shapes]) for shapes, settings in inputs["groups"]]
            for group in groups:
                if "betas" in group:
                    group["betas"] = tuple(group["betas"])
            return target(groups, **inputs["settings"])
        given = (weight for weight in weights) if inputs["given as"] == "a generator" else list(weights)
        return target(given, **inputs["settings"])

    draws = torch.Generator().manual_seed(inputs["seed"])
    shapes = [shape for shapes, _ in inputs["groups"] for shape in shapes]
    weights = [torch.nn.Parameter(torch.randn(shape, generator=draws)) for shape in shapes]
    steps, size = inputs["steps"], inputs["size of the gradients"]
    drawn = [(size * (0.4 + torch.randn(steps, *shape, generator=draws))).unbind() for shape in shapes]
    kinds, factors, seen = inputs["grads are"], inputs["lr factors"], {"returned": [], "closure calls": 0}
    kept = library._single_tensor_adam, library._multi_tensor_adam, library._fused_adam
    library._single_tensor_adam = library._multi_tensor_adam = library._fused_adam = refused
    # To look at every operator costs time: it is done in all cases but the longest.
    stack = contextlib.ExitStack()
    watched = ("aten._fused_adam_", "aten._fused_adamw_") if steps < 100 else ()
    stack.enter_context(guard.refusals(guard.Rules(library=watched)))
    try:
        optimizer = build(weights)
        if "bitsandbytes.functional" in sys.modules:
            stack.enter_context(mock.patch("bitsandbytes.functional.optimizer_update_32bit", refused))
        base = [group["lr"] for group in optimizer.param_groups]
        for step in range(steps):
            if step == inputs["load before"]:
                state = copy.deepcopy(optimizer.state_dict())
                weights = [torch.nn.Parameter(weight.detach().clone()) for weight in weights]
                optimizer = build(weights)
                optimizer.load_state_dict(state)
            for group, lr in zip(optimizer.param_groups, base, strict=True):
                group["lr"] = lr * factors[step % len(factors)]

            def set_gradients(step=step, weights=weights):
                for weight, kind, gradients in zip(weights, kinds, drawn, strict=True):
                    letter, gradient = kind[step % len(kind)], gradients[step]
                    weight.grad = gradient if letter == "g" else None if letter == "-" else torch.zeros_like(gradient)

            def closure(step=step, weights=weights):
                seen["closure calls"] += 1
                for weight in weights:
                    weight.grad = None
                loss = sum((gradients[step] * weight).sum() for gradients, weight in zip(drawn, weights, strict=True))
                loss.backward()
                return float(loss.detach())

            if inputs["closure"]:
                seen["returned"].append(optimizer.step(closure))
            else:
                set_gradients()
                optimizer.step()
            if step < 6 or step in (9, 99, steps // 2) or step == steps - 1:
                now = {f"parameter {i}": weight.detach().clone() for i, weight in enumerate(weights, 1)}
                seen[f"after step {step + 1}"] = now
    finally:
        stack.close()
        library._single_tensor_adam, library._multi_tensor_adam, library._fused_adam = kept
    return seen


def _optimizer_cases(rng):
    def case(name, *kinds, groups=None, steps=6, size=1.0, factors=(1.0,), given="a list", **further):
        """kinds: how the gradients of each parameter are; where no groups are given, each has the shape (3,)."""
        settings = {"lr": uniform(rng, 0.05, 0.1), "weight_decay": uniform(rng, 0.2, 0.5)}
        inputs = {"seed": integer(rng, 0, 10_000), "groups": groups or [([[3]] * len(kinds), {})]}
        inputs |= {"settings": further.get("settings", settings), "steps": steps, "grads are": list(kinds)}
        inputs |= {"size of the gradients": size, "lr factors": list(factors), "closure": further.get("closure", False)}
        inputs |= {"load before": further.get("load"), "given as": given}
        return Case(name, inputs, tolerance=LONG if steps >= 1000 else TIGHT)

    def two(shapes, others=None):
        """Two groups whose settings all differ, with parameters of these shapes in each."""
        first = {"lr": uniform(rng, 0.05, 0.1), "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0.0}
        second = {"lr": uniform(rng, 0.02, 0.04), "betas": [uniform(rng, 0.5, 0.7), 0.9], "eps": 0.03}
        return [(shapes, first), (others or shapes, {**second, "weight_decay": uniform(rng, 0.5, 0.9)})]

    yield case("one parameter, the usual settings", "g", settings={}, steps=20)
    yield case("two parameters of one shape", "g", "g")
    yield case("a matrix, a vector and a number", "g", "g", "g", groups=[([[2, 3], [4], []], {})], given="a generator")
    yield case("an lr that falls", "g", factors=(1.0, 0.5, 0.25, 0.1, 0.05, 0.0))
    yield case("two groups", "g", "g", groups=two([[3]]), given="groups")
    yield case("two groups of two", "g", "g", "g", "g", groups=two([[2], [3]]), given="groups", steps=4)
    yield case("no gradient at times", "g", "g-", "--g", steps=10)
    yield case("never a gradient", "-", "g", steps=3)
    yield case("a gradient of zeros at times", "g00", "g", steps=6)
    yield case("small gradients", "g", size=1e-3)
    yield case("tiny gradients", "g", "g-", size=1e-6)
    yield case("a closure", "g", "g", closure=True, steps=3)
    yield case("saved and loaded", "g", "g", load=3)
    long = {"steps": 1000, "size": 1e-3, "load": 500, "given": "groups", "factors": [*(1 - k / 20 for k in range(20))]}
    groups = two([[2]])
    for (_, settings), lr in zip(groups, (0.01, 0.02), strict=True):
        settings.update(lr=lr, weight_decay=settings["weight_decay"] / 5, eps=min(settings["eps"], 1e-5))
    yield case("a thousand steps of everything", "g", "-gg", groups=groups, **long)


class _Torch(torch.optim.AdamW):
    def __init__(self, params, **settings):
        super().__init__(params, **settings, foreach=False)

    def step(self, closure=None):
        with mock.patch.object(library, "_single_tensor_adam", _STEP):
            return super().step(closure)


class _DecayLast(_Torch):
    """The same with the decay after the rest of the step."""

    @torch.no_grad()
    def step(self, closure=None):
        decays = [group["weight_decay"] for group in self.param_groups]
        for group in self.param_groups:
            group["weight_decay"] = 0.0
        loss = super().step(closure)
        for group, decay in zip(self.param_groups, decays, strict=True):
            group["weight_decay"] = decay
            for p in group["params"]:
                if p.grad is not None:
                    p.mul_(1 - group["lr"] * decay)
        return loss


@functools.lru_cache(maxsize=512)
def _trace(optimizer, text):
    return _optimizer_probe(optimizer, json.loads(text))


def _observed(inputs, seen):
    """Which of the two orders of decay an answer has is its own choice: both are compared with the same trace."""
    text, tolerance = json.dumps(inputs), LONG if inputs["steps"] >= 1000 else TIGHT
    first = _trace(_Torch, text)
    if compare(seen, first, tolerance) is not None and compare(seen, _trace(_DecayLast, text), tolerance) is None:
        return first
    return seen


def _expected(inputs):
    return _trace(_Torch, json.dumps(inputs))


class _Adam(torch.optim.Optimizer):
    """AdamW with the choices open that subclasses make wrong."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay))
        self.setup()

    def setup(self):
        pass

    def begin(self):
        """Called once a step."""

    def settings(self, group):
        return group

    def gradient(self, p, group):
        return p.grad

    def record(self, p, group):
        """Where m, v and step of a parameter live."""
        return self.state[p]

    def clock(self, record, group):
        record["step"] = record.get("step", 0) + 1
        return record["step"]

    def root(self, v_hat, eps):
        return math.sqrt(v_hat) + eps

    def correction(self, beta, step):
        return 1 - beta**step

    def slope(self, g, w, group):
        return g

    def kept(self, group):
        """The fraction of a weight that decay leaves."""
        return 1 - group["lr"] * group["weight_decay"]

    def write(self, p, numbers):
        p.copy_(torch.tensor(numbers).view(p.shape))

    def loss(self, closure):
        if closure is None:
            return None
        with torch.enable_grad():
            return closure()

    def returned(self, loss):
        return loss

    def groups(self):
        return self.param_groups

    @torch.no_grad()
    def step(self, closure=None):
        loss = self.loss(closure)
        self.begin()
        for group in self.groups():
            for p in group["params"]:
                grad = self.gradient(p, group)
                if grad is None:
                    continue
                if grad is StopIteration:
                    return loss
                self.update(p, grad, self.settings(group), self.record(p, group))
        return self.returned(loss)

    def update(self, p, grad, group, record):
        """In Python's own numbers: for two or three weights that is faster than tensors."""
        (beta1, beta2), lr, eps, kept = group["betas"], group["lr"], group["eps"], self.kept(group)
        numbers = p.flatten().tolist()
        if "m" not in record:
            record["m"], record["v"] = [0.0] * len(numbers), [0.0] * len(numbers)
        step, m, v = self.clock(record, group), record["m"], record["v"]
        correct1, correct2 = self.correction(beta1, step), self.correction(beta2, step)
        for i, g in enumerate(grad.flatten().tolist()):
            g = self.slope(g, numbers[i], group)
            m[i] = beta1 * m[i] + (1 - beta1) * g
            v[i] = beta2 * v[i] + (1 - beta2) * g * g
            numbers[i] = kept * numbers[i] - lr * m[i] / correct1 / self.root(v[i] / correct2, eps)
        self.write(p, numbers)


class _LrFrozen(_Adam):
    def setup(self):
        self.rates = [group["lr"] for group in self.param_groups]

    def settings(self, group):
        place = next(i for i, g in enumerate(self.param_groups) if g is group)
        return {**group, "lr": self.rates[place]}


class _LrOfTheConstructor(_Adam):
    def settings(self, group):
        return {**group, "lr": self.defaults["lr"]}


class _OnlyLrOfTheGroup(_Adam):
    def settings(self, group):
        return {**self.defaults, "lr": group["lr"]}


class _ConstructorsSettings(_Adam):
    def settings(self, group):
        return self.defaults


class _FirstGroupsSettings(_Adam):
    def settings(self, group):
        return self.param_groups[0]


class _FirstGroupAlone(_Adam):
    def groups(self):
        return self.param_groups[:1]


class _OneClock(_Adam):
    def setup(self):
        self.time = 0

    def begin(self):
        self.time += 1

    def clock(self, record, group):
        return self.time


class _OneClockAGroup(_Adam):
    def begin(self):
        for group in self.param_groups:
            group["step"] = group.get("step", 0) + 1

    def clock(self, record, group):
        return group["step"]


class _ClockInTheLoop(_Adam):
    def setup(self):
        self.time = 0

    def clock(self, record, group):
        self.time += 1
        return self.time


class _GroupClockInTheLoop(_Adam):
    def clock(self, record, group):
        group["step"] = group.get("step", 0) + 1
        return group["step"]


class _OwnClocks(_Adam):
    """Counts each parameter's steps rightly, in a dict that state_dict does not know."""

    def setup(self):
        self.clocks = {}

    def clock(self, record, group):
        self.clocks[id(record)] = self.clocks.get(id(record), 0) + 1
        return self.clocks[id(record)]


class _EpsInside(_Adam):
    def root(self, v_hat, eps):
        return math.sqrt(v_hat + eps)


class _NoneIsZero(_Adam):
    def gradient(self, p, group):
        return torch.zeros_like(p) if p.grad is None else p.grad


class _DecaysAll(_Adam):
    def gradient(self, p, group):
        if p.grad is None:
            p.mul_(self.kept(group))
        return p.grad


class _ZeroIsNone(_Adam):
    def gradient(self, p, group):
        return p.grad if p.grad is not None and p.grad.any() else None


class _StopsAtNone(_Adam):
    def gradient(self, p, group):
        return StopIteration if p.grad is None else p.grad


class _DiesOnNone(_Adam):
    def gradient(self, p, group):
        return p.grad.clone()


class _ByShape(_Adam):
    def setup(self):
        self.books = {}

    def record(self, p, group):
        return self.books.setdefault(tuple(p.shape), {})


class _ByPlaceInGroup(_Adam):
    def setup(self):
        self.books = {}

    def record(self, p, group):
        return self.books.setdefault(next(i for i, q in enumerate(group["params"]) if q is p), {})


class _ByPlaceAmongGradients(_Adam):
    def setup(self):
        self.books = {}

    def begin(self):
        self.place = -1

    def record(self, p, group):
        self.place += 1
        return self.books.setdefault((self.place, tuple(p.shape)), {})


class _OneForAll(_Adam):
    """Moments and step in attributes of the optimizer: the shape of the last parameter wins."""

    def setup(self):
        self.book = {}

    def record(self, p, group):
        if "m" in self.book and len(self.book["m"]) != p.numel():
            self.book = {}
        return self.book


class _OwnBooks(_Adam):
    def setup(self):
        self.books = {}

    def record(self, p, group):
        return self.books.setdefault(id(p), {})


class _NotCorrected(_Adam):
    def correction(self, beta, step):
        return 1.0


class _L2(_Adam):
    def slope(self, g, w, group):
        return g + group["weight_decay"] * w

    def kept(self, group):
        return 1.0


class _DecayWithoutLr(_Adam):
    def kept(self, group):
        return 1 - group["weight_decay"]


class _NoDecay(_Adam):
    def kept(self, group):
        return 1.0


class _ClosureIgnored(_Adam):
    def loss(self, closure):
        return None


class _ClosureWithoutGradients(_Adam):
    def loss(self, closure):
        return None if closure is None else closure()


class _LossNotReturned(_Adam):
    def returned(self, loss):
        return None


class _Rebinds(_Adam):
    def write(self, p, numbers):
        p = torch.tensor(numbers).view(p.shape)


class _StateBegunAnew(_Adam):
    def record(self, p, group):
        return {}


ADAMW = Exercise(
    id="week5.adamw",
    defines="AdamW",
    title="AdamW for whole models",
    points=5,
    minutes=35,
    why="Around the formula stands the bookkeeping: whose state, whose settings, whose step. There most homemade "
    "optimizers go wrong, and train a little worse in silence.",
    oracle="torch.optim.AdamW over up to 1,000 steps, with its decay before or after the rest",
    cases=_optimizer_cases,
    probe=_optimizer_probe,
    observe=_observed,
    expected=_expected,
    tolerance=TIGHT,
    misconceptions=(
        Misconception(
            "lr frozen at the start",
            _LrFrozen,
            "Your optimizer goes on with the lr that it was built with. A schedule writes group['lr'] between steps: "
            "read it at every step.",
        ),
        Misconception(
            "the constructor's lr for all",
            _LrOfTheConstructor,
            "Your optimizer uses the lr given to the constructor. Every group has an lr of its own, into which a "
            "schedule writes.",
        ),
        Misconception(
            "the constructor's settings but lr",
            _OnlyLrOfTheGroup,
            "You read lr from each group, and the other settings from the constructor. A group may have its own of "
            "all four.",
        ),
        Misconception(
            "the constructor's settings",
            _ConstructorsSettings,
            "Your optimizer uses the settings given to the constructor. Those are only what a group gets where it says "
            "nothing else; read the group's own, at every step.",
        ),
        Misconception(
            "the first group's settings for all",
            _FirstGroupsSettings,
            "All your parameters are updated with the settings of the first group.",
        ),
        Misconception(
            "the first group alone",
            _FirstGroupAlone,
            "Only the first group of parameters moves in your optimizer.",
        ),
        Misconception(
            "one clock for all",
            _OneClock,
            "One count of steps serves all your parameters, outside the state. One that has had no gradient for a "
            "while has aged with the others, and a loaded optimizer begins at 0 again.",
        ),
        Misconception(
            "one clock a group",
            _OneClockAGroup,
            "All parameters of a group share one count of steps. One that has had no gradient for a while ages along, "
            "though its moments were not updated, and its bias correction comes out too weak.",
        ),
        Misconception(
            "the clock runs for every parameter",
            _ClockInTheLoop,
            "One count of steps serves all your parameters, and it advances for each of them: with two parameters "
            "time runs at twice its speed.",
        ),
        Misconception(
            "the group's clock runs for every parameter",
            _GroupClockInTheLoop,
            "The parameters of a group share a count of steps that advances for each of them: with two in a group "
            "time runs at twice its speed.",
        ),
        Misconception(
            "clocks outside the state",
            _OwnClocks,
            "Your step counts live where state_dict() does not find them. After loading, the moments are old and the "
            "count is new.",
        ),
        Misconception(
            "eps inside the root",
            _EpsInside,
            "Your eps stands inside the root. With gradients of 1e-3 and less the steps become too short.",
        ),
        Misconception(
            "None treated as zero",
            _NoneIsZero,
            "A parameter without a gradient still moves in your optimizer: you take None for zeros. None says that "
            "this step is none of its business: no decay, no ageing, no fading moments.",
        ),
        Misconception(
            "decay without a gradient",
            _DecaysAll,
            "You decay parameters that have no gradient at this step. They should be left alone.",
        ),
        Misconception(
            "zeros treated as None",
            _ZeroIsNone,
            "You leave a parameter alone when its gradient is zero. Zeros are a gradient: the moments fade, the weight "
            "moves on by what they remember, and it decays.",
        ),
        Misconception(
            "stops at None",
            _StopsAtNone,
            "At the first parameter without a gradient your step ends. What of those after it?",
        ),
        Misconception(
            "dies on None",
            _DiesOnNone,
            "Your step computes with a gradient that is None. Frozen and unused parameters have none.",
        ),
        Misconception(
            "state kept by shape",
            _ByShape,
            "Parameters of the same shape share their moments in your optimizer. What tells two parameters apart?",
        ),
        Misconception(
            "state kept by the place in the group",
            _ByPlaceInGroup,
            "Your state goes by a parameter's place in its group, and a second group starts at the first place again.",
        ),
        Misconception(
            "state kept by the place among gradients",
            _ByPlaceAmongGradients,
            "Your state goes by a place in a list that holds only the parameters with a gradient. As soon as one has "
            "none, those after it take over the state of others.",
        ),
        Misconception(
            "one state for all",
            _OneForAll,
            "All your parameters share one pair of moments. Each needs its own, in self.state[p].",
        ),
        Misconception(
            "state kept beside",
            _OwnBooks,
            "Your state lives in a dict of your own. state_dict() does not see it, and so a loaded optimizer starts "
            "with empty moments. The base class saves self.state.",
        ),
        Misconception(
            "state begun anew",
            _StateBegunAnew,
            "Your moments start at zero at every step: nothing of them is kept in self.state[p].",
        ),
        Misconception(
            "nothing corrected",
            _NotCorrected,
            "Your moments are not corrected for the zeros that they began with.",
        ),
        Misconception(
            "decay in the gradient",
            _L2,
            "Your decay joins the gradient and is divided by the root with it: that is Adam with L2.",
        ),
        Misconception(
            "decay without lr",
            _DecayWithoutLr,
            "Your decay takes the fraction weight_decay off the weights at every step, whatever lr is.",
        ),
        Misconception(
            "no decay",
            _NoDecay,
            "Your weights do not decay: weight_decay changes nothing. It takes the fraction lr * weight_decay off.",
        ),
        Misconception(
            "closure ignored",
            _ClosureIgnored,
            "Your step never calls its closure, so there are no gradients, and it moves nothing.",
        ),
        Misconception(
            "closure without gradients",
            _ClosureWithoutGradients,
            "You call the closure where gradients are switched off. It wants to call backward: switch them on for it.",
        ),
        Misconception(
            "loss not returned",
            _LossNotReturned,
            "Your step calls the closure and keeps its loss to itself. Return it.",
        ),
        Misconception(
            "weights not written",
            _Rebinds,
            "Your weights never move. `p = p - …` makes a new tensor and gives it the old name; the model still holds "
            "the old tensor. Write into it.",
        ),
    ),
)
