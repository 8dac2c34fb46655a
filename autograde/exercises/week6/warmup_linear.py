"""week6.warmup_linear: up in a straight line, down in a straight line."""

from autograde.exercise import Case, Exercise, Misconception
from autograde.exercises.draws import integer
from autograde.exercises.week6.schedules import CLOSE, a_rate, by_transformers, lengths


def _linear_cases(rng):
    peak, (warmup, later) = a_rate(rng), lengths(rng)

    def case(name, step, warmup=warmup, total=warmup + later, **options):
        inputs = {"step": step, "peak_lr": peak, "warmup_steps": warmup, "total_steps": total}
        return Case(name, inputs, **options)

    yield case("half way up", warmup // 2)
    yield case("the second update", 1)
    yield case("the last update of the warmup", warmup - 1)
    yield case("the end of the warmup", warmup)
    yield case("one later", warmup + 1)
    yield case("on the way down", warmup + integer(rng, 4, later // 3))
    yield case("half way down", warmup + later // 2)
    yield case("the last update", warmup + later - 1)
    yield case("no warmup, the first update", 0, warmup=0)
    yield case("no warmup, later", integer(rng, 5, 30), warmup=0)
    yield case("a warmup of one update, the next", 1, warmup=1)
    yield case("nearly all is warmup", warmup - 1, total=warmup + 1)
    peak, (warmup, later) = 3e-4, (100, 9_900)
    yield case("a long run", integer(rng, 2_000, 9_000), warmup, warmup + later)
    yield case("a long run, going up", integer(rng, 10, 90), warmup, warmup + later)
    warmup, later = lengths(rng)
    yield case("the first update", 0, warmup, warmup + later, edge=True)
    yield case("the end of the run", warmup + later, warmup, warmup + later, edge=True)
    yield case("long after the end", 3 * (warmup + later), warmup, warmup + later, edge=True)
    yield case("after the end of a run without warmup", later + integer(rng, 1, 9), 0, later, edge=True)


def _by_transformers(inputs):
    step, peak_lr, warmup_steps, total_steps = inputs.values()
    settings = {"num_warmup_steps": warmup_steps, "num_training_steps": total_steps}
    return by_transformers("get_linear_schedule_with_warmup", step, peak_lr, **settings)


def _linear(
    rise=lambda step, warmup: step / warmup,
    fall=lambda step, warmup, total: max(0, total - step) / (total - warmup),
    rises=lambda step, warmup: step < warmup,
):
    """The schedule with its choices open, as shares of the peak; the defaults are right."""

    def warmup_linear(step, peak_lr, warmup_steps, total_steps):
        if rises(step, warmup_steps):
            return peak_lr * rise(step, warmup_steps)
        return peak_lr * fall(step, warmup_steps, total_steps)

    return warmup_linear


def _smaller_of_two_lines(step, peak_lr, warmup_steps, total_steps):
    return peak_lr * max(0, min(step / warmup_steps, (total_steps - step) / (total_steps - warmup_steps)))


def _no_decay_without_warmup(step, peak_lr, warmup_steps, total_steps):
    return _linear()(step, peak_lr, warmup_steps, total_steps) if warmup_steps else peak_lr


WARMUP_LINEAR = Exercise(
    id="week6.warmup_linear",
    title="Up and down in straight lines",
    points=2,
    minutes=8,
    why="The default of transformers' Trainer. Homemade ones differ by a step, at the first update or at the last.",
    oracle="transformers: get_linear_schedule_with_warmup",
    cases=_linear_cases,
    expected=_by_transformers,
    tolerance=CLOSE,
    misconceptions=(
        *(
            Misconception(
                "division by a warmup of zero",
                answer,
                "With a warmup of no steps your answer divides by zero. Which of the two lines applies to step 0 then?",
            )
            for answer in (_smaller_of_two_lines, _linear(rises=lambda step, warmup: step <= warmup))
        ),
        Misconception(
            "warmup one step ahead",
            _linear(rise=lambda step, warmup: (step + 1) / warmup),
            "Your first update has a rate above 0, and your warmup is over one step early: it counts from step 1.",
        ),
        Misconception(
            "warmup one step behind",
            _linear(
                rise=lambda step, warmup: step / (warmup + 1),
                fall=lambda step, warmup, total: max(0, total - step) / (total - warmup),
            ),
            "Your warmup rises by less than it should with each step. How many steps lie between 0 and the peak?",
        ),
        Misconception(
            "the decay is counted from step 0",
            _linear(fall=lambda step, warmup, total: max(0, 1 - step / total)),
            "At the end of the warmup your rate drops at once: the way down begins at the peak, so what has to be 0 "
            "there?",
        ),
        Misconception(
            "the decay is as long as the whole run",
            _linear(fall=lambda step, warmup, total: max(0, 1 - (step - warmup) / total)),
            "Your way down takes total_steps, but the warmup has used up some of them. At the end of the run your rate "
            "is above 0.",
        ),
        Misconception(
            "negative after the end",
            _linear(fall=lambda step, warmup, total: (total - step) / (total - warmup)),
            "After the end your line goes on, below 0: such an update would climb.",
        ),
        Misconception(
            "zero one step early",
            _linear(fall=lambda step, warmup, total: max(0, total - 1 - step) / max(1, total - 1 - warmup)),
            "Your last update has a rate of 0 and is wasted. At which step is the rate to be 0?",
        ),
        Misconception(
            "always the peak",
            lambda step, peak_lr, warmup_steps, total_steps: peak_lr,
            "Your rate is the same at every step, as with the schedule that libraries call `constant`, which ignores "
            "any warmup.",
        ),
        Misconception(
            "no decay",
            _linear(fall=lambda step, warmup, total: 1.0),
            "Your rate stays at the peak when the warmup is over. What is total_steps for?",
        ),
        Misconception(
            "no warmup",
            _linear(rises=lambda step, warmup: False, fall=lambda step, warmup, total: max(0, 1 - step / total)),
            "Your rate falls from the very first update on. What happens before warmup_steps?",
        ),
        Misconception(
            "whole numbers only",
            _linear(rise=lambda step, warmup: step // warmup),
            "During the warmup your rate is 0: which kind of division gives a whole number?",
        ),
        Misconception(
            "the factor alone",
            lambda step, peak_lr, warmup_steps, total_steps: _linear()(step, 1.0, warmup_steps, total_steps),
            "You return a share between 0 and 1, which is what LambdaLR asks for. Here the rate itself is wanted.",
        ),
        Misconception(
            "no decay without a warmup",
            _no_decay_without_warmup,
            "You treat a warmup of no steps as a case of its own, and there your rate never falls.",
        ),
    ),
)
