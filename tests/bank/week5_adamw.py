"""Answers to week5.adamw whose worth is known."""

import math
from collections import defaultdict

import torch

from autograde.audit import right, wrong


@right("week5.adamw")
class TorchsOwnOrder(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if len(state) == 0:
                    state["step"] = torch.tensor(0.0)
                    state["exp_avg"] = torch.zeros_like(p)
                    state["exp_avg_sq"] = torch.zeros_like(p)
                state["step"] += 1
                t = state["step"].item()
                p.mul_(1 - group["lr"] * group["weight_decay"])
                state["exp_avg"].lerp_(p.grad, 1 - beta1)
                state["exp_avg_sq"].mul_(beta2).addcmul_(p.grad, p.grad, value=1 - beta2)
                denominator = (state["exp_avg_sq"] / (1 - beta2**t)).sqrt_().add_(group["eps"])
                p.addcdiv_(state["exp_avg"], denominator, value=-group["lr"] / (1 - beta1**t))
        return loss


@right("week5.adamw")
class DecayLast(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        defaults = dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)
        super().__init__(params, defaults)

    def step(self, closure=None):
        loss = closure() if closure is not None else None
        with torch.no_grad():
            for group, p in [(g, p) for g in self.param_groups for p in g["params"] if p.grad is not None]:
                s = self.state[p]
                t = s["t"] = s.get("t", 0) + 1
                b1, b2 = group["betas"]
                s["m"] = b1 * s.get("m", 0.0) + (1 - b1) * p.grad
                s["v"] = b2 * s.get("v", 0.0) + (1 - b2) * p.grad**2
                p -= group["lr"] * (s["m"] / (1 - b1**t)) / (torch.sqrt(s["v"] / (1 - b2**t)) + group["eps"])
                p -= group["lr"] * group["weight_decay"] * p
        return loss


@right("week5.adamw")
class StateMadeBeforehand(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay))
        for p in (p for group in self.param_groups for p in group["params"]):
            self.state[p] = {"moments": torch.zeros(2, *p.shape), "age": 0}

    def _one(self, p, state, lr, betas, eps, weight_decay, **others):
        state["age"] += 1
        powers = torch.stack([p.grad, p.grad * p.grad])
        beta = torch.tensor(betas).view(2, *[1] * p.dim())
        state["moments"] = beta * state["moments"] + (1 - beta) * powers
        scale = [1 - b ** state["age"] for b in betas]
        mean, square = state["moments"][0] / scale[0], state["moments"][1] / scale[1]
        return (1 - lr * weight_decay) * p - lr * mean / (square.pow(0.5) + eps)

    def step(self, closure=None):
        result = None
        if callable(closure):
            result = closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    settings = {key: value for key, value in group.items() if key != "params"}
                    with torch.no_grad():
                        p.copy_(self._one(p, self.state[p], **settings))
        return result


