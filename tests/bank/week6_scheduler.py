"""Answers to week6.which_schedule and week6.scheduler_clock whose worth is known."""

import itertools
import math

import numpy as np
import torch
import torch.nn.functional as F

from autograde.audit import right, wrong

# --- which_schedule ---------------------------------------------------------------------------------------------------

WHICH = "week6.which_schedule"


def _rate(name, step, total, peak, low, warmup):
    if step <= warmup:
        return peak * step / warmup
    if name == "linear":
        return peak * max(0.0, (total - step) / (total - warmup))
    begin = warmup if name == "cosine" else 0.8 * total
    angle = math.pi * min(1.0, max(0.0, (step - begin) / (total - begin)))
    return (peak + low) / 2 + (peak - low) / 2 * math.cos(angle)


@right(WHICH)
def smallest_worst_line(steps, lrs, peak_lr, min_lr, warmup_steps):
    best = (math.inf, "", 0)
    for name in ("linear", "cosine", "stable"):
        for total in range(steps[-1], 3001, 1):
            worst = 0.0
            for step, lr in zip(steps, lrs, strict=True):
                worst = max(worst, abs(lr - _rate(name, step, total, peak_lr, min_lr, warmup_steps)))
                if worst >= best[0]:
                    break
            else:
                best = (worst, name, total)
    return best[1], best[2]


@right(WHICH)
def least_squares_by_numpy(steps, lrs, peak_lr, min_lr, warmup_steps):
    step, log = np.array(steps)[:, None], np.array(lrs)[:, None]
    total = np.arange(steps[-1], 3001)[None, :]
    rise = peak_lr * step / warmup_steps

    def waves(begin):
        progress = np.clip((step - begin) / (total - begin), 0, 1)
        return min_lr + (peak_lr - min_lr) * np.cos(np.pi / 2 * progress) ** 2

    curves = {
        "linear": peak_lr * np.clip((total - step) / (total - warmup_steps), 0, None),
        "cosine": waves(warmup_steps),
        "stable": waves(0.8 * total),
    }
    errors = {n: ((np.where(step < warmup_steps, rise, c) - log) ** 2).sum(0) for n, c in curves.items()}
    name = min(errors, key=lambda n: errors[n].min())
    return name, int(total[0, errors[name].argmin()])


@right(WHICH)
def rounded_as_the_log_is(steps, lrs, peak_lr, min_lr, warmup_steps):
    def written(name, total):
        return [_rate(name, s, total, peak_lr, min_lr, warmup_steps) for s in steps]

    for total, name in itertools.product(range(steps[-1], 3001), ["cosine", "stable", "linear"]):
        last = _rate(name, steps[-1], total, peak_lr, min_lr, warmup_steps)
        if abs(last - lrs[-1]) < 2e-6:
            if all(round(abs(a - b) * 1e6 - 0.01) == 0 for a, b in zip(written(name, total), lrs, strict=True)):
                return [name, total]


@right(WHICH)
def each_line_solved_for_the_length(steps, lrs, peak_lr, min_lr, warmup_steps):
    """A line that is neither flat nor at its end gives a range of lengths for each schedule; where do they meet?"""

    def length(name, step, lr):
        if name == "linear":
            return warmup_steps + (step - warmup_steps) / (1 - min(max(lr, 0), peak_lr * 0.9999999) / peak_lr)
        cosine = min(1 - 1e-12, max(-1.0, 2 * (lr - min_lr) / (peak_lr - min_lr) - 1))
        progress = math.acos(cosine) / math.pi
        if name == "cosine":
            return warmup_steps + (step - warmup_steps) / progress
        return step / (0.8 + 0.2 * progress)

    for name in ("linear", "cosine", "stable"):
        low, high = float(steps[-1]), 3000.0
        for step, lr in zip(steps, lrs, strict=True):
            if step > warmup_steps:
                low = max(low, length(name, step, lr - 0.6e-6))
                if lr < peak_lr - 1e-9:
                    high = min(high, length(name, step, lr + 0.6e-6))
        floor = 0.0 if name == "linear" else min_lr
        if lrs[-1] <= floor + 0.6e-6:  # flat at the end: any shorter run would do for this line
            low = max(float(steps[-1]), max((length(name, s, r - 0.6e-6) for s, r in zip(steps, lrs, strict=True)
                                             if s > warmup_steps and r > floor + 0.6e-6), default=0.0))  # fmt: skip
        if math.ceil(low) <= high:
            return name, math.ceil(low)


