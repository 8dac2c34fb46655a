"""Lab reports whose worth is known, for `autograde audit`."""

from autograde.audit import right, wrong

REPORT = {
    "learner": "the course",
    "A": {"max_norm": None, "optimizer": "momentum", "lr": 1.0},
    "B": {"max_norm": 1.0, "optimizer": "momentum", "lr": 1.0},
    "losses A": [None, None, 3.7424, 5.5568, None, None, None, None],
    "losses B": [2.4483, 2.4102, 2.4753, 2.5052, 2.4197, 2.4541, 2.9488, 2.5029],
    "prediction": "same",
    "verdict": "B",
}
CONFOUNDED = {
    "learner": "the course",
    "A": {"max_norm": None, "optimizer": "momentum", "lr": 1.0},
    "B": {"max_norm": 1.0, "optimizer": "adamw", "lr": 0.01},
    "losses A": [None, None, 3.7424, 5.5568, None, None, None, None],
    "losses B": [2.3583, 2.3708, 2.3459, 2.3399, 2.3771, 2.3767, 2.3436, 2.349],
    "prediction": "same",
    "verdict": "B",
}


@right("week4.does_clipping_help")
def as_it_was_printed():
    return dict(REPORT)


@right("week4.does_clipping_help")
def more_than_was_asked_for():
    return {**REPORT, "note": "run on a quiet evening", "margin": 0.03}


@right("week4.does_clipping_help")
def wrongly_predicted():
    return REPORT | {"prediction": next(word for word in ("A", "B") if word != REPORT["verdict"])}


@right("week4.does_clipping_help")
def put_together_key_by_key():
    report = {}
    for key in sorted(REPORT, reverse=True):
        report[key] = REPORT[key]
    return report


@right("week4.does_clipping_help")
def losses_as_tuples_of_numpy_numbers():
    import numpy as np

    names = ("losses A", "losses B")
    return {**REPORT, **{name: tuple(x if x is None else np.float64(x) for x in REPORT[name]) for name in names}}


@right("week4.does_clipping_help")
def by_a_class():
    class Report:
        def __init__(self, entries):
            self.entries = entries

        def as_dict(self):
            return self.entries.copy()

    return Report(REPORT).as_dict()


@wrong("week4.does_clipping_help")
def losses_in_bits():
    bits = {name: [x if x is None else x / 0.6931 for x in REPORT[name]] for name in ("losses A", "losses B")}
    return REPORT | bits


@wrong("week4.does_clipping_help")
def under_another_name():
    return {**REPORT, "learner": "somebody else"} | {"losses A": [1.0] * 8, "losses B": [1.5] * 8, "verdict": "A"}


@wrong("week4.does_clipping_help")
def settings_that_the_experiment_does_not_have():
    return {**REPORT, "A": {**REPORT["A"], "lr": 123.0}}


@wrong("week4.does_clipping_help", "two factors varied")
def two_things_at_once_with_a_prediction_that_was_right():
    return {**CONFOUNDED, "prediction": CONFOUNDED["verdict"]}


@wrong("week4.does_clipping_help", "a verdict against the losses")
def no_verdict_at_all():
    return {key: value for key, value in REPORT.items() if key != "verdict"}


@wrong("week4.does_clipping_help", "no prediction")
def a_prediction_in_other_words():
    return REPORT | {"prediction": "I think that A wins"}


@wrong("week4.does_clipping_help", "too few runs")
def the_best_run_of_each():
    best = {name: [min(x for x in REPORT[name] if x is not None)] for name in ("losses A", "losses B")}
    return REPORT | best
