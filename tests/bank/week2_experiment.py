"""Lab reports whose worth is known, for `autograde audit`."""

from autograde.audit import right, wrong

REPORT = {
    "learner": "the course",
    "A": {"batch_size": 4, "epochs": 10, "lr": 0.01},
    "B": {"batch_size": 32, "epochs": 10, "lr": 0.01},
    "losses A": [2.3961, 2.3661, 2.3846, 2.5017, 2.4697, 2.4263, 2.4536, 2.4496],
    "losses B": [2.4626, 2.5431, 2.4856, 2.5646, 2.5178, 2.5862, 2.4916, 2.5429],
    "prediction": "same",
    "verdict": "A",
}
CONFOUNDED = {
    "learner": "the course",
    "A": {"batch_size": 4, "epochs": 10, "lr": 0.01},
    "B": {"batch_size": 32, "epochs": 1, "lr": 0.01},
    "losses A": [2.3961, 2.3661, 2.3846, 2.5017, 2.4697, 2.4263, 2.4536, 2.4496],
    "losses B": [4.3788, 4.3189, 4.3936, 4.4271, 4.4688, 4.3159, 4.4426, 4.4196],
    "prediction": "same",
    "verdict": "A",
}


@right("week2.epochs_or_batch")
def as_it_was_printed():
    return dict(REPORT)


@right("week2.epochs_or_batch")
def more_than_was_asked_for():
    return {**REPORT, "note": "run on a quiet evening", "margin": 0.03}


@right("week2.epochs_or_batch")
def wrongly_predicted():
    return REPORT | {"prediction": next(word for word in ("A", "B") if word != REPORT["verdict"])}


@right("week2.epochs_or_batch")
def put_together_key_by_key():
    report = {}
    for key in sorted(REPORT, reverse=True):
        report[key] = REPORT[key]
    return report


@right("week2.epochs_or_batch")
def losses_as_tuples_of_numpy_numbers():
    import numpy as np

    names = ("losses A", "losses B")
    return {**REPORT, **{name: tuple(x if x is None else np.float64(x) for x in REPORT[name]) for name in names}}


@right("week2.epochs_or_batch")
def by_a_class():
    class Report:
        def __init__(self, entries):
            self.entries = entries

        def as_dict(self):
            return self.entries.copy()

    return Report(REPORT).as_dict()


@wrong("week2.epochs_or_batch")
def losses_in_bits():
    bits = {name: [x if x is None else x / 0.6931 for x in REPORT[name]] for name in ("losses A", "losses B")}
    return REPORT | bits


@wrong("week2.epochs_or_batch")
def under_another_name():
    return {**REPORT, "learner": "somebody else"} | {"losses A": [1.0] * 8, "losses B": [1.5] * 8, "verdict": "A"}


@wrong("week2.epochs_or_batch")
def settings_that_the_experiment_does_not_have():
    return {**REPORT, "A": {**REPORT["A"], "lr": 123.0}}


@wrong("week2.epochs_or_batch", "two factors varied")
def two_things_at_once_with_a_prediction_that_was_right():
    return {**CONFOUNDED, "prediction": CONFOUNDED["verdict"]}


@wrong("week2.epochs_or_batch", "a verdict against the losses")
def no_verdict_at_all():
    return {key: value for key, value in REPORT.items() if key != "verdict"}


@wrong("week2.epochs_or_batch", "no prediction")
def a_prediction_in_other_words():
    return REPORT | {"prediction": "I think that A wins"}


@wrong("week2.epochs_or_batch", "too few runs")
def the_best_run_of_each():
    best = {name: [min(x for x in REPORT[name] if x is not None)] for name in ("losses A", "losses B")}
    return REPORT | best
