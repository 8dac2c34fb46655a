"""week6.one_cycle: up to a high peak and down to next to nothing."""

import math

import torch
from torch.optim.lr_scheduler import OneCycleLR

from autograde.exercise import Case, Exercise, Misconception, Tolerance
from autograde.exercises.draws import integer, uniform
from autograde.exercises.week6.schedules import a_rate


def _cycle_cases(rng):
    peak = a_rate(rng)

    def case(name, step, total, *settings, **options):
        names = ("pct_start", "div_factor", "final_div_factor")
        inputs = {"step": step, "max_lr": peak, "total_steps": total}
        inputs |= dict(zip(names, settings, strict=False))
        return Case(name, inputs, tolerance=Tolerance(rtol=1e-5, atol=2e-7 * peak), **options)  # its end is next to 0

    total = 10 * integer(rng, 5, 9)  # the peak at a whole step
    top = 3 * total // 10 - 1
    yield case("the first update", 0, total)
    yield case("the second update", 1, total)
    yield case("a third of the way up", top // 3, total)
    yield case("one before the peak", top - 1, total)
    yield case("the peak", top, total)
    yield case("one after the peak", top + 1, total)
    yield case("on the way down", top + (total - top) // 3, total)
    yield case("far on the way down", top + 2 * (total - top) // 3, total)
    yield case("one before the last", total - 2, total)
    yield case("the last update", total - 1, total)
    early, odd = uniform(rng, 0.11, 0.17), 2 * integer(rng, 30, 50) + 1
    yield case("an early peak, between two steps", math.floor(early * odd - 1), odd, early)
    yield case("an early peak, the step after it", math.floor(early * odd - 1) + 1, odd, early)
    late = uniform(rng, 0.71, 0.79)
    yield case("a late peak, on the way up", odd // 3, odd, late)
    yield case("a late peak, on the way down", odd - 5, odd, late)
    yield case("another start", 0, total, 0.3, uniform(rng, 5, 15))
    yield case("another start, on the way up", top // 2, total, 0.3, uniform(rng, 5, 15))
    yield case("another end", total - 1, total, 0.4, 10.0, uniform(rng, 2, 30))
    yield case("another end, on the way down", total - 6, total, 0.4, 10.0, uniform(rng, 2, 30))
    yield case("a short run, the first update", 0, 5)
    yield case("a short run, its third", 2, 5)
    peak = 0.01
    yield case("the largest peak there is here, the end", 999, 1000, 0.3, 25, uniform(rng, 20, 90))


def _by_torch(inputs):
    step, max_lr, *settings = inputs.values()
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    names = ("total_steps", "pct_start", "div_factor", "final_div_factor")
    settings = dict(zip(names, settings, strict=False))
    schedule = OneCycleLR(optimizer, max_lr, cycle_momentum=False, **settings)
    for _ in range(step):
        optimizer.step()
        schedule.step()
    return schedule.get_last_lr()[0]


def _half(progress):
    return (1 + math.cos(math.pi * progress)) / 2


def _cycle(
    top=lambda share, total: share * total - 1,
    last=lambda total: total - 1,
    down=_half,
    start=lambda peak, div: peak / div,
    end=lambda peak, start, final: start / final,
):
    """The schedule with its choices open; the defaults are right."""

    def one_cycle(step, max_lr, total_steps, pct_start=0.3, div_factor=25, final_div_factor=1e4):
        low = start(max_lr, div_factor)
        lowest, peak = end(max_lr, low, final_div_factor), top(pct_start, total_steps)
        if step <= peak:
            return max_lr + (low - max_lr) * down(step / peak)
        return lowest + (max_lr - lowest) * down((step - peak) / (last(total_steps) - peak))

    return one_cycle


def _three_phases(step, max_lr, total_steps, pct_start=0.3, div_factor=25, final_div_factor=1e4):
    low, up = max_lr / div_factor, pct_start * total_steps - 1
    if step <= up:
        return max_lr + (low - max_lr) * _half(step / up)
    if step <= 2 * up:
        return low + (max_lr - low) * _half((step - up) / up)
    lowest, left = low / final_div_factor, total_steps - 1 - 2 * up
    return lowest + (low - lowest) * _half((step - 2 * up) / left)


def _defaults_alone(step, max_lr, total_steps, *settings):
    return _cycle()(step, max_lr, total_steps)


ONE_CYCLE = Exercise(
    id="week6.one_cycle",
    title="One cycle",
    points=2,
    minutes=15,
    why="It made short runs at very high rates famous, and its peak does not lie where one would look for it.",
    oracle="torch.optim.lr_scheduler.OneCycleLR",
    cases=_cycle_cases,
    expected=_by_torch,
    misconceptions=(
        Misconception(
            "the peak one step late",
            _cycle(top=lambda share, total: share * total),
            "Your peak lies one step late. Steps are counted from 0: which number has the last step of the first "
            "phase?",
        ),
        Misconception(
            "the end one step late",
            _cycle(last=lambda total: total),
            "Your last update is not quite at the end of the way down. Which number does the last step have?",
        ),
        Misconception(
            "peak and end one step late",
            _cycle(top=lambda share, total: share * total, last=lambda total: total),
            "Your peak and your end lie one step late, as if the first step had the number 1.",
        ),
        Misconception(
            "the peak at the share of the last step",
            _cycle(top=lambda share, total: share * (total - 1)),
            "Your peak lies a fraction of a step late: the share is taken of total_steps, and then one step is taken "
            "off.",
        ),
        *(
            Misconception(
                "the peak rounded to a step",
                _cycle(top=rounded),
                "Your peak always lies on a step. Here it may lie between two of them, and no update reaches it.",
            )
            for rounded in (
                lambda share, total: math.floor(share * total + 1e-9) - 1,
                lambda share, total: math.ceil(share * total - 1e-9) - 1,
            )
        ),
        Misconception(
            "phases swapped",
            _cycle(top=lambda share, total: (1 - share) * total - 1),
            "Your way up takes as long as the way down should. Which of the two is pct_start the share of?",
        ),
        Misconception(
            "the peak in the middle",
            _cycle(top=lambda share, total: 0.5 * total - 1),
            "Your peak lies in the middle of the run, whatever pct_start says.",
        ),
        Misconception(
            "straight lines",
            _cycle(down=lambda progress: 1 - progress),
            "Your rate moves in straight lines. The first paper on it did so; here both ways are half a cosine.",
        ),
        Misconception(
            "the end is measured from the peak",
            _cycle(end=lambda peak, start, final: peak / final),
            "Your last rate is that share of the peak. Which rate does final_div_factor divide?",
        ),
        Misconception(
            "the end is where the start was",
            _cycle(end=lambda peak, start, final: start),
            "Your run ends at the rate that it began with. It goes down further, by final_div_factor.",
        ),
        Misconception(
            "from 0",
            _cycle(start=lambda peak, div: 0.0, end=lambda peak, start, final: 0.0),
            "Your run starts and ends at 0. Both ends are shares of the peak: which?",
        ),
        Misconception(
            "the start is the end",
            _cycle(start=lambda peak, div: peak, end=lambda peak, start, final: start / final),
            "Your run starts at the peak. What does div_factor divide?",
        ),
        Misconception(
            "three phases",
            _three_phases,
            "You go down to the starting rate first and then further: that is the variant of three phases. Here one "
            "way leads from the peak to the end.",
        ),
        Misconception(
            "the settings not used",
            _defaults_alone,
            "Your share and your factors are always the usual ones. The caller may choose others.",
        ),
    ),
)
