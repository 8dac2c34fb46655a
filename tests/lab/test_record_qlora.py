"""The shipped recordings of the experiments, and the script that makes them."""

import importlib.util
import sys

import pytest

from course.lab import assets, banking, recordings

EXPERIMENTS = ("effect", "fifty", "learning_rates", "ranks", "forgetting")


@pytest.fixture
def script(repository, monkeypatch, one_thread):
    """The script as a module, with little to do."""
    spec = importlib.util.spec_from_file_location("record_qlora", repository / "assets" / "record_qlora.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    train, held_out = list(banking.load("train"))[:40], list(banking.load("held_out"))
    asked = [next(one for one in held_out if one["intent"] == intent) for intent in module.PROMPTS]
    monkeypatch.setattr(module.banking, "load", lambda split: train if split == "train" else asked)
    monkeypatch.setattr(module, "DOMAIN_BYTES", 300)
    monkeypatch.setattr(module, "LEARNING_RATES", (1e-3, 1e-2))
    monkeypatch.setattr(module, "RANKS", (1, 2))
    monkeypatch.setattr(module, "GRID_RATES", (1e-2,))
    monkeypatch.setattr(module, "GRID_RANKS", (1, 2))
    return module


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_is_printed_and_kept(script, name, tiny, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["record_qlora.py", name, "--base", str(tiny), "--out", str(tmp_path)])
    script.main()
    kept = recordings.load(tmp_path / f"{name}.jsonl")
    assert kept.rows and kept.figures and kept.header["seed"] == script.SEED
    assert all(str(key) in capsys.readouterr().out for key in list(kept.figures)[:1])


def test_an_unknown_experiment_lists_the_known(script, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["record_qlora.py", "efect"])
    with pytest.raises(SystemExit):
        script.main()
    assert "there are effect, fifty, learning_rates, ranks, forgetting" in capsys.readouterr().err


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_the_shipped_recording_was_made_on_the_shipped_base(name):
    header = recordings.load(name).header
    assert header["config"]["base"] == assets.manifest()["base_model/model.safetensors"]["sha256"]
    assert header["hardware"] and header["versions"]["bitsandbytes"]


def test_every_run_of_a_sweep_is_there_from_its_first_update_to_its_last():
    for name, count in (("learning_rates", 4), ("ranks", 4), ("forgetting", 9)):
        runs = recordings.load(name).runs()
        assert len(runs) == count
        assert all([row["step"] for row in rows] == list(range(1, len(rows) + 1)) for rows in runs.values())


def test_the_shipped_figures_say_what_the_lessons_rest_on():
    effect, fifty = recordings.load("effect").figures, recordings.load("fifty").figures
    assert effect["loss_after"] < effect["loss_before"]
    assert effect["exact_after"] >= effect["exact_before"] + 0.3
    assert effect["seconds"] <= 60
    assert fifty["closer"] >= 2
