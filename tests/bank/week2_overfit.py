"""Answers to overfit_one_batch whose worth is known, for `autograde audit`."""

import contextlib
import itertools
import math

import numpy as np
import torch

from autograde.audit import right, wrong


@right("week2.overfit_one_batch")
def tested_with_a_measure_apart(model, batch, optimizer, loss_fn, steps, target):
    was = {name: module.training for name, module in model.named_modules()}

    def measure():
        with torch.no_grad():
            return float(loss_fn(model, batch))

    model.train(False)
    losses = [measure()]
    while len(losses) <= steps and math.isfinite(losses[-1]):
        for group in optimizer.param_groups:
            for weight in group["params"]:
                weight.grad = None
        loss_fn(model, batch).backward()
        optimizer.step()
        losses.append(measure())
    for name, module in model.named_modules():
        module.training = was[name]
    return {"losses": losses, "passed": losses[-1] < target}


@contextlib.contextmanager
def _without_dropout(model):
    training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        yield model
    finally:
        for module in training:
            module.training = True


@right("week2.overfit_one_batch")
def tested_by_a_context_manager(model, batch, optimizer, loss_fn, steps, target):
    losses = torch.full((steps + 1,), torch.nan, dtype=torch.float64)
    with _without_dropout(model):
        for k in range(steps):
            model.zero_grad()
            loss = loss_fn(model, batch)
            losses[k] = loss.detach()
            if not torch.isfinite(loss):
                return {"losses": losses[: k + 1], "passed": False}
            loss.backward()
            optimizer.step()
        losses[steps] = loss_fn(model, batch).detach()
    return {"losses": losses, "passed": bool(losses[steps] < target)}


@right("week2.overfit_one_batch")
def tested_by_a_generator(model, batch, optimizer, loss_fn, steps, target):
    def run():
        for left in reversed(range(steps + 1)):
            optimizer.zero_grad(set_to_none=False)
            loss = loss_fn(model, batch)
            yield loss.item()
            if left and np.isfinite(loss.item()):
                loss.backward()
                optimizer.step()
            else:
                return

    with _without_dropout(model):
        losses = list(run())
    return dict(passed=target > losses[-1], losses=losses, steps=len(losses) - 1)


@right("week2.overfit_one_batch")
def tested_by_recursion(model, batch, optimizer, loss_fn, steps, target):
    modes = [*map(lambda module: module.training, model.modules())]

    def go_on(left):
        loss = loss_fn(model, batch)
        value = loss.detach().double().item()
        if left == 0 or value != value or value == math.inf:
            return [value]
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        return [value, *go_on(left - 1)]

    losses = go_on(steps) if model.eval() else []
    for module, mode in zip(model.modules(), modes, strict=True):
        module.training = mode
    return {"losses": tuple(losses), "passed": np.less(losses[-1], target)}


@right("week2.overfit_one_batch")
def tested_with_a_closure_for_the_optimizer(model, batch, optimizer, loss_fn, steps, target):
    seen = []

    def closure():
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        seen.append(loss.item())
        return loss

    with _without_dropout(model):
        for _ in itertools.repeat(None, steps):
            with torch.no_grad():
                value = loss_fn(model, batch).item()
            if not math.isfinite(value):
                seen.append(value)
                break
            optimizer.step(closure)
        else:
            seen.append(loss_fn(model, batch).item())
    return {"losses": seen, "passed": False if math.isnan(seen[-1]) else seen[-1] < target}


class _Bench:
    def __init__(self, model, optimizer):
        self.model, self.optimizer, self.modes = model, optimizer, {}

    def __enter__(self):
        for module in self.model.modules():
            self.modes[module] = module.training
            module.training = False
        return self

    def __exit__(self, *error):
        for module, mode in self.modes.items():
            module.training = mode

    def update(self, loss):
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()


@right("week2.overfit_one_batch")
def tested_on_a_bench(model, batch, optimizer, loss_fn, steps, target):
    with _Bench(model, optimizer) as bench:
        losses, k = [], 0
        while True:
            loss = loss_fn(bench.model, dict(batch))
            losses += [loss.item()]
            if k >= steps or math.isnan(losses[-1]) or math.isinf(losses[-1]):
                break
            k += 1
            bench.update(loss)
    passed = True
    if not losses[-1] < target:
        passed = False
    return {"losses": losses, "passed": passed}


