"""Lab reports whose worth is known, for `autograde audit`."""

from autograde.audit import right, wrong

REPORT = {
    "learner": "the course",
    "A": {"warmup": 0, "momentum": 0.9, "lr": 1.0},
    "B": {"warmup": 50, "momentum": 0.9, "lr": 1.0},
    "losses A": [2.3358, None, None, 2.4665, None, 2.5579, None, 2.3862],
    "losses B": [2.3569, 2.3863, 2.3549, 2.3525, 2.3601, 2.3848, 2.3722, 2.3572],
    "prediction": "A",
    "verdict": "B",
}
CONFOUNDED = {
    "learner": "the course",
    "A": {"warmup": 0, "momentum": 0.9, "lr": 1.0},
    "B": {"warmup": 50, "momentum": 0.0, "lr": 1.0},
    "losses A": [2.3358, None, None, 2.4665, None, 2.5579, None, 2.3862],
    "losses B": [2.4306, 2.5849, 2.587, 2.5108, 2.5712, 2.5048, 2.5141, 2.4516],
    "prediction": "A",
    "verdict": "B",
}


@right("week5.warmup_and_momentum")
def as_it_was_printed():
    return dict(REPORT)


@right("week5.warmup_and_momentum")
def more_than_was_asked_for():
    return {**REPORT, "note": "run on a quiet evening", "margin": 0.03}


@right("week5.warmup_and_momentum")
def wrongly_predicted():
    return REPORT | {"prediction": next(word for word in ("A", "B") if word != REPORT["verdict"])}


@right("week5.warmup_and_momentum")
def put_together_key_by_key():
    report = {}
    for key in sorted(REPORT, reverse=True):
        report[key] = REPORT[key]
    return report


@right("week5.warmup_and_momentum")
def losses_as_tuples_of_numpy_numbers():
    import numpy as np

    names = ("losses A", "losses B")
    return {**REPORT, **{name: tuple(x if x is None else np.float64(x) for x in REPORT[name]) for name in names}}


@right("week5.warmup_and_momentum")
def by_a_class():
    class Report:
        def __init__(self, entries):
            self.entries = entries

        def as_dict(self):
            return self.entries.copy()

    return Report(REPORT).as_dict()


@wrong("week5.warmup_and_momentum")
def losses_in_bits():
    bits = {name: [x if x is None else x / 0.6931 for x in REPORT[name]] for name in ("losses A", "losses B")}
    return REPORT | bits


@wrong("week5.warmup_and_momentum")
def under_another_name():
    return {**REPORT, "learner": "somebody else"} | {"losses A": [1.0] * 8, "losses B": [1.5] * 8, "verdict": "A"}


@wrong("week5.warmup_and_momentum")
def settings_that_the_experiment_does_not_have():
    return {**REPORT, "A": {**REPORT["A"], "lr": 123.0}}


@wrong("week5.warmup_and_momentum", "two factors varied")
def two_things_at_once_with_a_prediction_that_was_right():
    return {**CONFOUNDED, "prediction": CONFOUNDED["verdict"]}


@wrong("week5.warmup_and_momentum", "a verdict against the losses")
def no_verdict_at_all():
    return {key: value for key, value in REPORT.items() if key != "verdict"}


@wrong("week5.warmup_and_momentum", "no prediction")
def a_prediction_in_other_words():
    return REPORT | {"prediction": "I think that A wins"}


@wrong("week5.warmup_and_momentum", "too few runs")
def the_best_run_of_each():
    best = {name: [min(x for x in REPORT[name] if x is not None)] for name in ("losses A", "losses B")}
    return REPORT | best
