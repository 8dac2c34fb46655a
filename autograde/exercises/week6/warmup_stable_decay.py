"""week6.warmup_stable_decay: three phases, the middle one flat."""

import math

from autograde.exercise import Case, Exercise, Misconception
from autograde.exercises.draws import integer
from autograde.exercises.week6.schedules import CLOSE, a_rate, by_transformers, lengths


def _stable_cases(rng):
    peak, (warmup, stable), decay = a_rate(rng), lengths(rng), 4 * integer(rng, 6, 14)
    low = float(f"{peak / integer(rng, 4, 12):.1e}")

    def case(name, step, warmup=warmup, stable=stable, decay=decay, low=low, **options):
        inputs = {"step": step, "peak_lr": peak, "min_lr": low}
        inputs |= {"warmup_steps": warmup, "stable_steps": stable, "decay_steps": decay}
        return Case(name, inputs, **options)

    down = warmup + stable  # the step at which the decay begins
    yield case("the first update", 0)
    yield case("the second update", 1)
    yield case("half way up", warmup // 2)
    yield case("the last update of the warmup", warmup - 1)
    yield case("the end of the warmup", warmup)
    yield case("in the stable phase", warmup + integer(rng, 3, stable - 3))
    yield case("the last update of the stable phase", down - 1)
    yield case("the decay begins", down)
    yield case("one later", down + 1)
    yield case("a quarter of the way down", down + decay // 4)
    yield case("half way down", down + decay // 2)
    yield case("three quarters of the way down", down + 3 * decay // 4)
    yield case("the last update", down + decay - 1)
    yield case("the end of the run", down + decay)
    yield case("one after the end", down + decay + 1)
    yield case("long after the end", down + 2 * decay)
    yield case("no warmup, the first update", 0, warmup=0)
    yield case("no warmup, on the way down", stable + decay // 3, warmup=0)
    yield case("no stable phase", warmup + decay // 3, stable=0)
    yield case("no stable phase, the end of the warmup", warmup, stable=0)
    yield case("no decay, the last update", down - 1, decay=0)
    yield case("no decay, the end of the run", down, decay=0)
    yield case("a warmup alone, then", warmup, stable=0, decay=0)
    yield case("all lengths 0", integer(rng, 0, 3), 0, 0, 0)
    yield case("a decay alone, the first update", 0, 0, 0)
    yield case("from nothing to nothing, on the way up", warmup // 2, low=0.0)
    yield case("from nothing to nothing, on the way down", down + decay // 3, low=0.0)
    yield case("from nothing to nothing, the first update", 0, low=0.0, edge=True)
    yield case("from nothing to nothing, the end", down + decay, low=0.0, edge=True)


def _by_transformers(inputs):
    step, peak_lr, min_lr, warmup_steps, stable_steps, decay_steps = inputs.values()
    settings = {"num_warmup_steps": warmup_steps, "num_stable_steps": stable_steps, "num_decay_steps": decay_steps}
    return by_transformers("get_wsd_schedule", step, peak_lr, min_lr_ratio=min_lr / peak_lr, **settings)


def _phases(
    rise=lambda step, warmup: step / warmup,
    from_low=True,
    starts=lambda warmup, stable: warmup + stable,
    length=lambda warmup, stable, decay: decay,
    progress=lambda done, length, step: done / length,
    down=lambda progress: (1 + math.cos(math.pi * progress)) / 2,
    rate=lambda share, top, low: low + (top - low) * share,
    after=lambda top, low: low,
    rises=lambda step, warmup: step < warmup,
    over=lambda done, length: done >= length,
):
    """The schedule with its choices open; the defaults are right."""

    def warmup_stable_decay(step, peak_lr, min_lr, warmup_steps, stable_steps, decay_steps):
        if rises(step, warmup_steps):
            low = min_lr if from_low else 0.0
            return low + (peak_lr - low) * rise(step, warmup_steps)
        done = step - starts(warmup_steps, stable_steps)
        steps = length(warmup_steps, stable_steps, decay_steps)
        if done < 0:
            return peak_lr
        if over(done, steps):
            return after(peak_lr, min_lr)
        return rate(down(progress(done, steps, step)), peak_lr, min_lr)

    return warmup_stable_decay


WARMUP_STABLE_DECAY = Exercise(
    id="week6.warmup_stable_decay",
    title="Warmup, stable, decay",
    points=2,
    minutes=12,
    why="Its middle part does not know how long the run will be: a run can go on, and be brought down at any time.",
    oracle="transformers: get_wsd_schedule",
    cases=_stable_cases,
    expected=_by_transformers,
    tolerance=CLOSE,
    misconceptions=(
        Misconception(
            "no stable phase",
            _phases(starts=lambda warmup, stable: warmup, length=lambda warmup, stable, decay: stable + decay),
            "Your decay begins right after the warmup and takes the stable phase along. Such code has been called "
            "three phases too: where is the rate constant?",
        ),
        Misconception(
            "the decay begins after the warmup",
            _phases(starts=lambda warmup, stable: warmup),
            "Your decay begins right after the warmup: nothing of yours waits for stable_steps.",
        ),
        Misconception(
            "lengths taken for steps",
            _phases(starts=lambda warmup, stable: max(warmup, stable)),
            "Your stable phase ends at step stable_steps. That is its length: at which step does it begin?",
        ),
        Misconception(
            "warmup from 0",
            _phases(from_low=False),
            "Your warmup starts at 0, as in the schedules before. This one starts at min_lr.",
        ),
        Misconception(
            "warmup one step ahead",
            _phases(rise=lambda step, warmup: (step + 1) / warmup),
            "Your first update has a rate above min_lr, and your warmup is over one step early: it counts from step 1.",
        ),
        Misconception(
            "progress counted from step 0",
            _phases(progress=lambda done, length, step: min(1.0, step / (step - done + length))),
            "When your decay begins, the rate drops at once: the cosine has been running since step 0. How far is the "
            "decay at its first step?",
        ),
        Misconception(
            "rises again after the end",
            _phases(over=lambda done, length: length == 0),
            "After the end your cosine goes on and rises again. How large may its progress become?",
        ),
        Misconception(
            "zero after the end",
            _phases(after=lambda top, low: 0.0),
            "After the end your rate is 0. It keeps what it has reached.",
        ),
        Misconception(
            "the peak after the end",
            _phases(after=lambda top, low: top),
            "After the end your rate is at the peak again. It keeps what it has reached.",
        ),
        Misconception(
            "a straight way down",
            _phases(down=lambda progress: 1 - progress),
            "Your decay is a straight line. That is done, and works; here it is half a cosine.",
        ),
        Misconception(
            "min_lr as a floor",
            _phases(rate=lambda share, top, low: max(low, top * share)),
            "Your cosine aims at 0 and is cut off at min_lr. It should reach min_lr at the very end, and level off.",
        ),
        Misconception(
            "down to 0",
            _phases(rate=lambda share, top, low: top * share),
            "Your cosine goes down to 0 and then jumps to min_lr. Between which two rates does it run?",
        ),
        Misconception(
            "always the peak",
            lambda step, peak_lr, *rest: peak_lr,
            "Your rate is the same at every step. It is so in one of the three phases only.",
        ),
        Misconception(
            "no decay",
            _phases(over=lambda done, length: False, down=lambda progress: 1.0, progress=lambda *_: 0.0),
            "Your rate never falls: what happens after the stable phase?",
        ),
        Misconception(
            "division by a warmup of zero",
            _phases(rises=lambda step, warmup: step <= warmup),
            "With a warmup of no steps your answer divides by zero. Which phase does step 0 belong to then?",
        ),
        Misconception(
            "division by a decay of zero",
            _phases(over=lambda done, length: done > length),
            "With a decay of no steps your answer divides by zero. What holds when the stable phase is over then?",
        ),
        Misconception(
            "min_lr one step early",
            _phases(
                length=lambda warmup, stable, decay: max(1, decay - 1),
                progress=lambda done, length, step: min(1.0, done / length),
            ),
            "Your last update has min_lr already. At which step is it to be reached?",
        ),
    ),
)
