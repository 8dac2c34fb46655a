"""Lab reports whose worth is known, for `autograde audit`."""

from autograde.audit import right, wrong

REPORT = {
    "learner": "the course",
    "A": {"state": "32 bits", "lr": 0.01, "beta2": 0.95},
    "B": {"state": "8 bits", "lr": 0.01, "beta2": 0.95},
    "losses A": [2.3097, 2.2733, 2.288, 2.3017, 2.309, 2.3248, 2.2945, 2.3358],
    "losses B": [2.3031, 2.2742, 2.2878, 2.3014, 2.3077, 2.327, 2.2946, 2.3353],
    "prediction": "same",
    "verdict": "same",
}
CONFOUNDED = {
    "learner": "the course",
    "A": {"state": "32 bits", "lr": 0.01, "beta2": 0.95},
    "B": {"state": "8 bits", "lr": 0.003, "beta2": 0.95},
    "losses A": [2.3097, 2.2733, 2.288, 2.3017, 2.309, 2.3248, 2.2945, 2.3358],
    "losses B": [2.4633, 2.5481, 2.481, 2.494, 2.4724, 2.5313, 2.499, 2.4892],
    "prediction": "same",
    "verdict": "A",
}


@right("week5.eight_bit_state")
def as_it_was_printed():
    return dict(REPORT)


@right("week5.eight_bit_state")
def more_than_was_asked_for():
    return {**REPORT, "note": "run on a quiet evening", "margin": 0.03}


@right("week5.eight_bit_state")
def wrongly_predicted():
    return REPORT | {"prediction": next(word for word in ("A", "B") if word != REPORT["verdict"])}


@right("week5.eight_bit_state")
def put_together_key_by_key():
    report = {}
    for key in sorted(REPORT, reverse=True):
        report[key] = REPORT[key]
    return report


@right("week5.eight_bit_state")
def losses_as_tuples_of_numpy_numbers():
    import numpy as np

    names = ("losses A", "losses B")
    return {**REPORT, **{name: tuple(x if x is None else np.float64(x) for x in REPORT[name]) for name in names}}


@right("week5.eight_bit_state")
def by_a_class():
    class Report:
        def __init__(self, entries):
            self.entries = entries

        def as_dict(self):
            return self.entries.copy()

    return Report(REPORT).as_dict()


@wrong("week5.eight_bit_state")
def losses_in_bits():
    bits = {name: [x if x is None else x / 0.6931 for x in REPORT[name]] for name in ("losses A", "losses B")}
    return REPORT | bits


@wrong("week5.eight_bit_state")
def under_another_name():
    return {**REPORT, "learner": "somebody else"} | {"losses A": [1.0] * 8, "losses B": [1.5] * 8, "verdict": "A"}


@wrong("week5.eight_bit_state")
def settings_that_the_experiment_does_not_have():
    return {**REPORT, "A": {**REPORT["A"], "lr": 123.0}}


@wrong("week5.eight_bit_state", "two factors varied")
def two_things_at_once_with_a_prediction_that_was_right():
    return {**CONFOUNDED, "prediction": CONFOUNDED["verdict"]}


@wrong("week5.eight_bit_state", "a verdict against the losses")
def no_verdict_at_all():
    return {key: value for key, value in REPORT.items() if key != "verdict"}


@wrong("week5.eight_bit_state", "no prediction")
def a_prediction_in_other_words():
    return REPORT | {"prediction": "I think that A wins"}


@wrong("week5.eight_bit_state", "too few runs")
def the_best_run_of_each():
    best = {name: [min(x for x in REPORT[name] if x is not None)] for name in ("losses A", "losses B")}
    return REPORT | best
