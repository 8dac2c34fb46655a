"""Answers to loss_scaler whose worth is known."""

import enum
import itertools
import math
import weakref
from collections import defaultdict
from dataclasses import dataclass, field

import torch

from autograde.audit import right, wrong


@right("week3.loss_scaler")
class PlainBooks:
    def __init__(self, init_scale, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000):
        self._scale = init_scale
        self._growth_factor = growth_factor
        self._backoff_factor = backoff_factor
        self._growth_interval = growth_interval
        self._clean = 0
        self._unscaled = set()
        self._bad = set()

    def scale(self, loss):
        return self._scale * loss

    def unscale_(self, optimizer):
        key = id(optimizer)
        if key in self._unscaled:
            raise RuntimeError("unscale_() was called already")
        self._unscaled.add(key)
        for group in optimizer.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                if not torch.isfinite(p.grad).all():
                    self._bad.add(key)
                p.grad.div_(self._scale)

    def step(self, optimizer):
        if id(optimizer) not in self._unscaled:
            self.unscale_(optimizer)
        if id(optimizer) in self._bad:
            return
        optimizer.step()

    def update(self):
        if self._bad:
            self._scale *= self._backoff_factor
            self._clean = 0
        else:
            self._clean += 1
            if self._clean == self._growth_interval:
                self._scale *= self._growth_factor
                self._clean = 0
        self._unscaled.clear()
        self._bad.clear()

    def get_scale(self):
        return self._scale


@right("week3.loss_scaler")
@dataclass
class ByADataclass:
    init_scale: float
    growth_factor: float = 2.0
    backoff_factor: float = 0.5
    growth_interval: int = 2000
    left: int = field(init=False)
    finite: weakref.WeakKeyDictionary = field(default_factory=weakref.WeakKeyDictionary)

    def __post_init__(self):
        self.now, self.left = torch.tensor(float(self.init_scale)), self.growth_interval

    def scale(self, loss):
        return loss.mul(self.now)

    def unscale_(self, optimizer):
        if optimizer in self.finite:
            raise RuntimeError("unscaled before")
        grads = [p.grad for g in optimizer.param_groups for p in g["params"] if p.grad is not None]
        self.finite[optimizer] = all(bool(g.isfinite().all()) for g in grads)
        for grad in grads:
            grad /= self.now

    def step(self, optimizer):
        if self.finite.get(optimizer) is None:
            self.unscale_(optimizer)
        return optimizer.step() if self.finite[optimizer] else None

    def update(self):
        clean = all(self.finite.values())
        self.left = self.left - 1 if clean else self.growth_interval
        factor = 1.0 if clean else self.backoff_factor
        if self.left == 0:
            factor, self.left = self.growth_factor, self.growth_interval
        self.now = self.now * factor
        self.finite = weakref.WeakKeyDictionary()

    def get_scale(self):
        return self.now.item()


class _Stage(enum.Enum):
    SCALED = 1
    CLEAN = 2
    OVERFLOWN = 3


@right("week3.loss_scaler")
class ByStages:
    def __init__(self, init_scale, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000):
        self.settings = dict(grow=growth_factor, shrink=backoff_factor, every=growth_interval)
        self.value, self.streak, self.stages = float(init_scale), 0, defaultdict(lambda: _Stage.SCALED)

    def get_scale(self):
        return self.value

    def scale(self, loss):
        return loss * self.get_scale()

    @staticmethod
    def _gradients(optimizer):
        for group in optimizer.param_groups:
            yield from (p.grad for p in group["params"] if p.grad is not None)

    @torch.no_grad()
    def unscale_(self, optimizer):
        if self.stages[optimizer] is not _Stage.SCALED:
            raise RuntimeError(f"already {self.stages[optimizer].name.lower()}")
        stage = _Stage.CLEAN
        for gradient in self._gradients(optimizer):
            gradient.mul_(1 / self.value)
            if (gradient - gradient).count_nonzero():
                stage = _Stage.OVERFLOWN
        self.stages[optimizer] = stage

    def step(self, optimizer):
        if self.stages[optimizer] is _Stage.SCALED:
            self.unscale_(optimizer)
        if self.stages[optimizer] is _Stage.CLEAN:
            optimizer.step()

    def update(self):
        if _Stage.OVERFLOWN in self.stages.values():
            self.value, self.streak = self.value * self.settings["shrink"], 0
        elif self.streak + 1 >= self.settings["every"]:
            self.value, self.streak = self.value * self.settings["grow"], 0
        else:
            self.streak += 1
        self.stages.clear()


