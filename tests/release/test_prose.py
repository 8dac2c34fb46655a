"""Figures in prose: filled from recordings, refused where typed by hand."""

import json

import pytest

from autograde import prose


@pytest.mark.parametrize(
    "text",
    [
        "It takes 80 ms.", "after 0.3 s of training", "about 1.5s", "a 20-minute run", "3 hours", "12 minutes later",
        "needs 16 GB", "7.8 MB of text", "512 KiB", "14k tokens/s", "200 steps per second", "12 frames/s", "5 TFLOPS",
        "reaches 2.25 nats", "$2.25$ nats/byte", "1.73 bits per byte", "a perplexity of 12", "perplexity 33",
        "the loss is 2.3", "a loss of about 5.557", "loss = 1.2", "2.5 times faster", "3× faster", "4\u00a0ms",
        "1,000 s", "between 3–5 s", "1e-3 seconds",
    ],
)  # fmt: skip
def test_a_measurement_typed_by_hand_is_found(text):
    assert len(prose.by_hand(f"Some words.\n{text}\n")) == 1
    assert prose.by_hand(f"Some words.\n{text}\n")[0][0] == 1


@pytest.mark.parametrize(
    "text",
    [
        "Week 1 has 11 exercises.", "a vocabulary of 259 ids", "`time.sleep(3 s)`", "```\n80 ms\n```", "the 1990s",
        "GPT-2", "in 2019, seconds were counted", "1. seconds come first",
        "batch 16 at 32 tokens", "float16 has 16 bits",
        "[a page](https://example.org/3-s/4ms)", '<img width="40" alt="a curve"> shows', "a loss of 0 is impossible",
        "the loss in week 2", "ln 259", "{{ run.seconds }} seconds", "4 heads", "3 sentences", "2 samples",
        "10 % of 4 runs",
    ],
)  # fmt: skip
def test_other_numbers_are_left_alone(text):
    assert prose.by_hand(text) == []


@pytest.fixture
def recordings(course):
    folder = course.top / "assets" / "recordings"
    folder.mkdir(parents=True)
    facts = {"hardware": "two shared CPU cores", "date": "2026-11-22", "versions": {"torch": "2.13.0"}}
    (folder / "live.jsonl").write_text(json.dumps({**facts, "figures": {"steps_per_s": "120", "slow": 2.5}}))
    return folder


def test_a_figure_is_filled_in_with_where_it_was_measured(course, recordings):
    course.edit("Twice the number.", "It trains {{ live.steps_per_s }} steps/s, or {{live.slow}}.")
    course.build()
    text = course.notebook.read_text(encoding="utf-8")
    assert "It trains 120 steps/s, or 2.5." in text
    assert "<small>Measured on two shared CPU cores, 2026-11-22, torch 2.13.0.</small>" in text


def test_an_unknown_key_lists_those_there_are(course, recordings):
    course.edit("Twice the number.", "It trains {{ live.steps }} steps/s.")
    (error,) = course.errors()
    assert error.startswith("solutions/week1_toy/toy.py:5: ")
    assert "no figure 'steps' (it has steps_per_s, slow)" in error


def test_a_figure_by_hand_is_refused_with_its_line(course):
    course.edit("# Twice the number.", "# Twice the number.\n#\n# It takes `3 s`,\n# or 80 ms.")
    (error,) = course.errors()
    assert error.startswith("solutions/week1_toy/toy.py:11: '80 ms' is typed by hand")


def test_a_recording_that_is_no_json_is_named(course, recordings):
    (recordings / "live.jsonl").write_text("{")
    assert course.errors()[0].startswith("assets/recordings: ")
