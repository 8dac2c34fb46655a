"""The recorded curves of week 2, the scripts that make them, and the labelers that name them."""

import importlib.util
import math
import sys

import pytest

from autograde.exercises.week2 import diagnose
from course.lab import assets, recordings

NAN = math.nan


def _script(repository, name):
    spec = importlib.util.spec_from_file_location(name, repository / "assets" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def curves(repository, monkeypatch, tmp_path, one_thread):
    """The script of the curves with little to do, and a cache of its own."""
    module = _script(repository, "record_week2")
    few = {
        "12 steps": {"seed": 0, "steps": 12, "entries": 3},
        "lr 10": {"seed": 1, "steps": 12, "entries": 3, "lr": 10.0},
        "SGD, lr 1e5": {"seed": 2, "steps": 12, "entries": 3, "lr": 1e5, "optimizer": "sgd", "warmup": 1},
    }
    monkeypatch.setattr(module, "settings", lambda: few)
    monkeypatch.setattr(module, "LONGER", {"steps": 30})
    monkeypatch.setattr(module, "ROWS", 4)
    monkeypatch.setattr(module, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(sys, "argv", ["record_week2.py", "--out", str(tmp_path)])
    return module


def test_the_script_records_what_its_labelers_agree_on(curves, tmp_path):
    curves.main()
    kept = recordings.load(tmp_path / "curves.jsonl")
    config = kept.header["config"]
    assert {**config["labels"], **config["apart"]}.keys() == curves.settings().keys()
    assert config["labels"]["12 steps"] == "underfit" and config["labels"]["SGD, lr 1e5"] == "diverged"
    assert list(kept.runs()) == list(config["labels"])
    assert [row["step"] for row in kept.runs()["12 steps"]] == [0, 4, 8, 12]
    assert kept.runs()["SGD, lr 1e5"][-1]["train"] is None  # NaN
    assert kept.figures["runs"] == 3 and kept.figures["agreed"] == len(config["labels"])


def test_a_stopped_script_goes_on_where_it_was(curves, tmp_path, monkeypatch):
    trained, run = [], curves.run

    def stops_at_the_second(setting):
        if len(trained) == 2:
            raise KeyboardInterrupt
        trained.append(setting)
        return run(setting)

    monkeypatch.setattr(curves, "run", stops_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        curves.main()
    assert not (tmp_path / "curves.jsonl").exists()
    monkeypatch.setattr(curves, "run", lambda setting: trained.append(setting) or run(setting))
    curves.main()
    assert len(trained) == 4  # three runs and the longer one, each once
    first = (tmp_path / "curves.jsonl").read_bytes()
    monkeypatch.setattr(sys, "argv", [*sys.argv, "--fresh"])
    curves.main()
    assert len(trained) == 8 and (tmp_path / "curves.jsonl").read_bytes() == first


def test_a_changed_setting_is_run_again(curves):
    assert curves.kept("one", {"lr": 1}, lambda setting: [1]) == [1]
    assert curves.kept("one", {"lr": 1}, lambda setting: [2]) == [1]
    assert curves.kept("one", {"lr": 2}, lambda setting: [2]) == [2]


@pytest.mark.parametrize(
    ("own", "check", "val", "words"),
    [
        ([5.5, 3.0, 2.4], [5.5, 3.1, 2.5], [5.5, 3.1, 2.5], ("well-fit", "well-fit")),
        ([5.5, 3.2, 3.1], [5.5, 3.2, 3.1], [5.5, 3.2, 3.1], ("underfit", "underfit")),
        ([5.5, 2.5, 1.0], [5.5, 2.8, 3.5], [5.5, 2.8, 3.5], ("overfit", "overfit")),
        ([5.5, 2.5, 1.9], [5.5, 2.6, 2.5], [5.5, 2.6, 2.5], ("well-fit", "overfit")),
        ([5.5, 2.5, 9.0], [5.5, 2.6, 9.5], [5.5, 2.6, 9.5], ("diverged", "diverged")),
        ([5.5, 2.5, 3.4], [5.5, 2.6, 3.5], [5.5, 2.6, 3.5], ("diverged", "underfit")),
        ([5.5, NAN, NAN], [5.5, NAN, NAN], [5.5, NAN, NAN], ("diverged", "diverged")),
    ],
)
def test_two_labelers_look_at_the_weights(curves, monkeypatch, own, check, val, words):
    monkeypatch.setattr(curves, "counting", lambda size: (3.1, 2.4))
    measured = {"own": own, "check": check, "val": val}
    longer = {"own": [5.5, 2.0]}
    assert (curves.by_intervention(measured, longer), curves.by_yardsticks(measured, None)) == words


def test_the_shipped_curves_carry_the_words_of_the_docstring(curves):
    recording, count = recordings.load("curves"), 0
    for name, rows in recording.runs().items():
        train, val = ([NAN if row[key] is None else row[key] for row in rows] for key in ("train", "val"))
        word = recording.header["config"]["labels"][name]
        assert curves.by_shape({"train": train, "val": val}) == word, name
        assert diagnose._rule({"train_losses": train, "val_losses": val}) == word, name
        count += 1
    assert count == recording.figures["agreed"] == recording.figures["runs"] - len(recording.header["config"]["apart"])
    assert all(recording.figures[word] >= 10 for word in diagnose.WORDS)
    assert recording.header["hardware"] and assets.path("recordings/curves.jsonl").stat().st_size < 200_000


def test_the_shipped_curves_refute_the_folklore():
    """Good runs that still fall, poor ones that lie flat, and training losses above validation losses."""
    runs = diagnose._recorded()
    assert max(map(diagnose._falls, runs["well-fit"])) > 0.1 and min(map(diagnose._falls, runs["underfit"])) < 0.01
    gaps = sorted(map(diagnose._gap, runs["well-fit"]))
    assert gaps[5] < -0.02 and gaps[-5] > 0.02


def test_the_shipped_spikes_hold_a_lucky_batch_and_a_run_that_is_never_back(repository):
    recording, script = recordings.load("spikes"), _script(repository, "record_week2_spikes")
    assert list(recording.runs()) == list(script.settings()) and recording.figures["corrupt"] == script.LENGTH
    for rows in recording.runs().values():
        assert [row["step"] for row in rows] == list(range(script.FIRST + 1, script.STEPS + 1))
        first = script.START - script.FIRST
        losses = [row["loss"] for row in rows]
        assert min(losses[first : first + script.LENGTH]) > 2 * max(losses[:first]) - 1
    last = [rows[-1]["loss"] for rows in recording.runs().values()]
    assert last[-1] is None and last[-2] > 2.9 and max(last[:-2]) < 2.6


def test_the_script_of_the_spikes_writes_a_row_a_step(repository, monkeypatch, tmp_path, one_thread):
    script = _script(repository, "record_week2_spikes")
    monkeypatch.setattr(script, "START", 4)
    monkeypatch.setattr(script, "STEPS", 12)
    monkeypatch.setattr(script, "FIRST", 2)
    few = dict(list(script.settings().items())[:1]) | {"lost": dict(lr=1e4, beta2=None, clip=None, seed=0)}
    monkeypatch.setattr(script, "settings", lambda: few)
    monkeypatch.setattr(sys, "argv", ["record_week2_spikes.py", "--out", str(tmp_path)])
    script.main()
    kept = recordings.load(tmp_path / "spikes.jsonl")
    assert [len(rows) for rows in kept.runs().values()] == [10, 10]
    assert kept.runs()["lost"][-1]["loss"] is None