@right("week3.loss_scaler")
class WithNewGradients:
    """Gradients are replaced, not changed; whether one is finite is read off the unscaled ones."""

    def __init__(self, init_scale, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000):
        self.s, self.history = init_scale, [growth_interval, 0]
        self.factors = (backoff_factor, growth_factor)
        self.done = []

    def scale(self, loss):
        return torch.multiply(loss, self.s)

    def _entry(self, optimizer):
        return next((ok for known, ok in self.done if known is optimizer), None)

    def unscale_(self, optimizer):
        if self._entry(optimizer) is not None:
            raise RuntimeError
        fine = True
        for p in itertools.chain.from_iterable(group["params"] for group in optimizer.param_groups):
            if p.grad is not None:
                p.grad = torch.div(p.grad, self.s)
                fine = fine and bool(p.grad.abs().sum() < math.inf)
        self.done.append((optimizer, fine))

    def step(self, optimizer):
        if self._entry(optimizer) is None:
            self.unscale_(optimizer)
        if self._entry(optimizer):
            optimizer.step()

    def update(self):
        interval, count = self.history
        fine = all(ok for _, ok in self.done)
        count = count + 1 if fine else 0
        grows = count == interval
        if grows or not fine:
            self.s = self.s * self.factors[grows]
        self.history[1] = 0 if grows else count
        self.done = []

    def get_scale(self):
        return float(self.s)


@right("week3.loss_scaler")
class WithAGenerator:
    """The rule runs as a coroutine: it is sent whether an iteration overflowed, and yields the scale."""

    def __init__(self, init_scale, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000):
        self.rule = self._scales(init_scale, growth_factor, backoff_factor, growth_interval)
        self.current, self.flags = next(self.rule), {}

    @staticmethod
    def _scales(scale, grow, shrink, interval):
        while True:
            for _ in range(interval):
                if (yield scale):
                    scale *= shrink
                    break
            else:
                scale *= grow

    def scale(self, loss):
        return loss * self.current

    def unscale_(self, optimizer):
        if id(optimizer) in self.flags:
            raise RuntimeError("twice")
        flags = []
        for group in optimizer.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    flags.append(bool(p.grad.isnan().any() or p.grad.isinf().any()))
                    p.grad /= self.current
        self.flags[id(optimizer)] = any(flags)

    def step(self, optimizer):
        try:
            self.unscale_(optimizer)
        except RuntimeError:
            pass
        if self.flags[id(optimizer)]:
            return None
        return optimizer.step()

    def update(self):
        self.current = self.rule.send(True in self.flags.values())
        self.flags.clear()

    def get_scale(self):
        return self.current


@right("week3.loss_scaler")
class MarksTheOptimizers:
    """What belongs to an optimizer is written on it."""

    def __init__(self, init_scale, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000):
        self.number, self.iteration, self.last_change = init_scale, 0, 0
        self.grow, self.back, self.interval = growth_factor, backoff_factor, growth_interval
        self.overflow = False

    def scale(self, loss):
        return self.number * loss

    def _is_unscaled(self, optimizer):
        return getattr(optimizer, "unscaled_in", (None, 0)) == (id(self), self.iteration)

    def unscale_(self, optimizer):
        if self._is_unscaled(optimizer):
            raise RuntimeError("these gradients are true already")
        optimizer.unscaled_in, optimizer.overflown = (id(self), self.iteration), False
        for p in sum((list(group["params"]) for group in optimizer.param_groups), []):
            if p.grad is not None:
                optimizer.overflown |= not bool(p.grad.isfinite().all())
                p.grad.copy_(p.grad / self.number)
        self.overflow |= optimizer.overflown

    def step(self, optimizer):
        if not self._is_unscaled(optimizer):
            self.unscale_(optimizer)
        if not optimizer.overflown:
            optimizer.step()

    def update(self):
        self.iteration += 1
        factor = None
        if self.overflow:
            factor = self.back
        elif self.iteration - self.last_change == self.interval:
            factor = self.grow
        if factor is not None:
            self.number, self.last_change = self.number * factor, self.iteration
        self.overflow = False

    def get_scale(self):
        return self.number


class _WrongScaler:
    """A right scaler, to be made wrong in one place."""

    def __init__(self, init_scale, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000):
        self.s, self.good, self.bad = init_scale, 0, {}
        self.up, self.down, self.every = growth_factor, backoff_factor, growth_interval

    def scale(self, loss):
        return loss * self.s

    def unscale_(self, optimizer):
        if optimizer in self.bad:
            raise RuntimeError
        grads = [p.grad for g in optimizer.param_groups for p in g["params"] if p.grad is not None]
        self.bad[optimizer] = any(not bool(g.isfinite().all()) for g in grads)
        for grad in grads:
            grad.div_(self.s)

    def step(self, optimizer):
        if optimizer not in self.bad:
            self.unscale_(optimizer)
        if not self.bad[optimizer]:
            optimizer.step()

    def update(self):
        bad = any(self.bad.values())
        self.bad = {}
        self.good = 0 if bad else self.good + 1
        self.s *= self.down if bad else self.up if self.good == self.every else 1.0
        self.good %= self.every

    def get_scale(self):
        return self.s