@wrong("week2.overfit_one_batch", "dropout left on")
def tested_as_it_trains(model, batch, optimizer, loss_fn, steps, target):
    losses = []
    for k in range(steps + 1):
        loss = loss_fn(model, batch)
        losses.append(loss.item())
        if k == steps or not math.isfinite(losses[-1]):
            break
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return {"losses": losses, "passed": losses[-1] < target}


@wrong("week2.overfit_one_batch", "left in eval mode")
def tested_and_forgotten(model, batch, optimizer, loss_fn, steps, target):
    return tested_with_a_measure_apart(model.eval(), batch, optimizer, loss_fn, steps, target)


@wrong("week2.overfit_one_batch", "the last update is not measured")
def tested_in_as_many_losses_as_steps(model, batch, optimizer, loss_fn, steps, target):
    losses = []
    with _without_dropout(model):
        for _ in range(steps):
            loss = loss_fn(model, batch)
            if not math.isfinite(loss.item()):
                losses = losses or [loss.item()]
                break
            losses.append(loss.item())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return {"losses": losses, "passed": losses[-1] < target}


@wrong("week2.overfit_one_batch", "judged by the lowest loss")
def tested_at_its_best(model, batch, optimizer, loss_fn, steps, target):
    report = tested_on_a_bench(model, batch, optimizer, loss_fn, steps, target)
    return report | {"passed": any(loss < target for loss in report["losses"])}


@wrong("week2.overfit_one_batch", "any fall is a pass")
def tested_for_progress(model, batch, optimizer, loss_fn, steps, target):
    report = tested_on_a_bench(model, batch, optimizer, loss_fn, steps, target)
    return report | {"passed": report["losses"][0] - report["losses"][-1] > 0}


@wrong("week2.overfit_one_batch", "an optimizer of your own")
def tested_with_a_known_good_optimizer(model, batch, optimizer, loss_fn, steps, target):
    good = torch.optim.AdamW([p for p in model.parameters()], lr=1e-2)
    return tested_on_a_bench(model, batch, good, loss_fn, steps, target)


@wrong("week2.overfit_one_batch", "gradients add up")
def tested_without_clearing(model, batch, optimizer, loss_fn, steps, target):
    class Same:
        zero_grad = staticmethod(lambda: None)
        step = optimizer.step

    return tested_on_a_bench(model, batch, Same, loss_fn, steps, target)


@wrong("week2.overfit_one_batch")
def tested_on_one_row(model, batch, optimizer, loss_fn, steps, target):
    row = {key: value[:1] for key, value in batch.items()}
    return tested_on_a_bench(model, row, optimizer, loss_fn, steps, target)


@wrong("week2.overfit_one_batch")
def tested_without_prompts(model, batch, optimizer, loss_fn, steps, target):
    every = batch | {"labels": batch["input_ids"]}
    return tested_on_a_bench(model, every, optimizer, loss_fn, steps, target)


@wrong("week2.overfit_one_batch")
def tested_with_clipping(model, batch, optimizer, loss_fn, steps, target):
    class Clipped:
        zero_grad = optimizer.zero_grad

        @staticmethod
        def step():
            torch.nn.utils.clip_grad_norm_(model.parameters(), 0.1)
            optimizer.step()

    return tested_on_a_bench(model, batch, Clipped, loss_fn, steps, target)


@wrong("week2.overfit_one_batch")
def tested_and_undone(model, batch, optimizer, loss_fn, steps, target):
    """Puts the weights back as well."""
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    report = tested_on_a_bench(model, batch, optimizer, loss_fn, steps, target)
    model.load_state_dict(before)
    return report


@wrong("week2.overfit_one_batch")
def tested_in_words(model, batch, optimizer, loss_fn, steps, target):
    report = tested_on_a_bench(model, batch, optimizer, loss_fn, steps, target)
    return report | {"passed": "passed" if report["passed"] else "failed"}


@wrong("week2.overfit_one_batch")
def tested_losses_alone(model, batch, optimizer, loss_fn, steps, target):
    return tested_on_a_bench(model, batch, optimizer, loss_fn, steps, target)["losses"]


@wrong("week2.overfit_one_batch")
def tested_by_faith(model, batch, optimizer, loss_fn, steps, target):
    return {"losses": [math.log(12)] * (steps + 1), "passed": False}
