"""week3.loss_scaler: dynamic loss scaling as a class."""

import math

import torch

from autograde.exercise import Case, Exercise, Misconception, Tolerance
from autograde.exercises.draws import integer, normal, uniform


def _scaler_probe(target, inputs):
    """Drives a scaler through iterations; a loss is a sum of w · slope, its gradients made in float16."""
    import torch

    class Counter:
        """An optimizer that costs no time: it counts its steps."""

        def __init__(self, parameters):
            self.param_groups, self.steps = [{"params": parameters}], 0

        def step(self):
            self.steps += 1

    def long_run():
        weight = torch.nn.Parameter(torch.zeros(1))
        optimizer, scales = Counter([weight]), []
        for gradient in inputs["gradients"]:
            weight.grad = torch.tensor([gradient])
            scaler.step(optimizer)
            scaler.update()
            scales.append(float(scaler.get_scale()))
        return {"scales": torch.tensor(scales), "steps": optimizer.steps}

    scaler = target(*inputs["arguments"])
    if "gradients" in inputs:
        return long_run()
    optimizers, weights = [], []
    for name in inputs["optimizers"]:
        weights.append(torch.nn.Parameter(torch.tensor([0.5, -0.25, 1.0])))
        groups = [{"params": [weights[-1]]}, {"params": [torch.nn.Parameter(torch.ones(2))]}]  # one without a gradient
        groups = groups[::-1] if name == "adamw" else groups
        optimizers.append(
            torch.optim.AdamW(groups, lr=0.01) if name == "adamw" else torch.optim.SGD(groups, lr=0.01, momentum=0.9)
        )
    trace = [{"scale": scaler.get_scale()}]
    for iteration in inputs["iterations"]:
        seen = {"losses": [], "gradients": []}
        for weight, slopes in zip(weights, iteration["slopes"], strict=True):
            weight.grad = None
            halves = [weight.half().float() * slope for slope in slopes]
            loss = scaler.scale(torch.stack(halves).sum())
            loss.backward()
            seen["losses"].append(float(loss.detach()))
        for call in iteration["calls"]:
            word, _, which = call.partition(" ")
            if word == "unscale_":
                scaler.unscale_(optimizers[int(which)])
                seen["gradients"].append(weights[int(which)].grad.clone())
            elif word == "again":
                try:
                    scaler.unscale_(optimizers[int(which)])
                    seen["unscaled again"] = "no error"
                except RuntimeError:
                    seen["unscaled again"] = "RuntimeError"
                seen["gradients"].append(weights[int(which)].grad.clone())
            else:
                scaler.step(optimizers[int(which)])
        scaler.update()
        seen["weights"] = [weight.detach().clone() for weight in weights]
        trace.append({**seen, "scale": scaler.get_scale()})
    return trace


_PLAIN, _FIRST = ("step 0",), ("unscale_ 0", "step 0")


def _scaler_cases(rng):
    def slopes(kind):
        """Rows of slopes, to be summed: what a gradient becomes is decided by the scale. "." fits float16 at any
        scale here, "x" overflows at any, "n" is inf - inf, "l" overflows above a scale of about 20,000.
        """
        row = uniform(rng, 0.4, 0.6) * torch.tensor([1.0, -0.8, 0.6]) + normal(rng, 3, scale=0.05)
        if kind == "x":
            row[integer(rng, 0, 2)] *= 1e6
        elif kind == "l":
            row[0] = uniform(rng, 2.5, 3.0)
        elif kind == "n":
            return torch.stack([row, torch.tensor([0.0, 1e6, 0.0]), torch.tensor([0.0, -1e6, 0.0])])
        return row.unsqueeze(0)

    def case(name, arguments, kinds, calls=_PLAIN, optimizers=("sgd",), **options):
        """kinds: a letter for each iteration, or a word of one letter an optimizer."""
        iterations = [{"slopes": [slopes(letter) for letter in kind], "calls": list(calls)} for kind in kinds]
        inputs = {"arguments": arguments, "optimizers": list(optimizers), "iterations": iterations}
        return Case(name, inputs, **options)

    start = 2.0 ** integer(rng, 9, 12)
    yield case("clean iterations", [start], "....")
    yield case("an overflow at 65536", [65536.0], "l...")
    yield case("a scale that finds its level", [65536.0, 2.0, 0.5, 2], "llllllll")
    yield case("an overflow in between", [start, 2.0, 0.5, 3], "..x" + "." * integer(rng, 4, 5))
    yield case("two overflows in a row", [start, 2.0, 0.5, 2], ".xx...")
    yield case("growth", [start, 2.0, 0.5, 3], "." * integer(rng, 7, 8))
    yield case("other factors", [1000.0, 3.0, 0.2, 1], "..x.x")
    yield case("NaN and no infinity", [start], ".n..")
    yield case("AdamW", [start, 2.0, 0.5, 2], "..x..", optimizers=["adamw"])
    yield case("unscaled before the step", [start, 2.0, 0.5, 2], "..x...", _FIRST)
    yield case("unscaled twice", [start], "..x.", ("unscale_ 0", "again 0", "step 0"))
    yield case("unscaled after the step", [start], "..", ("step 0", "again 0"))
    both = ["sgd", "adamw"]
    yield case("two optimizers", [start, 2.0, 0.5, 3], ["..", "..", "..", ".."], ("step 0", "step 1"), both)
    calls = ("unscale_ 0", "unscale_ 1", "step 0", "step 1")
    yield case("two optimizers, the first overflows", [start, 2.0, 0.5, 2], ["..", "x.", ".."], calls, both)
    yield case("two optimizers, the second overflows", [start, 2.0, 0.5, 2], ["..", ".x", ".."], calls, both)
    gradients = [math.inf] + [1.0] * 2001
    yield Case("the usual interval of 2000", {"arguments": [65536.0], "gradients": gradients})