@wrong("week3.loss_scaler", "steps on inf")
class ZeroesThemAndSteps(_WrongScaler):
    def step(self, optimizer):
        if optimizer not in self.bad:
            self.unscale_(optimizer)
        optimizer.step()


@wrong("week3.loss_scaler", "looks at the loss")
class TrustsTheLoss(_WrongScaler):
    ok = True

    def scale(self, loss):
        self.ok = bool(torch.isfinite(loss))
        return loss * self.s

    def unscale_(self, optimizer):
        super().unscale_(optimizer)
        self.bad[optimizer] = not self.ok


@wrong("week3.loss_scaler", "the count goes on after an overflow")
class NeverStartsAgain(_WrongScaler):
    def update(self):
        if True in self.bad.values():
            self.s *= self.down
        else:
            self.good += 1
            if self.good == self.every:
                self.s, self.good = self.s * self.up, 0
        self.bad = {}


@wrong("week3.loss_scaler", "grows again and again")
class NeverResetsTheCount(_WrongScaler):
    def update(self):
        if any(self.bad.values()):
            self.s, self.good = self.s * self.down, 0
        else:
            self.good = self.good + 1
            self.s = self.s * (self.up if self.good > self.every - 1 else 1)
        self.bad.clear()


@wrong("week3.loss_scaler", "unscaled twice")
class NoQuestionsAsked(_WrongScaler):
    def unscale_(self, optimizer):
        self.bad.pop(optimizer, None)
        super().unscale_(optimizer)


@wrong("week3.loss_scaler", "one flag for all optimizers")
class OneBoolean(_WrongScaler):
    done = overflow = False

    def unscale_(self, optimizer):
        if self.done:
            raise RuntimeError
        super().unscale_(optimizer)
        self.done, self.overflow = True, self.bad[optimizer]

    def step(self, optimizer):
        if not self.done:
            self.unscale_(optimizer)
        if not self.overflow:
            optimizer.step()

    def update(self):
        super().update()
        self.done = self.overflow = False


@wrong("week3.loss_scaler")
class ZeroesWhatIsNotFinite(_WrongScaler):
    def unscale_(self, optimizer):
        super().unscale_(optimizer)
        for group in optimizer.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.grad.nan_to_num_(0.0, 0.0, 0.0)


@wrong("week3.loss_scaler")
class LowersTheScaleAtOnce(_WrongScaler):
    def unscale_(self, optimizer):
        super().unscale_(optimizer)
        if self.bad[optimizer]:
            self.s *= self.down


@wrong("week3.loss_scaler")
class StepsOneIterationLate(_WrongScaler):
    def step(self, optimizer):
        if optimizer not in self.bad:
            self.unscale_(optimizer)
        if not self.bad[optimizer] and self.good:
            optimizer.step()


@wrong("week3.loss_scaler")
class WrapsTorchs(torch.amp.GradScaler):
    def __init__(self, init_scale, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000):
        super().__init__("cpu", init_scale, growth_factor, backoff_factor, growth_interval)


@wrong("week3.loss_scaler")
class LastGroupOnly(_WrongScaler):
    def unscale_(self, optimizer):
        if optimizer in self.bad:
            raise RuntimeError
        grads = [p.grad for p in optimizer.param_groups[-1]["params"] if p.grad is not None]
        self.bad[optimizer] = any(not bool(g.isfinite().all()) for g in grads)
        for grad in grads:
            grad.div_(self.s)


@wrong("week3.loss_scaler")
class AnIntervalOf1000(_WrongScaler):
    def __init__(self, init_scale, growth_factor=2.0, backoff_factor=0.5, growth_interval=1000):
        super().__init__(init_scale, growth_factor, backoff_factor, growth_interval)


@wrong("week3.loss_scaler")
class FirstGroupAlone(PlainBooks):
    def unscale_(self, optimizer):
        self._unscaled.add(id(optimizer))
        for p in optimizer.param_groups[0]["params"]:
            if p.grad is not None:
                if not torch.isfinite(p.grad).all():
                    self._bad.add(id(optimizer))
                p.grad.div_(self._scale)
