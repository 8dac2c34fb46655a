"""A recording is read as it was written, says where it comes from, and is replayed at the pace of the run."""

import datetime
import importlib.metadata
import json
import math
from typing import NamedTuple

import pytest
import torch

from course.lab import assets, hardware, qlora, recordings


class Row(NamedTuple):
    step: int
    loss: float
    seconds: float


@pytest.fixture
def header():
    return recordings.header("run", config={"lr": 1e-3}, seed=3, figures={"loss": 0.5})


def saved(tmp_path, header, rows):
    recordings.save(tmp_path / "run.jsonl", header, rows)
    return recordings.load(tmp_path / "run.jsonl")


def test_rows_come_back_as_they_were_written(tmp_path, header):
    rows = [{"run": "a", "step": 1, "loss": 0.1 + 0.2}, Row(2, 1e-300, 0.25)]
    found = saved(tmp_path, header, iter(rows))
    assert found.rows == [rows[0], {"step": 2, "loss": 1e-300, "seconds": 0.25}]
    assert found.header == header and found.figures == {"loss": 0.5}
    assert saved(tmp_path, header, []).rows == []


def test_text_with_any_character_comes_back(tmp_path, header):
    rows = [{"answer": "Größe \u2028 \x85 \n \x1e 漢"}]
    assert saved(tmp_path, header, rows).rows == rows


def test_what_is_not_finite_becomes_null_and_the_file_is_json(tmp_path, header):
    rows = [Row(1, math.nan, 0.1), {"losses": [1.0, math.inf], "deep": {"x": -math.inf}}]
    found = saved(tmp_path, header, rows)
    assert found.rows == [{"step": 1, "loss": None, "seconds": 0.1}, {"losses": [1.0, None], "deep": {"x": None}}]
    text = (tmp_path / "run.jsonl").read_text(encoding="utf-8")
    assert "NaN" not in text and "Infinity" not in text


def test_a_header_says_what_was_run_where_and_when(monkeypatch):
    config = {"train": qlora.Config(lr=0.01, dtype=torch.float16), "sizes": (1, 2), "loss": math.nan}
    head = recordings.header("sweep", config=config, seed=7, figures={"best": 1.5})
    assert head["name"] == "sweep" and head["seed"] == 7 and head["figures"] == {"best": 1.5}
    assert head["date"] == datetime.date.today().isoformat()
    assert head["hardware"] == hardware.short("cpu")
    assert head["versions"]["torch"] == importlib.metadata.version("torch")
    assert {"transformers", "peft", "bitsandbytes"} <= head["versions"].keys()
    assert head["config"]["train"]["lr"] == 0.01 and head["config"]["train"]["dtype"] == "torch.float16"
    assert head["config"]["sizes"] == [1, 2] and head["config"]["loss"] is None
    assert json.loads(json.dumps(head, allow_nan=False)) == head


def test_a_library_that_is_not_there_is_left_out(monkeypatch):
    real = importlib.metadata.version

    def without(name):
        if name == "bitsandbytes":
            raise importlib.metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(importlib.metadata, "version", without)
    versions = recordings.header("run", config={}, seed=None, figures={})["versions"]
    assert "bitsandbytes" not in versions and "torch" in versions


def test_a_recording_that_cannot_be_finished_leaves_the_one_before(tmp_path, header):
    saved(tmp_path, header, [{"step": 1}])

    def rows():
        yield {"step": 2}
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        recordings.save(tmp_path / "run.jsonl", header, rows())
    assert recordings.load(tmp_path / "run.jsonl").rows == [{"step": 1}]
    assert [file.name for file in tmp_path.iterdir()] == ["run.jsonl"]


def test_runs_are_grouped_in_the_order_in_which_they_began(tmp_path, header):
    names = ["b", "a", "b", "c", "a"]
    found = saved(tmp_path, header, [{"run": name, "step": i} for i, name in enumerate(names)])
    assert {name: [row["step"] for row in rows] for name, rows in found.runs().items()} == {
        "b": [0, 2],
        "a": [1, 4],
        "c": [3],
    }
    assert list(found.runs()) == ["b", "a", "c"]
    assert recordings.Recording({}, [{"step": 1}]).runs() == {"": [{"step": 1}]}


@pytest.mark.parametrize(
    "content",
    ["", "{", '{"step": 1}\n', "[1]\n", "7\n", "\x00\x01", 'GOOD\n{"step": 1', "GOOD\n[1]"],
    ids=["empty", "cut short", "no header", "a list", "a number", "bytes", "a row cut short", "a row that is a list"],
)
def test_a_file_that_is_no_recording_is_named_in_one_line(tmp_path, header, content):
    file = tmp_path / "broken.jsonl"
    file.write_text(content.replace("GOOD", json.dumps(header)), encoding="utf-8")
    with pytest.raises(ValueError) as caught:
        recordings.load(file)
    assert str(file) in str(caught.value) and "\n" not in str(caught.value)


def test_a_file_that_is_not_text_is_named(tmp_path):
    file = tmp_path / "broken.jsonl"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="broken.jsonl"):
        recordings.load(file)


def test_a_name_that_is_not_shipped_is_refused():
    with pytest.raises(assets.AssetError, match="no-such-run"):
        recordings.load("no-such-run")


def test_a_shipped_recording_is_found_by_its_name(tmp_path, header, monkeypatch):
    recordings.save(tmp_path / "recordings" / "small.jsonl", header, [{"step": 1}])
    monkeypatch.setattr(assets, "path", lambda name: tmp_path / name)
    assert recordings.load("small").rows == [{"step": 1}]


# Replay


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self, monkeypatch):
        self.now, self.slept = 100.0, []
        monkeypatch.setattr(recordings.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(recordings.time, "sleep", self.sleep)

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


SECONDS = [3.0, 3.5, 3.5, 6.0]


@pytest.mark.parametrize("speed", [1.0, 4.0, 0.5])
def test_a_replay_keeps_the_pace_of_the_run(monkeypatch, speed):
    clock, at = Clock(monkeypatch), []
    for row in recordings.replay([{"seconds": s} for s in SECONDS], speed):
        at.append((row["seconds"], clock.now - 100.0))
    assert at == [(s, pytest.approx((s - 3.0) / speed)) for s in SECONDS]


def test_a_replay_makes_up_for_the_time_that_drawing_takes(monkeypatch):
    clock = Clock(monkeypatch)
    for _ in recordings.replay([{"seconds": s} for s in SECONDS]):
        clock.now += 0.4
    assert clock.now == pytest.approx(100.0 + 3.0 + 0.4)
    assert min(clock.slept) >= 0


def test_at_infinite_speed_every_row_comes_at_once_and_in_order(monkeypatch):
    clock = Clock(monkeypatch)
    rows = [{"step": i, "seconds": s} for i, s in enumerate(SECONDS)]
    assert list(recordings.replay(rows, math.inf)) == rows
    assert sum(clock.slept) == 0


def test_rows_without_a_time_do_not_wait(monkeypatch):
    clock = Clock(monkeypatch)
    rows = [{"seconds": 2.0}, {"seconds": None}, {}, {"seconds": 2.5}]
    assert list(recordings.replay(rows)) == rows
    assert sum(clock.slept) == pytest.approx(0.5)


def test_the_first_time_of_zero_is_a_time(monkeypatch):
    clock = Clock(monkeypatch)
    list(recordings.replay([{"seconds": 0.0}, {"seconds": 0.0}, {"seconds": 1.0}]))
    assert sum(clock.slept) == pytest.approx(1.0)


def test_nothing_is_replayed_of_nothing():
    assert list(recordings.replay([])) == []
