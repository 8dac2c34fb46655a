"""Lab reports whose worth is known, for `autograde audit`."""

from autograde.audit import right, wrong

REPORT = {
    "learner": "the course",
    "A": {"state": "kept", "steps_after": 10, "lr": 0.01, "beta2": 0.95},
    "B": {"state": "reset", "steps_after": 10, "lr": 0.01, "beta2": 0.95},
    "losses A": [2.4444, 2.4318, 2.4597, 2.436, 2.4852, 2.4394, 2.4675, 2.5129],
    "losses B": [2.3467, 2.3346, 2.3715, 2.3741, 2.3973, 2.3497, 2.3563, 2.4171],
    "prediction": "same",
    "verdict": "B",
}
CONFOUNDED = {
    "learner": "the course",
    "A": {"state": "kept", "steps_after": 10, "lr": 0.01, "beta2": 0.95},
    "B": {"state": "reset", "steps_after": 50, "lr": 0.01, "beta2": 0.95},
    "losses A": [2.4444, 2.4318, 2.4597, 2.436, 2.4852, 2.4394, 2.4675, 2.5129],
    "losses B": [1.9805, 1.985, 2.0591, 1.9753, 2.1149, 2.0016, 2.0264, 2.0942],
    "prediction": "same",
    "verdict": "B",
}


@right("week5.state_reset")
def as_it_was_printed():
    return dict(REPORT)


@right("week5.state_reset")
def more_than_was_asked_for():
    return {**REPORT, "note": "run on a quiet evening", "margin": 0.03}


@right("week5.state_reset")
def wrongly_predicted():
    return REPORT | {"prediction": next(word for word in ("A", "B") if word != REPORT["verdict"])}


@right("week5.state_reset")
def put_together_key_by_key():
    report = {}
    for key in sorted(REPORT, reverse=True):
        report[key] = REPORT[key]
    return report


@right("week5.state_reset")
def losses_as_tuples_of_numpy_numbers():
    import numpy as np

    names = ("losses A", "losses B")
    return {**REPORT, **{name: tuple(x if x is None else np.float64(x) for x in REPORT[name]) for name in names}}


@right("week5.state_reset")
def by_a_class():
    class Report:
        def __init__(self, entries):
            self.entries = entries

        def as_dict(self):
            return self.entries.copy()

    return Report(REPORT).as_dict()


@wrong("week5.state_reset")
def losses_in_bits():
    bits = {name: [x if x is None else x / 0.6931 for x in REPORT[name]] for name in ("losses A", "losses B")}
    return REPORT | bits


@wrong("week5.state_reset")
def under_another_name():
    return {**REPORT, "learner": "somebody else"} | {"losses A": [1.0] * 8, "losses B": [1.5] * 8, "verdict": "A"}


@wrong("week5.state_reset")
def settings_that_the_experiment_does_not_have():
    return {**REPORT, "A": {**REPORT["A"], "lr": 123.0}}


@wrong("week5.state_reset", "two factors varied")
def two_things_at_once_with_a_prediction_that_was_right():
    return {**CONFOUNDED, "prediction": CONFOUNDED["verdict"]}


@wrong("week5.state_reset", "a verdict against the losses")
def no_verdict_at_all():
    return {key: value for key, value in REPORT.items() if key != "verdict"}


@wrong("week5.state_reset", "no prediction")
def a_prediction_in_other_words():
    return REPORT | {"prediction": "I think that A wins"}


@wrong("week5.state_reset", "too few runs")
def the_best_run_of_each():
    best = {name: [min(x for x in REPORT[name] if x is not None)] for name in ("losses A", "losses B")}
    return REPORT | best
