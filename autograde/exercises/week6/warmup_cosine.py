"""week6.warmup_cosine: up in a straight line, down along half a cosine."""

import math

from autograde.exercise import Case, Exercise, Misconception
from autograde.exercises.draws import integer
from autograde.exercises.week6.schedules import CLOSE, a_rate, by_transformers, lengths


def _cosine_cases(rng):
    peak, (warmup, later) = a_rate(rng), lengths(rng)
    low = float(f"{peak / integer(rng, 4, 12):.1e}")

    def case(name, step, warmup=warmup, total=warmup + later, low=low, **options):
        inputs = {"step": step, "max_lr": peak, "min_lr": low, "warmup_steps": warmup, "total_steps": total}
        return Case(name, inputs, **options)

    yield case("half way up", warmup // 2)
    yield case("the second update", 1)
    yield case("the last update of the warmup", warmup - 1)
    yield case("the end of the warmup", warmup)
    yield case("one later", warmup + 1)
    yield case("a quarter of the way down", warmup + later // 4)
    yield case("half way down", warmup + later // 2)
    yield case("three quarters of the way down", warmup + 3 * later // 4)
    yield case("the last update", warmup + later - 1)
    yield case("the end of the run", warmup + later)
    yield case("one after the end", warmup + later + 1)
    yield case("long after the end", warmup + 2 * later)
    yield case("no warmup, the first update", 0, warmup=0)
    yield case("no warmup, later", integer(rng, 5, 30), warmup=0)
    yield case("a warmup of one update, then", 2, warmup=1)
    yield case("nearly all is warmup", warmup - 2, total=warmup + 1)
    yield case("down to nothing", warmup + later // 3, low=0.0)
    yield case("min_lr at max_lr", warmup + later // 3, low=peak)
    peak = 1e-3
    yield case("a long run", integer(rng, 200, 900), 10, 1146, 1e-4)
    yield case("the first update", 0, *lengths(rng), edge=True)
    yield case("the end of a run down to nothing", warmup + later, low=0.0, edge=True)
    yield case("after the end of a run down to nothing", warmup + later + integer(rng, 3, 9), low=0.0, edge=True)


def _by_transformers(inputs):
    """The library's, held at its value at total_steps: it would rise again."""
    step, max_lr, min_lr, warmup_steps, total_steps = inputs.values()
    settings = {"num_warmup_steps": warmup_steps, "num_training_steps": total_steps, "min_lr": min_lr}
    step = min(step, total_steps)
    return by_transformers("get_cosine_with_min_lr_schedule_with_warmup", step, max_lr, **settings)


def _down(progress):
    return (1 + math.cos(math.pi * progress)) / 2


def _cosine(
    rise=lambda step, warmup: step / warmup,
    progress=lambda step, warmup, total: min(1.0, (step - warmup) / (total - warmup)),
    rate=lambda share, top, low: low + (top - low) * share,
    down=_down,
    rises=lambda step, warmup: step < warmup,
    rising=lambda share, top, low: top * share,
):
    """The schedule with its choices open; the defaults are right."""

    def warmup_cosine(step, max_lr, min_lr, warmup_steps, total_steps):
        if rises(step, warmup_steps):
            return rising(rise(step, warmup_steps), max_lr, min_lr)
        return rate(down(progress(step, warmup_steps, total_steps)), max_lr, min_lr)

    return warmup_cosine


def _recursive(step, max_lr, min_lr, warmup_steps, total_steps, pi=math.pi):
    """Each rate from the one before."""
    if step < warmup_steps:
        return max_lr * step / warmup_steps
    rate = max_lr
    for now in range(warmup_steps + 1, min(step, total_steps) + 1):
        progress = (now - warmup_steps) / (total_steps - warmup_steps)
        rate = min_lr + (rate - min_lr) * (1 + math.cos(pi * progress)) / 2
    return rate


def _recursive_without_pi(step, max_lr, min_lr, warmup_steps, total_steps):
    return _recursive(step, max_lr, min_lr, warmup_steps, total_steps, pi=1.0)


WARMUP_COSINE = Exercise(
    id="week6.warmup_cosine",
    title="Down along a cosine",
    points=2,
    minutes=10,
    why="Many large models are trained on it. Homemade ones jump after the warmup, or rise again at the end.",
    oracle="transformers: get_cosine_with_min_lr_schedule_with_warmup, up to the end of the run",
    cases=_cosine_cases,
    expected=_by_transformers,
    tolerance=CLOSE,
    misconceptions=(
        *(
            Misconception(
                "each rate from the one before",
                answer,
                "You multiply the rate before by a factor, step after step, and it reaches its lowest far too soon. A "
                "schedule needs the step alone: how far is the run?",
            )
            for answer in (_recursive, _recursive_without_pi)
        ),
        Misconception(
            "rises again after the end",
            _cosine(progress=lambda step, warmup, total: (step - warmup) / (total - warmup)),
            "After the end your cosine goes on and rises again. How large may its progress become?",
        ),
        Misconception(
            "progress counted from step 0",
            _cosine(progress=lambda step, warmup, total: min(1.0, step / total)),
            "At the end of the warmup your rate drops at once: the cosine has been running all the while. Where does "
            "it begin?",
        ),
        Misconception(
            "the cosine is as long as the whole run",
            _cosine(progress=lambda step, warmup, total: min(1.0, (step - warmup) / total)),
            "Your cosine takes total_steps, but the warmup has used up some of them. At the end of the run the rate is "
            "still above min_lr.",
        ),
        Misconception(
            "without pi",
            _cosine(down=lambda progress: (1 + math.cos(progress)) / 2),
            "Your cosine is asked for an angle from 0 to 1 and goes down a little only. Which angle belongs to its "
            "bottom?",
        ),
        Misconception(
            "a whole period",
            _cosine(down=lambda progress: _down(2 * progress)),
            "Half way through the run your rate is at its lowest, and at the end it is at its highest again.",
        ),
        Misconception(
            "a quarter of a period",
            _cosine(down=lambda progress: math.cos(math.pi / 2 * progress)),
            "Your cosine stops where it is steepest. At the end of the run the rate should be levelling off.",
        ),
        Misconception(
            "a straight line",
            _cosine(down=lambda progress: 1 - progress),
            "Your rate goes down in a straight line: right at its ends and in the middle, and nowhere else.",
        ),
        Misconception(
            "min_lr added on top",
            _cosine(rate=lambda share, top, low: low + top * share),
            "Your peak is higher than max_lr, by just min_lr. Which distance does the cosine have to cover?",
        ),
        Misconception(
            "min_lr as a floor",
            _cosine(rate=lambda share, top, low: max(low, top * share)),
            "Your cosine aims at 0 and is cut off at min_lr. It should reach min_lr at the very end, and level off.",
        ),
        Misconception(
            "min_lr not used",
            _cosine(rate=lambda share, top, low: top * share),
            "Your rate goes down to 0. What is min_lr for?",
        ),
        Misconception(
            "warmup from min_lr",
            _cosine(rising=lambda share, top, low: low + (top - low) * share),
            "Your warmup starts at min_lr. Some schedules do; this one starts at 0.",
        ),
        Misconception(
            "warmup one step ahead",
            _cosine(rise=lambda step, warmup: (step + 1) / warmup),
            "Your first update has a rate above 0, and your warmup is over one step early: it counts from step 1.",
        ),
        Misconception(
            "min_lr one step early",
            _cosine(progress=lambda step, warmup, total: min(1.0, (step - warmup) / max(1, total - 1 - warmup))),
            "Your last update has min_lr already. At which step is it to be reached?",
        ),
        Misconception(
            "division by a warmup of zero",
            _cosine(rises=lambda step, warmup: step <= warmup),
            "With a warmup of no steps your answer divides by zero. Which phase does step 0 belong to then?",
        ),
        Misconception(
            "always the peak",
            lambda step, max_lr, *rest: max_lr,
            "Your rate is the same at every step, as with the schedule that libraries call `constant`, which ignores "
            "any warmup.",
        ),
        Misconception(
            "no warmup",
            _cosine(rises=lambda step, warmup: False, progress=lambda step, warmup, total: min(1.0, step / total)),
            "Your rate falls from the very first update on. What happens before warmup_steps?",
        ),
        Misconception(
            "zero after the end",
            lambda step, *rest: 0.0 if step > rest[-1] else _cosine()(step, *rest),
            "After the end your rate is 0. It keeps what it has reached.",
        ),
    ),
)
