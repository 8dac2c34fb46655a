"""The rule of a verdict against published numbers, and experiments that run, resume and repeat themselves."""

import importlib
import json
import math

import pytest

from course.lab import experiments, journal
from course.lab.experiments import Experiment, admitted, interval, t95, week2, week3, week4, week5, week6

WEEKS = (week2, week3, week4, week5, week6)
ALL = {one.id: one for week in WEEKS for one in vars(week).values() if isinstance(one, Experiment)}
SHARP, WIDE = [2.0, 2.001, 2.002, 1.999, 1.998, 2.0, 2.001, 1.999], [1.6, 2.4, 1.8, 2.2, 1.5, 2.5, 1.9, 2.1]


@pytest.mark.parametrize("freedom, table", [(1, 12.706), (2, 4.303), (5, 2.571), (7, 2.365), (14, 2.145), (1e6, 1.960)])
def test_t95_is_student_s_table(freedom, table):
    assert t95(freedom) == pytest.approx(table, abs=6e-4)


def test_the_interval_is_welch_s():
    """Two small samples worked out by hand: errors 1/3 and 4/3, freedom (5/3)^2 / ((1/9 + 16/9) / 2) = 2.941."""
    low, high = interval([1.0, 2.0, 3.0], [2.0, 4.0, 6.0])
    reach = t95((5 / 3) ** 2 / ((1 / 9 + 16 / 9) / 2)) * math.sqrt(5 / 3)
    assert (low, high) == pytest.approx((-2 - reach, -2 + reach))


def shifted(arm, by):
    return [loss + by for loss in arm]


@pytest.mark.parametrize(
    "a, b, words",
    [
        (SHARP, shifted(SHARP, 0.5), {"A"}),
        (shifted(SHARP, 0.5), SHARP, {"B"}),
        (SHARP, shifted(SHARP, 0.0), {"same"}),
        (SHARP, shifted(SHARP, 0.01), {"A", "same"}),  # clear of zero, and too little to matter
        (WIDE, WIDE[::-1], {"unresolved"}),
        ([None] * 4 + SHARP[:4], shifted(SHARP, 3.0), {"B"}),
        ([None] * 3 + SHARP[:5], shifted(SHARP, 3.0), {"A"}),
        ([math.nan] * 8, [None] * 8, {"unresolved"}),
        (SHARP, [math.inf] * 8, {"A"}),
    ],
)
def test_the_rule(a, b, words):
    assert admitted(a, b) == words


def test_near_a_threshold_both_neighbours_are_admitted():
    edge = next(by for by in (0.0005 * k for k in range(100)) if "same" not in admitted(SHARP, shifted(SHARP, by)))
    assert admitted(SHARP, shifted(SHARP, edge), near=experiments.NEAR) == {"A", "same"}


@pytest.fixture
def coin(tmp_path, monkeypatch):
    """An experiment whose runs cost nothing, in a folder of its own; `coin.ran` counts them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(journal, "learner", lambda folder=None: "ada")
    ran = []

    def run(settings, seed):
        ran.append((settings["lr"], seed))
        return math.nan if settings["lr"] == 9.0 else 2.0 + settings["lr"] + seed % 10 / 1e4

    made = Experiment("week2.coin", "Does it matter?", "lr", {"lr": (0.1, 0.2, 9.0), "steps": (5,)}, run)
    object.__setattr__(made, "ran", ran)
    return made


def test_a_report_has_the_learner_s_own_seeds_and_is_kept(coin, capsys):
    a, b = {"lr": 0.1, "steps": 5}, {"lr": 9.0, "steps": 5}
    coin.conduct(a, b, "A")
    printed = capsys.readouterr().out
    report = eval("{" + printed.partition("For your lab report:")[2] + "}")
    assert [seed for _, seed in coin.ran] == 2 * experiments.seeds("ada", coin.id) and len(coin.ran) == 16
    assert (report["learner"], report["A"], report["B"], report["prediction"]) == ("ada", a, b, "A")
    assert report["losses B"] == [None] * 8 and admitted(report["losses A"], report["losses B"]) == {"A"}
    coin.conduct(a, b, "A")
    assert capsys.readouterr().out == printed and len(coin.ran) == 16  # read, not run again
    assert len(json.loads((journal.file().with_name(experiments.FILE)).read_text())) == 16
    assert journal.read()["predictions"][coin.question][0]["prediction"] == "A"


def test_a_run_that_was_interrupted_goes_on(coin, monkeypatch):
    whole = coin.run

    def stops(settings, seed):
        if len(coin.ran) == 5:
            raise KeyboardInterrupt
        return whole(settings, seed)

    object.__setattr__(coin, "run", stops)
    a, b = {"lr": 0.1, "steps": 5}, {"lr": 0.2, "steps": 5}
    with pytest.raises(KeyboardInterrupt):
        coin.conduct(a, b, "A")
    object.__setattr__(coin, "run", whole)
    coin.conduct(a, b, "A")
    assert len(coin.ran) == 16


@pytest.mark.parametrize(
    "arms, words",
    [
        ((None, None, None), "A and B and prediction: not written yet"),
        (({"lr": 0.1, "steps": 5}, {"lr": 0.1}, "A"), "B: write a dict with the settings lr, steps"),
        (({"lr": 0.1, "steps": 5}, {"lr": 0.3, "steps": 5}, "A"), "B: lr is one of 0.1, 0.2, 9.0"),
        (({"lr": 0.1, "steps": 5}, {"lr": 0.2, "steps": 5}, "maybe"), "prediction is one of 'A', 'B'"),
    ],
)
def test_what_is_missing_is_said_and_nothing_runs(coin, capsys, arms, words):
    coin.conduct(*arms)
    assert coin.ran == []
    assert words in capsys.readouterr().out


@pytest.mark.parametrize("experiment_id", ALL)
def test_the_same_settings_and_seed_give_the_same_loss(experiment_id):
    experiment = ALL[experiment_id]
    settings = {name: values[0] for name, values in experiment.choices.items()}
    first, again, other = (experiment.run(settings, seed) for seed in (1, 1, 2))
    assert first == again != other and 1.0 < first < 5.6


@pytest.mark.parametrize("experiment_id", ALL)
def test_the_reports_that_the_course_grades_by_are_of_real_runs(experiment_id):
    spec, experiment = importlib.import_module(f"autograde.exercises.{experiment_id}"), ALL[experiment_id]
    for report in (spec.REPORT, spec.CONFOUNDED):
        seed = experiments.seeds(report["learner"], experiment.id)[3]
        found, reported = experiments.rounded(experiment.run(report["B"], seed)), report["losses B"][3]
        assert found == reported if reported is None else found == pytest.approx(reported, abs=0.02)
