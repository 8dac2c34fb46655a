"""The script that pretrains the base: stopped and run again, it computes what an unbroken run computes."""

import importlib.util
import json
import signal
import sys

import pytest
import torch


@pytest.fixture
def pretrain(repository, monkeypatch):
    """The script as a module, on one small domain, with a toy's sizes; its handlers of signals are put back."""
    spec = importlib.util.spec_from_file_location("pretrain", repository / "assets" / "pretrain.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "MIX", {"jargon": 1.0})
    monkeypatch.setattr(module, "BATCH", 4)
    monkeypatch.setattr(module, "MICRO_BATCH", 2)
    monkeypatch.setattr(module, "evaluate", lambda model, tokenizer: {"jargon": 3.0, "weighted": 3.0})
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield module
    for number, handler in handlers.items():
        signal.signal(number, handler)


def run(pretrain, monkeypatch, out, updates, *more):
    size = pretrain.BATCH * pretrain.CONTEXT
    arguments = ["--tokens", updates * size, "--width", 64, "--layers", 1, "--threads", 1, "--out", out, *more]
    monkeypatch.setattr(sys, "argv", ["pretrain.py", *map(str, arguments)])
    pretrain.main()
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


def test_a_stopped_run_goes_on_as_if_it_had_not_been_stopped(pretrain, monkeypatch, tmp_path, capsys):
    unbroken = run(pretrain, monkeypatch, tmp_path / "one", 6)
    step = pretrain.one_step

    def interrupted(*args):
        interrupted.steps += 1
        if interrupted.steps == 3:
            signal.raise_signal(signal.SIGTERM)
        return step(*args)

    interrupted.steps = 0
    monkeypatch.setattr(pretrain, "one_step", interrupted)
    run(pretrain, monkeypatch, tmp_path / "two", 6)
    assert "Stopped after step 3 of 6; the same command goes on" in capsys.readouterr().out
    resumed = run(pretrain, monkeypatch, tmp_path / "two", 6)
    assert [row["step"] for row in resumed] == [1, 2, 3, 4, 5, 6]
    for key in ("loss", "lr", "grad_norm", "tokens"):
        assert [row[key] for row in resumed] == [row[key] for row in unbroken]
    assert resumed[-1]["bits_per_byte"]["weighted"] == 3.0
    assert unbroken[0]["loss"] == pytest.approx(8.32, abs=0.3)  # ln 4096: a fresh model knows nothing


def test_a_branch_cools_another_run_down_and_leaves_it_alone(pretrain, monkeypatch, tmp_path):
    run(pretrain, monkeypatch, tmp_path / "long", 4)
    kept = (tmp_path / "long" / "checkpoint.pt").read_bytes()
    rows = run(pretrain, monkeypatch, tmp_path / "branch", 8, "--branch", tmp_path / "long")
    assert [row["step"] for row in rows] == [5, 6, 7, 8]
    assert rows[0]["lr"] == pretrain.MUON_LR and rows[-1]["lr"] == pytest.approx(pretrain.MUON_LR / 2)
    assert (tmp_path / "long" / "checkpoint.pt").read_bytes() == kept


def test_another_size_and_a_branch_from_nothing_are_refused_in_one_line(pretrain, monkeypatch, tmp_path):
    run(pretrain, monkeypatch, tmp_path / "run", 1)
    with pytest.raises(SystemExit, match="another size"):
        run(pretrain, monkeypatch, tmp_path / "run", 2, "--layers", 2)
    with pytest.raises(SystemExit, match="no checkpoint.pt to branch from"):
        run(pretrain, monkeypatch, tmp_path / "new", 2, "--branch", tmp_path / "nowhere")


def test_the_learning_rate_rises_stays_and_falls_to_zero(pretrain):
    factors = [pretrain.lr_factor(i / 1000) for i in range(1001)]
    assert factors[0] < 0.02 and factors[1000] == 0
    assert all(factor == 1 for factor in factors[10:751])
    assert all(a > b for a, b in zip(factors[751:], factors[752:], strict=False))


def test_a_batch_depends_on_seed_and_step_alone(pretrain):
    streams = {"jargon": torch.arange(5000).numpy().astype("uint16")}
    batch = pretrain.draw(streams, 0, 7)
    assert batch.shape == (pretrain.BATCH, pretrain.CONTEXT) and batch.dtype == torch.int64
    assert torch.equal(batch, pretrain.draw(streams, 0, 7))
    assert not torch.equal(batch, pretrain.draw(streams, 0, 8)) and not torch.equal(batch, pretrain.draw(streams, 1, 7))
    assert (batch[:, 1:] - batch[:, :-1] == 1).all()
