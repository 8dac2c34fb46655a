"""Lab reports whose worth is known, for `autograde audit`."""

from autograde.audit import right, wrong

REPORT = {
    "learner": "the course",
    "A": {"warmup": 0, "lr": 0.03},
    "B": {"warmup": 50, "lr": 0.03},
    "losses A": [2.1235, 2.1535, 2.1592, 2.1449, 2.0905, 2.2078, 2.1841, 2.2381],
    "losses B": [2.2405, 2.3185, 2.2482, 2.2943, 2.2212, 2.2566, 2.4406, 2.2474],
    "prediction": "B",
    "verdict": "A",
}
CONFOUNDED = {
    "learner": "the course",
    "A": {"warmup": 0, "lr": 0.03},
    "B": {"warmup": 50, "lr": 0.003},
    "losses A": [2.1235, 2.1535, 2.1592, 2.1449, 2.0905, 2.2078, 2.1841, 2.2381],
    "losses B": [2.4917, 2.4553, 2.4657, 2.4412, 2.4365, 2.4221, 2.4471, 2.4489],
    "prediction": "B",
    "verdict": "A",
}


@right("week6.is_warmup_needed")
def as_it_was_printed():
    return dict(REPORT)


@right("week6.is_warmup_needed")
def more_than_was_asked_for():
    return {**REPORT, "note": "run on a quiet evening", "margin": 0.03}


@right("week6.is_warmup_needed")
def wrongly_predicted():
    return REPORT | {"prediction": next(word for word in ("A", "B") if word != REPORT["verdict"])}


@right("week6.is_warmup_needed")
def put_together_key_by_key():
    report = {}
    for key in sorted(REPORT, reverse=True):
        report[key] = REPORT[key]
    return report


@right("week6.is_warmup_needed")
def losses_as_tuples_of_numpy_numbers():
    import numpy as np

    names = ("losses A", "losses B")
    return {**REPORT, **{name: tuple(x if x is None else np.float64(x) for x in REPORT[name]) for name in names}}


@right("week6.is_warmup_needed")
def by_a_class():
    class Report:
        def __init__(self, entries):
            self.entries = entries

        def as_dict(self):
            return self.entries.copy()

    return Report(REPORT).as_dict()


@wrong("week6.is_warmup_needed")
def losses_in_bits():
    bits = {name: [x if x is None else x / 0.6931 for x in REPORT[name]] for name in ("losses A", "losses B")}
    return REPORT | bits


@wrong("week6.is_warmup_needed")
def under_another_name():
    return {**REPORT, "learner": "somebody else"} | {"losses A": [1.0] * 8, "losses B": [1.5] * 8, "verdict": "A"}


@wrong("week6.is_warmup_needed")
def settings_that_the_experiment_does_not_have():
    return {**REPORT, "A": {**REPORT["A"], "lr": 123.0}}


@wrong("week6.is_warmup_needed", "two factors varied")
def two_things_at_once_with_a_prediction_that_was_right():
    return {**CONFOUNDED, "prediction": CONFOUNDED["verdict"]}


@wrong("week6.is_warmup_needed", "a verdict against the losses")
def no_verdict_at_all():
    return {key: value for key, value in REPORT.items() if key != "verdict"}


@wrong("week6.is_warmup_needed", "no prediction")
def a_prediction_in_other_words():
    return REPORT | {"prediction": "I think that A wins"}


@wrong("week6.is_warmup_needed", "too few runs")
def the_best_run_of_each():
    best = {name: [min(x for x in REPORT[name] if x is not None)] for name in ("losses A", "losses B")}
    return REPORT | best
