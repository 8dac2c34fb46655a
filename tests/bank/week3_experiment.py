"""Lab reports whose worth is known, for `autograde audit`."""

from autograde.audit import right, wrong

REPORT = {
    "learner": "the course",
    "A": {"precision": "fp32", "lr": 0.01},
    "B": {"precision": "bf16 autocast", "lr": 0.01},
    "losses A": [2.2928, 2.2859, 2.3035, 2.2969, 2.3102, 2.3384, 2.3193, 2.3173],
    "losses B": [2.2912, 2.2905, 2.3042, 2.2932, 2.3135, 2.3349, 2.3165, 2.314],
    "prediction": "same",
    "verdict": "same",
}
CONFOUNDED = {
    "learner": "the course",
    "A": {"precision": "fp32", "lr": 0.01},
    "B": {"precision": "bf16 weights", "lr": 0.001},
    "losses A": [2.2928, 2.2859, 2.3035, 2.2969, 2.3102, 2.3384, 2.3193, 2.3173],
    "losses B": [3.1451, 3.1484, 3.157, 3.142, 3.1479, 3.1621, 3.1465, 3.147],
    "prediction": "same",
    "verdict": "A",
}


@right("week3.precision_cost")
def as_it_was_printed():
    return dict(REPORT)


@right("week3.precision_cost")
def more_than_was_asked_for():
    return {**REPORT, "note": "run on a quiet evening", "margin": 0.03}


@right("week3.precision_cost")
def wrongly_predicted():
    return REPORT | {"prediction": next(word for word in ("A", "B") if word != REPORT["verdict"])}


@right("week3.precision_cost")
def put_together_key_by_key():
    report = {}
    for key in sorted(REPORT, reverse=True):
        report[key] = REPORT[key]
    return report


@right("week3.precision_cost")
def losses_as_tuples_of_numpy_numbers():
    import numpy as np

    names = ("losses A", "losses B")
    return {**REPORT, **{name: tuple(x if x is None else np.float64(x) for x in REPORT[name]) for name in names}}


@right("week3.precision_cost")
def by_a_class():
    class Report:
        def __init__(self, entries):
            self.entries = entries

        def as_dict(self):
            return self.entries.copy()

    return Report(REPORT).as_dict()


@wrong("week3.precision_cost")
def losses_in_bits():
    bits = {name: [x if x is None else x / 0.6931 for x in REPORT[name]] for name in ("losses A", "losses B")}
    return REPORT | bits


@wrong("week3.precision_cost")
def under_another_name():
    return {**REPORT, "learner": "somebody else"} | {"losses A": [1.0] * 8, "losses B": [1.5] * 8, "verdict": "A"}


@wrong("week3.precision_cost")
def settings_that_the_experiment_does_not_have():
    return {**REPORT, "A": {**REPORT["A"], "lr": 123.0}}


@wrong("week3.precision_cost", "two factors varied")
def two_things_at_once_with_a_prediction_that_was_right():
    return {**CONFOUNDED, "prediction": CONFOUNDED["verdict"]}


@wrong("week3.precision_cost", "a verdict against the losses")
def no_verdict_at_all():
    return {key: value for key, value in REPORT.items() if key != "verdict"}


@wrong("week3.precision_cost", "no prediction")
def a_prediction_in_other_words():
    return REPORT | {"prediction": "I think that A wins"}


@wrong("week3.precision_cost", "too few runs")
def the_best_run_of_each():
    best = {name: [min(x for x in REPORT[name] if x is not None)] for name in ("losses A", "losses B")}
    return REPORT | best
