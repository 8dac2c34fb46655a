"""Lab reports whose worth is known, for `autograde audit`."""

from autograde.audit import right, wrong

REPORT = {
    "learner": "the course",
    "A": {"rule": "linear", "optimizer": "adamw", "batch_size": 32},
    "B": {"rule": "sqrt", "optimizer": "adamw", "batch_size": 32},
    "losses A": [2.9365, 2.6172, 2.7367, 2.7506, 2.5654, 2.8394, 2.4961, 2.5705],
    "losses B": [2.637, 2.6029, 2.5968, 2.5668, 2.5739, 2.5884, 2.6085, 2.7069],
    "prediction": "A",
    "verdict": "unresolved",
}
CONFOUNDED = {
    "learner": "the course",
    "A": {"rule": "linear", "optimizer": "adamw", "batch_size": 32},
    "B": {"rule": "sqrt", "optimizer": "sgd", "batch_size": 32},
    "losses A": [2.9365, 2.6172, 2.7367, 2.7506, 2.5654, 2.8394, 2.4961, 2.5705],
    "losses B": [2.8032, 2.9342, 2.8398, 2.9406, 2.9141, 3.0151, 2.8009, 3.2243],
    "prediction": "A",
    "verdict": "A",
}


@right("week6.scaling_rule")
def as_it_was_printed():
    return dict(REPORT)


@right("week6.scaling_rule")
def more_than_was_asked_for():
    return {**REPORT, "note": "run on a quiet evening", "margin": 0.03}


@right("week6.scaling_rule")
def wrongly_predicted():
    return REPORT | {"prediction": next(word for word in ("A", "B") if word != REPORT["verdict"])}


@right("week6.scaling_rule")
def put_together_key_by_key():
    report = {}
    for key in sorted(REPORT, reverse=True):
        report[key] = REPORT[key]
    return report


@right("week6.scaling_rule")
def losses_as_tuples_of_numpy_numbers():
    import numpy as np

    names = ("losses A", "losses B")
    return {**REPORT, **{name: tuple(x if x is None else np.float64(x) for x in REPORT[name]) for name in names}}


@right("week6.scaling_rule")
def by_a_class():
    class Report:
        def __init__(self, entries):
            self.entries = entries

        def as_dict(self):
            return self.entries.copy()

    return Report(REPORT).as_dict()


@wrong("week6.scaling_rule")
def losses_in_bits():
    bits = {name: [x if x is None else x / 0.6931 for x in REPORT[name]] for name in ("losses A", "losses B")}
    return REPORT | bits


@wrong("week6.scaling_rule")
def under_another_name():
    return {**REPORT, "learner": "somebody else"} | {"losses A": [1.0] * 8, "losses B": [1.5] * 8, "verdict": "A"}


@wrong("week6.scaling_rule")
def settings_that_the_experiment_does_not_have():
    return {**REPORT, "A": {**REPORT["A"], "lr": 123.0}}


@wrong("week6.scaling_rule", "two factors varied")
def two_things_at_once_with_a_prediction_that_was_right():
    return {**CONFOUNDED, "prediction": CONFOUNDED["verdict"]}


@wrong("week6.scaling_rule", "a verdict against the losses")
def no_verdict_at_all():
    return {key: value for key, value in REPORT.items() if key != "verdict"}


@wrong("week6.scaling_rule", "no prediction")
def a_prediction_in_other_words():
    return REPORT | {"prediction": "I think that A wins"}


@wrong("week6.scaling_rule", "too few runs")
def the_best_run_of_each():
    best = {name: [min(x for x in REPORT[name] if x is not None)] for name in ("losses A", "losses B")}
    return REPORT | best
