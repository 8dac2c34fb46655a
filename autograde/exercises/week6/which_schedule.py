"""week6.which_schedule: what wrote this log?"""

import math

import torch

from autograde.exercise import Case, Exercise, Misconception, Tolerance
from autograde.exercises.draws import integer

LONGEST = 3000
NAMES = ("linear", "cosine", "stable")
ROUNDED, DECIMALS = 1e-6, 6  # a log's last digit
SEED_STEPS, SEED_LRS = [1, 11, 21, 231, 241, 251], [1e-4, 1e-3, 1e-3, 0.000919, 0.000911, 0.000904]


def rates(name, steps, totals, peak_lr, min_lr, warmup_steps):
    """The rates that schedule `name` has at `steps`, for each run length in `totals`: (steps, totals), float64."""
    step = torch.tensor(steps, dtype=torch.float64)[:, None]
    total = torch.tensor(totals, dtype=torch.float64)
    begins = {"linear": warmup_steps, "cosine": warmup_steps, "stable": 0.8 * total}[name]
    low = 0.0 if name == "linear" else min_lr
    progress = ((step - begins) / (total - begins)).clamp(0.0, 1.0)
    left = 1 - progress if name == "linear" else (1 + torch.cos(math.pi * progress)) / 2
    return torch.where(step < warmup_steps, peak_lr * step / warmup_steps, low + (peak_lr - low) * left)


def _misses(name, totals, steps, lrs, *rest):
    """How far each length of `totals` lies from the log at its worst line: float64 (totals)."""
    off = rates(name, steps, totals, *rest) - torch.tensor(lrs, dtype=torch.float64)[:, None]
    return off.abs().amax(0)


def _which_cases(rng):
    def case(name, schedule, total, upto, lines=9, low_share=0.1, every=0, early=3):
        """A log up to the step `upto`, a share of the run, redrawn until no other schedule comes near it."""
        while True:
            warmup, peak = 5 * integer(rng, 2, 8), integer(rng, 2, 9) * 1e-3
            run = integer(rng, *total)
            low, end = round(peak * low_share, DECIMALS), round(run * upto)
            if every:
                steps = list(range(1, end + 1, every))
            else:
                steps = [integer(rng, 1, warmup) for _ in range(early)]
                steps += [integer(rng, warmup + 1, end) for _ in range(lines - early)] + [end]
                steps = sorted(set(steps))
            lrs = [round(x, DECIMALS) for x in rates(schedule, steps, [run], peak, low, warmup).flatten().tolist()]
            inputs = {"steps": steps, "lrs": lrs, "peak_lr": peak, "min_lr": low, "warmup_steps": warmup}
            totals = range(steps[-1], LONGEST + 1)
            others = [_misses(other, totals, *inputs.values()) for other in NAMES if other != schedule]
            if min(miss.min() for miss in others) > 20 * ROUNDED:
                return Case(name, inputs)

    seed = {"steps": SEED_STEPS, "lrs": SEED_LRS, "peak_lr": 1e-3, "min_lr": 1e-4, "warmup_steps": 10}
    yield Case("a log that is said to decay from 80 % on", seed, edge=True)
    yield case("a straight line, the log stops half way", "linear", (700, 1800), 0.5)
    yield case("a straight line, its first third", "linear", (400, 900), 0.35)
    yield case("a straight line to its end", "linear", (300, 900), 1.0, early=0)
    yield case("a cosine, the log stops half way", "cosine", (700, 1800), 0.5)
    yield case("a cosine, its first third", "cosine", (700, 2800), 0.33, low_share=0.05)
    yield case("a cosine nearly to its end", "cosine", (300, 900), 0.95, low_share=0.2)
    yield case("a cosine down to nothing", "cosine", (400, 900), 0.7, low_share=0.0, early=1)
    yield case("stable, the log stops as it comes down", "stable", (700, 1800), 0.92)
    yield case("stable, nearly to its end", "stable", (300, 900), 0.97, low_share=0.2, early=0)
    yield case("stable, down to nothing", "stable", (400, 900), 0.95, low_share=0.0)
    yield case("a line every 50 updates, straight", "linear", (500, 900), 0.6, every=50)
    yield case("a line every 50 updates, a cosine", "cosine", (500, 900), 0.6, every=50)
    yield case("a line every 50 updates, stable", "stable", (500, 900), 0.97, every=50)


def _observed(inputs, seen):
    """total_steps as a float, so that two lengths which differ by a step or two count as the same mistake."""
    if isinstance(seen, list) and len(seen) == 2:
        total = seen[1].item() if isinstance(seen[1], torch.Tensor) and seen[1].numel() == 1 else seen[1]
        if isinstance(total, int | float) and not isinstance(total, bool):
            return [seen[0], float(total)]
    return seen


def _accepts(inputs, got):
    if not isinstance(got, list) or len(got) != 2:
        if got is None:
            return "returned None: is a `return` missing, or did nothing fit? The log is rounded."
        return "expected a pair, the name of a schedule and total_steps"
    name, total = got
    if not isinstance(name, str) or name not in NAMES:
        return f"the first of the two is one of {', '.join(NAMES)}"
    if not isinstance(total, float) or not total.is_integer():
        return "the second of the two, total_steps, is a whole number"
    if not inputs["steps"][-1] <= total <= LONGEST:
        return f"total_steps lies between the last step of the log, {inputs['steps'][-1]}, and {LONGEST}"
    steps, lrs, *rest = inputs.values()
    if float(_misses(name, range(steps[-1], LONGEST + 1), *inputs.values()).min()) > 1.001 * ROUNDED:
        return f"no length makes {name!r} fit every line of this log"
    written = rates(name, steps, [total], *rest).flatten()
    off = (written - torch.tensor(lrs, dtype=torch.float64)).abs()
    worst = int(off.argmax())
    if float(off[worst]) <= 1.001 * ROUNDED:
        return None
    return (
        f"{name!r} is right; with total_steps = {total:g} it would have {written[worst]:.6f} at step {steps[worst]}, "
        f"where the log says {lrs[worst]:.6f}"
    )