@right(WHICH)
def torch_over_all_lengths(steps, lrs, peak_lr, min_lr, warmup_steps):
    keep = [i for i, s in enumerate(steps) if s > warmup_steps]
    s = torch.tensor([steps[i] for i in keep], dtype=torch.float64)
    log = torch.tensor([lrs[i] for i in keep], dtype=torch.float64)
    names, found = ["linear", "cosine", "stable"], []
    for total in range(max(steps), 3001):
        straight = peak_lr * (total - s) / (total - warmup_steps)
        bent = (1 + torch.cos(math.pi * (s - warmup_steps) / (total - warmup_steps))) / 2
        late = (1 + torch.cos(math.pi * ((s - 0.8 * total) / (0.2 * total)).clamp(0))) / 2
        rows = torch.stack([straight, min_lr + (peak_lr - min_lr) * bent, min_lr + (peak_lr - min_lr) * late])
        found.append((rows - log).abs().max(dim=1).values)
    errors = torch.stack(found)
    place = int(errors.argmin())
    return names[place % 3], max(steps) + place // 3


@right(WHICH)
def the_middle_of_all_that_fit(steps, lrs, peak_lr, min_lr, warmup_steps):
    lines = [line for line in zip(steps, lrs, strict=True) if line[0] > warmup_steps]
    for name in ("stable", "cosine", "linear"):
        fitting = []
        for total in range(steps[-1], 3001):
            misses = (_rate(name, s, total, peak_lr, min_lr, warmup_steps) - lr for s, lr in reversed(lines))
            if all(abs(miss) <= 0.51e-6 for miss in misses):
                fitting.append(total)
        if fitting:
            return (name, fitting[len(fitting) // 2])


@right(WHICH)
def a_generator_and_next(steps, lrs, peak_lr, min_lr, warmup_steps):
    answers = (
        (name, total)
        for name in ("cosine", "linear", "stable")
        for total in range(3000, steps[-1] - 1, -1)
        if max(
            abs(_rate(name, s, total, peak_lr, min_lr, warmup_steps) - lr)
            for s, lr in ((steps[-1], lrs[-1]), *zip(steps, lrs, strict=True))
            if s > warmup_steps
        )
        < 0.7e-6
    )
    name, total = next(answers)
    return name, np.int64(total)


@wrong(WHICH, "decay begins at 80 %")
def the_last_flat_line_begins_it(steps, lrs, peak_lr, min_lr, warmup_steps):
    after = [(s, lr) for s, lr in zip(steps, lrs, strict=True) if s > warmup_steps]
    begin = [s for s, lr in after if lr < peak_lr][0]
    return "stable", int(max(max(steps), round(begin * 1.25)))


@wrong(WHICH)
def the_shortest_that_fits_one_line(steps, lrs, peak_lr, min_lr, warmup_steps):
    for total in range(steps[-1], 3001):
        for name in ("stable", "linear", "cosine"):
            if abs(_rate(name, steps[-1], total, peak_lr, min_lr, warmup_steps) - lrs[-1]) < 2e-6:
                return name, total
    return "cosine", 3000


@wrong(WHICH, "the log ends with the run")
def over_when_the_log_is(steps, lrs, peak_lr, min_lr, warmup_steps):
    name, _ = least_squares_by_numpy(steps, lrs, peak_lr, min_lr, warmup_steps)
    return name, max(steps)


@wrong(WHICH, "the length without the warmup")
def updates_after_the_warmup(steps, lrs, peak_lr, min_lr, warmup_steps):
    name, total = least_squares_by_numpy(steps, lrs, peak_lr, min_lr, warmup_steps)
    return [name, total - warmup_steps]


@wrong(WHICH, "the name alone")
def no_length(steps, lrs, peak_lr, min_lr, warmup_steps):
    return least_squares_by_numpy(steps, lrs, peak_lr, min_lr, warmup_steps)[0]


@wrong(WHICH)
def no_room_for_rounding(steps, lrs, peak_lr, min_lr, warmup_steps):
    for total in range(steps[-1], 3001):
        for name in ("linear", "cosine", "stable"):
            if all(
                _rate(name, s, total, peak_lr, min_lr, warmup_steps) == lr for s, lr in zip(steps, lrs, strict=True)
            ):
                return name, total


@wrong(WHICH)
def straight_if_it_looks_straight(steps, lrs, peak_lr, min_lr, warmup_steps):
    name, total = least_squares_by_numpy(steps, lrs, peak_lr, min_lr, warmup_steps)
    return ("linear" if lrs[-1] > 0.7 * peak_lr else name), total


@wrong(WHICH)
def pair_turned_round(steps, lrs, peak_lr, min_lr, warmup_steps):
    return least_squares_by_numpy(steps, lrs, peak_lr, min_lr, warmup_steps)[::-1]


# --- scheduler_clock --------------------------------------------------------------------------------------------------

CLOCK = "week6.scheduler_clock"


def _nats(model, batch):
    logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits[:, :-1]
    return F.cross_entropy(logits.flatten(0, 1), batch["labels"][:, 1:].flatten(), reduction="sum")


def _count(batches):
    return sum(int((batch["labels"][:, 1:] != -100).sum()) for batch in batches)


def _gradient(model, batches):
    for p in model.parameters():
        p.grad = None
    for batch in batches:
        (_nats(model, batch) / _count(batches)).backward()


@right(CLOCK)
def counted_with_a_modulus(model, micro_batches, optimizer, scheduler, accumulation_steps, epochs):
    rates = []
    for _ in range(epochs):
        held = []
        for i, batch in enumerate(micro_batches, 1):
            held.append(batch)
            if i % accumulation_steps == 0 or i == len(micro_batches):
                _gradient(model, held)
                rates += [optimizer.param_groups[0]["lr"]]
                optimizer.step()
                scheduler.step()
                held = []
    optimizer.zero_grad()
    return rates


@right(CLOCK)
def gradients_divided_at_the_end(model, micro_batches, optimizer, scheduler, accumulation_steps, epochs):
    """The clock is read from the scheduler; the gradient of the sum is divided before the step."""
    used, tokens, waiting = [], 0, 0

    def update():
        nonlocal tokens, waiting
        for group in optimizer.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.grad.div_(tokens)
        used.append(scheduler.get_last_lr()[0])
        optimizer.step()
        optimizer.zero_grad()
        scheduler.step()
        tokens = waiting = 0

    optimizer.zero_grad()
    for _ in range(epochs):
        for batch in micro_batches:
            _nats(model, batch).backward()
            tokens, waiting = tokens + _count([batch]), waiting + 1
            if waiting == accumulation_steps:
                update()
        if waiting:
            update()
    return used


@right(CLOCK)
def a_slice_for_each_update(model, micro_batches, optimizer, scheduler, accumulation_steps, epochs):
    per_epoch = math.ceil(len(micro_batches) / accumulation_steps)
    rates = []
    for number in range(epochs * per_epoch):
        start = number % per_epoch * accumulation_steps
        batches = micro_batches[start : start + accumulation_steps]
        optimizer.zero_grad()
        loss = sum(_nats(model, batch) for batch in batches) / _count(batches)
        loss.backward()
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step(), scheduler.step()
    return rates


@right(CLOCK)
def chunks_by_an_iterator(model, micro_batches, optimizer, scheduler, accumulation_steps, epochs):
    def chunks():
        for _ in range(epochs):
            source = iter(micro_batches)
            while chunk := tuple(itertools.islice(source, accumulation_steps)):
                yield chunk

    def update(chunk):
        _gradient(model, chunk)
        (rate, *_) = scheduler.get_last_lr()
        optimizer.step()
        scheduler.step()
        return rate

    return [update(chunk) for chunk in chunks()]


@right(CLOCK)
def written_down_by_a_hook(model, micro_batches, optimizer, scheduler, accumulation_steps, epochs):
    log = []
    handle = optimizer.register_step_post_hook(lambda opt, *_: log.append(float(opt.param_groups[0]["lr"])))
    plan = [range(i, min(i + accumulation_steps, len(micro_batches)))
            for i in range(0, len(micro_batches), accumulation_steps)]  # fmt: skip
    for places in plan * epochs:
        _gradient(model, [micro_batches[place] for place in places])
        optimizer.step()
        scheduler.step()
    handle.remove()
    return torch.tensor(log, dtype=torch.float64)


@right(CLOCK)
def by_autograd_grad(model, micro_batches, optimizer, scheduler, accumulation_steps, epochs):
    trained, rates, epoch = [p for p in model.parameters() if p.requires_grad], [], 0
    while epoch < epochs:
        rest = list(micro_batches)
        while rest:
            now, rest = rest[:accumulation_steps], rest[accumulation_steps:]
            total = torch.stack([_nats(model, batch) for batch in now]).sum() / _count(now)
            for p, gradient in zip(trained, torch.autograd.grad(total, trained), strict=True):
                p.grad = gradient
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
        epoch += 1
    return rates


@wrong(CLOCK, "once for each micro-batch")
def a_tick_with_every_backward(model, micro_batches, optimizer, scheduler, accumulation_steps, epochs):
    rates = []
    for _ in range(epochs):
        for start in range(0, len(micro_batches), accumulation_steps):
            batches = micro_batches[start : start + accumulation_steps]
            optimizer.zero_grad()
            for batch in batches:
                (_nats(model, batch) / _count(batches)).backward()
                scheduler.step()
            rates.append(scheduler.get_last_lr()[0])
            optimizer.step()
    return rates


@wrong(CLOCK, "before the optimizer")
def the_scheduler_goes_first(model, micro_batches, optimizer, scheduler, accumulation_steps, epochs):
    rates = []
    for _ in range(epochs):
        for start in range(0, len(micro_batches), accumulation_steps):
            scheduler.step()
            _gradient(model, micro_batches[start : start + accumulation_steps])
            rates.append(scheduler.get_last_lr()[0])
            optimizer.step()
    return rates


@wrong(CLOCK, "leftovers dropped")
def only_where_the_count_is_full(model, micro_batches, optimizer, scheduler, accumulation_steps, epochs):
    rates = []
    for _ in range(epochs):
        for i in range(1, len(micro_batches) + 1):
            if i % accumulation_steps == 0:
                _gradient(model, micro_batches[i - accumulation_steps : i])
                rates.append(optimizer.param_groups[0]["lr"])
                optimizer.step()
                scheduler.step()
    return rates


@wrong(CLOCK, "once for each epoch")
def as_in_an_epoch_wise_recipe(model, micro_batches, optimizer, scheduler, accumulation_steps, epochs):
    rates = []
    for _ in range(epochs):
        for start in range(0, len(micro_batches), accumulation_steps):
            _gradient(model, micro_batches[start : start + accumulation_steps])
            optimizer.step()
            rates.append(optimizer.param_groups[0]["lr"])
        scheduler.step()
    return rates


@wrong(CLOCK, "the rate of the next update")
def read_after_the_tick(model, micro_batches, optimizer, scheduler, accumulation_steps, epochs):
    rates = []
    for _ in range(epochs):
        for start in range(0, len(micro_batches), accumulation_steps):
            _gradient(model, micro_batches[start : start + accumulation_steps])
            optimizer.step()
            scheduler.step()
            rates.append(scheduler.get_last_lr()[0])
    return rates


@wrong(CLOCK, "leftovers wait for the next epoch")
def one_counter_for_the_run(model, micro_batches, optimizer, scheduler, accumulation_steps, epochs):
    rates, held, last = [], [], epochs * len(micro_batches)
    for number, batch in enumerate(itertools.chain(*[micro_batches] * epochs), 1):
        held.append(batch)
        if len(held) == accumulation_steps or number == last:
            _gradient(model, held)
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
            held = []
    return rates


@wrong(CLOCK)
def sums_of_means(model, micro_batches, optimizer, scheduler, accumulation_steps, epochs):
    rates = []
    for _ in range(epochs):
        for start in range(0, len(micro_batches), accumulation_steps):
            optimizer.zero_grad()
            for batch in micro_batches[start : start + accumulation_steps]:
                (_nats(model, batch) / _count([batch])).backward()
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
    return rates


@wrong(CLOCK)
def divided_by_a_full_update(model, micro_batches, optimizer, scheduler, accumulation_steps, epochs):
    """Mean of means, and the leftovers are divided as if the update were full."""
    rates = []
    for _ in range(epochs):
        for start in range(0, len(micro_batches), accumulation_steps):
            optimizer.zero_grad()
            for batch in micro_batches[start : start + accumulation_steps]:
                (_nats(model, batch) / _count([batch]) / accumulation_steps).backward()
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
    return rates


@wrong(CLOCK)
def only_the_rates(model, micro_batches, optimizer, scheduler, accumulation_steps, epochs):
    """Steps without gradients: the clock is right, and nothing is learned."""
    rates = []
    for _ in range(epochs):
        for _ in range(0, len(micro_batches), accumulation_steps):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
    return rates