def _grad_scaler(init_scale, *rule):
    scaler = torch.amp.GradScaler(
        "cpu", init_scale, **dict(zip(("growth_factor", "backoff_factor", "growth_interval"), rule, strict=False))
    )
    scaler.scale(torch.ones(()))  # a run whose gradients are put in by hand scales no loss
    return scaler


class _Scaler:
    """GradScaler's rules with the choices open that subclasses make wrong."""

    def __init__(self, init_scale, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000):
        self.current, self.clean = init_scale, 0
        self.growth, self.backoff, self.interval = growth_factor, backoff_factor, growth_interval
        self.found = {}

    def scale(self, loss):
        return loss * self.current

    def bad(self, gradient):
        return not gradient.isfinite().all()

    def unscale_(self, optimizer):
        if optimizer in self.found:
            raise RuntimeError
        self.divide(optimizer)

    def divide(self, optimizer):
        found = False
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    found |= bool(self.bad(parameter.grad))
                    parameter.grad /= self.current
        self.found[optimizer] = found

    def step(self, optimizer):
        if optimizer not in self.found:
            self.unscale_(optimizer)
        if not self.found[optimizer]:
            optimizer.step()

    def update(self):
        found, self.found = any(self.found.values()), {}
        if found:
            self.current, self.clean = self.current * self.backoff, 0
        else:
            self.clean += 1
            if self.clean == self.interval:
                self.current, self.clean = self.current * self.growth, 0

    def get_scale(self):
        return self.current


class _StepsOnInf(_Scaler):
    def step(self, optimizer):
        if optimizer not in self.found:
            self.unscale_(optimizer)
        optimizer.step()


class _LooksAtTheLoss(_Scaler):
    def scale(self, loss):
        self.finite = bool(loss.isfinite())
        return super().scale(loss)

    def bad(self, gradient):
        return not getattr(self, "finite", True)


class _MissesNan(_Scaler):
    def bad(self, gradient):
        return gradient.isinf().any()


class _CountGoesOn(_Scaler):
    def update(self):
        clean, found = self.clean, any(self.found.values())
        super().update()
        if found:
            self.clean = clean


class _SkippedCounts(_Scaler):
    def update(self):
        found, self.found = any(self.found.values()), {}
        self.current *= self.backoff if found else 1.0
        self.clean += 1
        if self.clean == self.interval:
            self.current, self.clean = self.current * self.growth, 0


class _GrowsAgain(_Scaler):
    def update(self):
        found, self.found = any(self.found.values()), {}
        self.clean = 0 if found else self.clean + 1
        if found:
            self.current *= self.backoff
        elif self.clean >= self.interval:
            self.current *= self.growth


class _TwiceAllowed(_Scaler):
    def unscale_(self, optimizer):
        self.divide(optimizer)


class _TwiceIgnored(_Scaler):
    def unscale_(self, optimizer):
        if optimizer not in self.found:
            self.divide(optimizer)


class _StepNeverUnscales(_Scaler):
    def step(self, optimizer):
        if not self.found.get(optimizer, False):
            optimizer.step()


class _StepAlwaysUnscales(_Scaler):
    def step(self, optimizer):
        self.divide(optimizer)
        if not self.found[optimizer]:
            optimizer.step()


class _StaysUnscaled(_Scaler):
    """update() forgets to begin anew."""

    def update(self):
        before = self.found
        super().update()
        self.found = before


class _FlagStays(_Scaler):
    stuck = False

    def divide(self, optimizer):
        super().divide(optimizer)
        self.stuck |= self.found[optimizer]
        self.found[optimizer] = self.stuck


class _OneForAll(_Scaler):
    """One flag for all optimizers: the first that is unscaled speaks for the others."""

    def unscale_(self, optimizer):
        if self.found:
            raise RuntimeError
        self.divide(optimizer)

    def step(self, optimizer):
        if not self.found:
            self.unscale_(optimizer)
        if not any(self.found.values()):
            optimizer.step()


class _AllSkip(_Scaler):
    def step(self, optimizer):
        if optimizer not in self.found:
            self.unscale_(optimizer)
        if not any(self.found.values()):
            optimizer.step()