@right("week5.adamw")
class ThroughData(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        self.names = "lr", "betas", "eps", "weight_decay"
        super().__init__(params, dict(zip(self.names, (lr, betas, eps, weight_decay), strict=True)))

    def step(self, closure=None):
        loss = closure and closure()
        for group in self.param_groups:
            lr, (beta1, beta2), eps, decay = (group[name] for name in self.names)
            trained = filter(lambda p: p.grad is not None, group["params"])
            for p in trained:
                grad = p.grad.data
                if "step" not in self.state[p]:
                    self.state[p].update(step=0, m=torch.zeros_like(p.data), v=torch.zeros_like(p.data))
                s = self.state[p]
                s["step"] += 1
                correction = math.sqrt(1 - beta2 ** s["step"])
                s["m"].mul_(beta1).add_(grad, alpha=1 - beta1)
                s["v"].mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
                rate = lr * correction / (1 - beta1 ** s["step"])
                new = p.data.mul(1 - lr * decay).addcdiv(s["m"], s["v"].sqrt().add(eps * correction), value=-rate)
                p.data = new
        return loss


@right("week5.adamw")
class WithManyTensorsAtOnce(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self, closure=None):
        with torch.enable_grad():
            loss = None if closure is None else closure()
        for group in self.param_groups:
            params = [p for p in group["params"] if p.grad is not None]
            if not params:
                continue
            for p in params:
                self.state[p].setdefault("m", torch.zeros_like(p))
                self.state[p].setdefault("v", torch.zeros_like(p))
                self.state[p]["n"] = self.state[p].get("n", 0) + 1
            grads, (b1, b2) = [p.grad for p in params], group["betas"]
            ms, vs, ns = ([self.state[p][key] for p in params] for key in "mvn")
            torch._foreach_mul_(params, 1 - group["lr"] * group["weight_decay"])
            torch._foreach_lerp_(ms, grads, 1 - b1)
            torch._foreach_mul_(vs, b2)
            torch._foreach_addcmul_(vs, grads, grads, 1 - b2)
            roots = torch._foreach_sqrt(torch._foreach_div(vs, [1 - b2**n for n in ns]))
            torch._foreach_add_(roots, group["eps"])
            torch._foreach_addcdiv_(params, ms, roots, [-group["lr"] / (1 - b1**n) for n in ns])
        return loss


@right("week5.adamw")
class WithPowersKept(torch.optim.Optimizer):
    """Keeps beta1 ** step and beta2 ** step instead of a step count."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay))

    @staticmethod
    def mean(record, key, beta, value):
        left, mean = record.get(key, (1.0, torch.zeros_like(value)))
        left, mean = left * beta, mean + (1 - beta) * (value - mean)
        record[key] = (left, mean)
        return mean / (1 - left)

    @torch.no_grad()
    def step(self, closure=None):
        loss = torch.enable_grad()(closure)() if closure is not None else None
        for group in self.param_groups:
            for p in group["params"]:
                g = p.grad
                if g is not None:
                    record = self.state[p]
                    direction = self.mean(record, "first", group["betas"][0], g)
                    direction = direction / (
                        group["eps"] + self.mean(record, "second", group["betas"][1], g * g).sqrt()
                    )
                    p.sub_(group["lr"] * (direction + group["weight_decay"] * p))
        return loss


@wrong("week5.adamw", "lr frozen at the start")
class KeepsItsFirstRates(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay))
        self.plan = [g["lr"] for g in self.param_groups]

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for lr, group in zip(self.plan, self.param_groups, strict=True):
            for p in group["params"]:
                if p.grad is None:
                    continue
                s = self.state[p]
                s["t"] = s.get("t", 0) + 1
                b1, b2 = group["betas"]
                s["m"] = b1 * s.get("m", 0.0) + (1 - b1) * p.grad
                s["v"] = b2 * s.get("v", 0.0) + (1 - b2) * p.grad.square()
                update = s["m"] / (1 - b1 ** s["t"]) / ((s["v"] / (1 - b2 ** s["t"])).sqrt() + group["eps"])
                p.sub_(lr * (update + group["weight_decay"] * p))
        return loss


class _Bare(torch.optim.Optimizer):
    """The formula once, for wrong bookkeeping of several kinds."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay))
        self.t, self.m, self.v, self.ages = 0, {}, {}, defaultdict(int)

    def closed(self, closure):
        if closure is None:
            return None
        with torch.enable_grad():
            return closure()

    def formula(self, p, group, m, v, t):
        (b1, b2), g = group["betas"], p.grad
        m.mul_(b1).add_((1 - b1) * g)
        v.mul_(b2).add_((1 - b2) * g**2)
        p.mul_(1 - group["lr"] * group["weight_decay"])
        p.sub_(group["lr"] * m / (1 - b1**t) / ((v / (1 - b2**t)).sqrt() + group["eps"]))


@wrong("week5.adamw", "state kept by shape")
class OneRecordAShape(_Bare):
    @torch.no_grad()
    def step(self, closure=None):
        loss = self.closed(closure)
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    key = str(list(p.shape))
                    if key not in self.m:
                        self.m[key], self.v[key] = torch.zeros_like(p), torch.zeros_like(p)
                        self.ages[key] = 0
                    self.ages[key] += 1
                    self.formula(p, group, self.m[key], self.v[key], self.ages[key])
        return loss


@wrong("week5.adamw", "one clock for all")
class CountsCalls(_Bare):
    @torch.no_grad()
    def step(self, closure=None):
        self.t += 1
        loss = self.closed(closure)
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    s = self.state[p]
                    if not s:
                        s["m"], s["v"] = torch.zeros_like(p), torch.zeros_like(p)
                    self.formula(p, group, s["m"], s["v"], self.t)
        return loss


@wrong("week5.adamw", "the clock runs for every parameter")
class CountsParameters(_Bare):
    @torch.no_grad()
    def step(self, closure=None):
        loss = self.closed(closure)
        trained = ((p, group) for group in self.param_groups for p in group["params"] if p.grad is not None)
        for p, group in trained:
            self.t += 1
            s = self.state[p]
            for key in ("m", "v"):
                s.setdefault(key, torch.zeros_like(p))
            self.formula(p, group, s["m"], s["v"], self.t)
        return loss


@wrong("week5.adamw", "state kept beside")
class OwnDictionaries(_Bare):
    @torch.no_grad()
    def step(self, closure=None):
        loss = self.closed(closure)
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                self.ages[p] += 1
                m, v = self.m.setdefault(p, torch.zeros_like(p)), self.v.setdefault(p, torch.zeros_like(p))
                self.formula(p, group, m, v, self.ages[p])
        return loss


@wrong("week5.adamw", "None treated as zero")
class FillsGradients(_Bare):
    @torch.no_grad()
    def step(self, closure=None):
        loss = self.closed(closure)
        for group in self.param_groups:
            for p in group["params"]:
                p.grad = torch.zeros_like(p) if p.grad is None else p.grad
                s = self.state[p]
                s["t"] = s.get("t", 0) + 1
                for key in ("m", "v"):
                    s.setdefault(key, torch.zeros_like(p))
                self.formula(p, group, s["m"], s["v"], s["t"])
        return loss


@wrong("week5.adamw", "the first group's settings for all")
class OneSetOfSettings(_Bare):
    @torch.no_grad()
    def step(self, closure=None):
        loss, (settings, *_) = self.closed(closure), self.param_groups
        for p in [p for group in self.param_groups for p in group["params"]]:
            if p.grad is None:
                continue
            s = self.state[p]
            s["t"] = s.get("t", 0) + 1
            for key in ("m", "v"):
                s.setdefault(key, torch.zeros_like(p))
            self.formula(p, settings, s["m"], s["v"], s["t"])
        return loss


@wrong("week5.adamw", "weights not written")
class NewTensors(_Bare):
    @torch.no_grad()
    def step(self, closure=None):
        loss = self.closed(closure)
        for group in self.param_groups:
            for p in list(group["params"]):
                if p.grad is None:
                    continue
                weight = p.clone()
                weight.grad = p.grad
                s = self.state[p]
                s["t"] = s.get("t", 0) + 1
                for key in ("m", "v"):
                    s.setdefault(key, torch.zeros_like(p))
                self.formula(weight, group, s["m"], s["v"], s["t"])
        return loss


@wrong("week5.adamw")
class ByInheritance(torch.optim.AdamW):
    pass


@wrong("week5.adamw")
class FusedByInheritance(torch.optim.AdamW):
    def __init__(self, params, **settings):
        super().__init__(params, **settings, fused=True)


@wrong("week5.adamw")
class ByAdam(torch.optim.Adam):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, decoupled_weight_decay=True)


@wrong("week5.adamw")
def by_bitsandbytes(params, **settings):
    from bitsandbytes.optim import AdamW

    return AdamW(params, **settings)


@wrong("week5.adamw")
class ClearsItsStateWhenLoaded(TorchsOwnOrder):
    def load_state_dict(self, state_dict):
        super().load_state_dict({**state_dict, "state": {}})
