"""The recorded range tests of week 6, the script that makes them, and what is accepted as a suggestion."""

import importlib.util
import math
import sys

import pytest

from autograde.exercises.week6 import lr_range_test
from course.lab import assets, recordings


@pytest.fixture
def script(repository, monkeypatch, tmp_path, one_thread):
    """The script with little to do, and a cache of its own."""
    spec = importlib.util.spec_from_file_location("record_week6", repository / "assets" / "record_week6.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "CACHE", tmp_path / "cache")
    return module


def test_the_script_writes_a_row_for_each_test_that_the_readers_agree_on(script, monkeypatch, tmp_path):
    monkeypatch.setattr(script, "settings", lambda: {"AdamW": {"optimizer": "adamw", "batch_size": 2, "width": 4}})
    monkeypatch.setattr(script, "TESTS", 2)
    monkeypatch.setattr(script, "SEEDS", 1)
    monkeypatch.setattr(script, "STEPS", 3)
    monkeypatch.setattr(script, "MARGIN", 100.0)  # every rate that was tried is accepted
    monkeypatch.setattr(script, "RATES", {"adamw": (-5.0, 1.0)})
    monkeypatch.setattr(sys, "argv", ["record_week6.py", "--out", str(tmp_path)])
    script.main()
    first = (tmp_path / "range_tests.jsonl").read_bytes()
    kept = recordings.load(tmp_path / "range_tests.jsonl")
    assert kept.figures["tests"] == kept.figures["kept"] == 2
    assert kept.figures["lowest"] == 2 and kept.header["config"]["apart"] == []
    assert list(kept.runs()) == ["AdamW (0)", "AdamW (1)"]
    assert len(kept.rows[0]["losses"]) == len(kept.header["config"]["lrs"]["adamw"]) == script.ENTRIES
    monkeypatch.setattr(script, "run", None)  # a second call finds all in the cache
    script.main()
    assert (tmp_path / "range_tests.jsonl").read_bytes() == first


def test_a_test_that_diverges_ends_in_nan(script):
    setting = script.DEFAULTS | {"optimizer": "sgd", "batch_size": 2, "width": 4, "seed": 0}
    script.SPANS["sgd"] = (1.0, 1e30)
    losses = script.range_test(setting)
    assert len(losses) == script.ENTRIES and math.isfinite(losses[0]) and math.isnan(losses[-1])


@pytest.mark.parametrize(
    ("ends", "bounds"),
    [
        ({0.01: [3.0, 3.2], 0.1: [2.0, 2.0], 1.0: [3.0, 3.2]}, (0.1 * 10 ** (-0.05 / 1.1), 0.1 * 10 ** (0.05 / 1.1))),
        ({0.01: [2.0], 0.1: [2.04], 1.0: [math.nan]}, (0.01, 0.1)),
        ({0.01: [2.0], 0.1: [2.5], 1.0: [2.01]}, (0.01, 0.01 * 10**0.1)),  # the second valley is another one
        ({0.01: [2.02], 0.1: [2.0], 1.0: [2.03]}, (0.01, 1.0)),
    ],
)
def test_what_is_accepted_lies_around_the_best_rate(script, ends, bounds):
    assert script.accepted(ends) == pytest.approx(bounds, rel=0.01)


def test_the_shipped_tests_are_those_on_which_every_reader_is_right(script):
    recording = recordings.load("range_tests")
    config, names = recording.header["config"], set()
    for row in recording.rows:
        optimizer = config["settings"][row["setting"]]["optimizer"]
        low, high = config["accepted"][row["setting"]]
        losses = [math.nan if loss is None else loss for loss in row["losses"]]
        for reader, read in script.READERS.items():
            assert low / 1.01 <= read(config["lrs"][optimizer], losses) <= high * 1.01, (row["run"], reader)
        assert all(map(math.isfinite, losses[:40]))
        names.add(row["run"])
    assert len(names) == len(recording.rows) == recording.figures["kept"]
    assert recording.figures["tests"] == len(names) + len(config["apart"])
    assert recording.header["hardware"] and assets.path("recordings/range_tests.jsonl").stat().st_size < 60_000


def test_the_shipped_tests_hold_every_optimizer_and_refute_the_lowest_loss():
    found = {optimizer: len(tests) for optimizer, tests in lr_range_test._recorded().items()}
    assert min(found.values()) >= 3 and len(lr_range_test._bounds()) == sum(found.values())
    figures = recordings.load("range_tests").figures
    assert figures["lowest"] < figures["running_mean"] and figures["tenth_of_lowest"] < figures["running_mean"]
    assert figures["running_mean"] < figures["tests"]  # no rule is always right