class _StepCounts(_Scaler):
    """The scale moves at every step, not at the update."""

    def step(self, optimizer):
        super().step(optimizer)
        kept, self.found = self.found, {optimizer: self.found[optimizer]}
        super().update()
        self.found = kept

    def update(self):
        self.found = {}


class _LastOptimizerDecides(_Scaler):
    def update(self):
        last = list(self.found.values())[-1:]
        self.found = dict(enumerate(last))
        super().update()


class _InitialScale(_Scaler):
    def __init__(self, init_scale, *rule, **rules):
        super().__init__(init_scale, *rule, **rules)
        self.init_scale = init_scale

    def get_scale(self):
        return self.init_scale


class _LossLeftAlone(_Scaler):
    def scale(self, loss):
        return loss


class _NoUpdate(_Scaler):
    def update(self):
        self.found = {}


LOSS_SCALER = Exercise(
    id="week3.loss_scaler",
    defines="LossScaler",
    title="A loss scaler",
    points=4,
    minutes=25,
    why="This class stands between float16 and every run that ever trained in it; most of its bugs never raise.",
    oracle="torch.amp.GradScaler",
    cases=_scaler_cases,
    probe=_scaler_probe,
    expected=lambda inputs: _scaler_probe(_grad_scaler, inputs),
    tolerance=Tolerance(rtol=1e-4, atol=1e-6),
    library=("aten._amp_foreach_non_finite_check_and_unscale_", "aten._amp_update_scale_"),
    misconceptions=(
        Misconception(
            "steps on inf",
            _StepsOnInf,
            "Your optimizer steps with gradients that are not finite. After that every weight is NaN, and no later "
            "batch repairs it.",
        ),
        Misconception(
            "looks at the loss",
            _LooksAtTheLoss,
            "You ask whether the *loss* is finite. It may well be, while a gradient on the way back overflows.",
        ),
        Misconception(
            "NaN not noticed",
            _MissesNan,
            "A gradient can be NaN without any inf in it: inf - inf is. Yours steps on that.",
        ),
        Misconception(
            "the count goes on after an overflow",
            _CountGoesOn,
            "Your scale grows too soon after an overflow. Growth asks for `growth_interval` clean iterations in a row.",
        ),
        Misconception(
            "a skipped step counts as clean",
            _SkippedCounts,
            "A skipped iteration brings your scale nearer to growth. It should send the count back to 0.",
        ),
        Misconception(
            "grows again and again",
            _GrowsAgain,
            "After the first growth your scale grows at every iteration. What is the count then?",
        ),
        Misconception(
            "unscaled twice",
            _TwiceAllowed,
            "Unscaled a second time, your gradients are divided a second time, and nobody is told. Ask for a "
            "RuntimeError.",
        ),
        Misconception(
            "a second time passed over in silence",
            _TwiceIgnored,
            "A second unscale_ does no harm in your class, but it stays silent. Whoever calls it twice has made a "
            "mistake elsewhere: the docstring asks for an error.",
        ),
        Misconception(
            "a step does not unscale",
            _StepNeverUnscales,
            "Where unscale_ was not called before it, your step uses gradients that are still scaled.",
        ),
        Misconception(
            "a step unscales again",
            _StepAlwaysUnscales,
            "Your step divides gradients that unscale_ has divided already.",
        ),
        Misconception(
            "update does not begin anew",
            _StaysUnscaled,
            "After the first iteration your class still takes the gradients for unscaled. Which state ends with "
            "update()?",
        ),
        Misconception(
            "an overflow never forgotten",
            _FlagStays,
            "After one overflow your class skips every step. The next iteration's gradients are new ones.",
        ),
        Misconception(
            "one flag for all optimizers",
            _OneForAll,
            "With two optimizers, unscaling the first says nothing about the gradients of the second. Keep apart what "
            "belongs to each.",
        ),
        Misconception(
            "one overflow skips all optimizers",
            _AllSkip,
            "An overflow in one optimizer's gradients keeps the other from stepping, too. Its own gradients are fine.",
        ),
        Misconception(
            "the scale moves at every step",
            _StepCounts,
            "Your scale moves in step(): with two optimizers the second is unscaled by another number than its loss "
            "was scaled by, and iterations count twice. Move it in update() alone.",
        ),
        Misconception(
            "the last optimizer decides",
            _LastOptimizerDecides,
            "Your update listens to one optimizer only. An overflow in any of them lowers the scale.",
        ),
        Misconception(
            "the scale at the start",
            _InitialScale,
            "get_scale() always gives the scale that you started with.",
        ),
        Misconception(
            "the loss not scaled",
            _LossLeftAlone,
            "scale() returns the loss as it was. Then what does unscaling divide?",
        ),
        Misconception(
            "the scale never moves",
            _NoUpdate,
            "Your update leaves the scale as it is: after an overflow the next iteration overflows again.",
        ),
    ),
)