def _find(
    names=NAMES, lines=lambda steps: range(len(steps)), warmup=lambda warmup: warmup, low=lambda low: low, stop=LONGEST
):
    """The name and length whose worst line among `lines` is nearest to the log."""

    def which_schedule(steps, lrs, peak_lr, min_lr, warmup_steps):
        kept = list(lines(steps))
        some, of_them = [steps[i] for i in kept], [lrs[i] for i in kept]
        totals, rest = range(steps[-1], stop + 1), (peak_lr, low(min_lr), warmup(warmup_steps))
        misses = {name: _misses(name, totals, some, of_them, *rest) for name in names}
        name = min(misses, key=lambda n: float(misses[n].min()))
        return name, totals[int(misses[name].argmin())]

    return which_schedule


_right = _find()


def _decay_begins_at_80_percent(steps, lrs, peak_lr, min_lr, warmup_steps):
    first = next(s for s, lr in zip(steps, lrs, strict=True) if s > warmup_steps and lr < peak_lr)
    return "stable", max(steps[-1], round(first / 0.8))


def _last_step(steps, lrs, *rest):
    return _right(steps, lrs, *rest)[0], steps[-1]


def _length_of_the_decay(steps, lrs, peak_lr, min_lr, warmup_steps):
    name, total = _right(steps, lrs, peak_lr, min_lr, warmup_steps)
    return name, total - warmup_steps


def _begin_of_the_decay(steps, lrs, peak_lr, min_lr, warmup_steps):
    name, total = _right(steps, lrs, peak_lr, min_lr, warmup_steps)
    return name, round(0.8 * total) if name == "stable" else warmup_steps


def _straight_to_min_lr(steps, lrs, peak_lr, min_lr, warmup_steps):
    """The line through the last entry, prolonged to min_lr instead of 0."""
    name, total = _right(steps, lrs, peak_lr, min_lr, warmup_steps)
    if name == "linear" and lrs[-1] < peak_lr:
        total = round(warmup_steps + (steps[-1] - warmup_steps) * (peak_lr - min_lr) / (peak_lr - lrs[-1]))
    return name, total


WHICH_SCHEDULE = Exercise(
    id="week6.which_schedule",
    title="Which schedule wrote this log?",
    points=4,
    minutes=25,
    why="A log with few digits looks flat where it is not. Fitting it tells what was run, and for how long.",
    oracle="the three schedules at every length from the log's last step to 3000",
    cases=_which_cases,
    observe=_observed,
    accepts=_accepts,
    tolerance=Tolerance(rtol=0.0, atol=5.0),  # between a wrong length and that of a known mistake
    misconceptions=(
        Misconception(
            "decay begins at 80 %",
            _decay_begins_at_80_percent,
            "You take the first line below the peak for the beginning of a decay at 80 % of the run. With six decimals "
            "a cosine looks flat at first: does your schedule fit the lines that follow?",
        ),
        Misconception(
            "always a cosine",
            _find(names=("cosine",)),
            "You fit a cosine to every log. How far does the best of them lie from the lines of this one?",
        ),
        Misconception(
            "always a straight line",
            _find(names=("linear",)),
            "You fit a straight line to every log. How far does the best of them lie from the lines of this one?",
        ),
        Misconception(
            "the log ends with the run",
            _last_step,
            "You take the last line of the log for the end of the run. Has the rate reached its lowest there?",
        ),
        Misconception(
            "the last line alone",
            _find(lines=lambda steps: [len(steps) - 1]),
            "Your schedule fits the last line of the log. With one line nearly every schedule can be made to fit: what "
            "about the others?",
        ),
        Misconception(
            "the length without the warmup",
            _length_of_the_decay,
            "The name is right, and you return how long the way down is. The run begins with a warmup.",
        ),
        Misconception(
            "the beginning of the decay",
            _begin_of_the_decay,
            "The name is right, and you return the step at which the way down begins. When is the run over?",
        ),
        Misconception(
            "the warmup forgotten",
            _find(warmup=lambda warmup: 1e-9, lines=lambda steps: range(3, len(steps))),
            "Your schedules start their way down at step 0. Where does it begin in this log?",
        ),
        Misconception(
            "the line ends at min_lr",
            _straight_to_min_lr,
            "Your straight line ends at min_lr. Down to which rate does 'linear' go here?",
        ),
        Misconception(
            "lengths up to 1000 only",
            _find(stop=1000),
            "You do not try all lengths: the run may have up to 3000 updates.",
        ),
        Misconception(
            "min_lr taken for 0",
            _find(low=lambda low: 0.0),
            "You let every schedule go down to 0. Two of them stop at min_lr, and that changes their slope.",
        ),
        Misconception(
            "the name alone",
            lambda *inputs: _right(*inputs)[0],
            "You return the name alone. The length of the run is asked for as well.",
        ),
    ),
)
