"""A run that was stopped, killed or cut short while writing goes on as if it had not been."""

import io
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest
import torch

from course.lab import qlora, recordings
from course.lab.qlora import __main__ as command_line
from tests.lab import qlora_bench as bench

PATIENCE = 180  # seconds until a test gives up waiting


@pytest.fixture(autouse=True)
def _one_thread(one_thread):
    pass


def settings(**changes):
    return qlora.Config(
        **{"lr": 2e-2, "micro_batch_size": 4, "epochs": 2, "dtype": torch.float32, "warmup": 0.2} | changes
    )


def begin(tiny, config, folder=None, dropout=0.2):
    model, tokenizer = bench.adapted(tiny, dropout=dropout)
    return model, qlora.train(model, bench.updates(tokenizer, config, 20), config, folder=folder)


def facts(records):
    return [record._replace(seconds=0.0) for record in records]


@pytest.mark.parametrize("optimizer", ["adamw", "adamw8bit"])
def test_a_run_stopped_and_begun_again_is_the_run_that_was_not(tiny, tmp_path, optimizer):
    config = settings(checkpoint_every=4, optimizer=optimizer)
    whole, run = begin(tiny, config, tmp_path / "whole")
    expected = facts(run)
    assert len(expected) == 10
    torch.manual_seed(99)  # whatever was drawn in between
    _, run = begin(tiny, config, tmp_path / "stopped")
    assert facts([next(run) for _ in range(6)]) == expected[:6]
    run.close()
    torch.manual_seed(7)
    model, run = begin(tiny, config, tmp_path / "stopped")
    assert facts(run) == expected[4:]
    assert bench.apart(bench.values(model), bench.values(whole)) == 0


def test_dropout_plays_a_part_in_that(tiny):
    assert facts(begin(tiny, settings())[1]) != facts(begin(tiny, settings(), dropout=0.0)[1])


def test_a_run_in_float16_keeps_its_scale_and_its_skips(tiny, tmp_path):
    def start():
        model, tokenizer = bench.adapted(tiny, torch.float16)
        config = settings(dtype=torch.float16, checkpoint_every=2)
        return model, qlora.train(model, bench.updates(tokenizer, config, 20), config, folder=tmp_path)

    model, run = start()
    head = model.get_base_model().get_output_embeddings()
    hook = head.register_forward_hook(lambda module, inputs, output: output * torch.inf)
    next(run)
    hook.remove()
    expected = facts(run)
    os.remove(tmp_path / "checkpoint.pt")
    model, run = start()
    head = model.get_base_model().get_output_embeddings()
    hook = head.register_forward_hook(lambda module, inputs, output: output * torch.inf)
    next(run)
    hook.remove()
    assert [next(run).skipped for _ in range(2)] == [1, 1]
    run.close()
    scale = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["scaler"]["scale"]
    assert scale == 2**15
    assert facts(start()[1]) == expected[1:]


def test_seconds_go_on_from_where_they_were(tiny, tmp_path):
    config = settings(checkpoint_every=4)
    _, run = begin(tiny, config, tmp_path)
    before = [next(run) for _ in range(5)][3].seconds  # a checkpoint is written when the next record is asked for
    time.sleep(0.05)
    run.close()
    seconds = [record.seconds for record in begin(tiny, config, tmp_path)[1]]
    assert before < seconds[0] and seconds == sorted(seconds)


@pytest.mark.parametrize("changes", [{"lr": 1e-2}, {"seed": 1}, {"micro_batch_size": 2}, {"dtype": torch.bfloat16}])
def test_a_checkpoint_of_other_settings_is_refused_in_one_line(tiny, tmp_path, changes):
    config = settings(checkpoint_every=4)
    list(begin(tiny, config, tmp_path)[1])
    with pytest.raises(qlora.SetupError) as caught:
        next(begin(tiny, settings(checkpoint_every=4, **changes), tmp_path)[1])
    message = str(caught.value)
    assert "\n" not in message and next(iter(changes)) in message and str(tmp_path) in message


@pytest.mark.parametrize("rank", [1, 8])
def test_a_checkpoint_of_other_adapters_is_refused_in_one_line(tiny, tmp_path, rank):
    config = settings(checkpoint_every=4)
    list(begin(tiny, config, tmp_path)[1])
    model, tokenizer = bench.adapted(tiny, r=rank)
    with pytest.raises(qlora.SetupError) as caught:
        next(qlora.train(model, bench.updates(tokenizer, config, 20), config, folder=tmp_path))
    assert "\n" not in str(caught.value) and "adapter" in str(caught.value)


def test_a_broken_checkpoint_is_named_in_one_line(tiny, tmp_path):
    config = settings(checkpoint_every=4)
    list(begin(tiny, config, tmp_path)[1])
    file = tmp_path / "checkpoint.pt"
    file.write_bytes(file.read_bytes()[:-500])
    with pytest.raises(qlora.SetupError) as caught:
        next(begin(tiny, config, tmp_path)[1])
    assert "\n" not in str(caught.value) and "checkpoint.pt" in str(caught.value)


@pytest.mark.parametrize("how", ["before a byte", "half way", "before it is renamed"])
def test_a_crash_while_writing_leaves_the_checkpoint_before(tiny, tmp_path, monkeypatch, how):
    config = settings(checkpoint_every=4)
    expected = facts(begin(tiny, config, tmp_path / "whole")[1])
    save, replace = torch.save, os.replace

    def failing(kept, file):
        if kept["step"] < 8:
            return save(kept, file)
        if how == "half way":
            whole = io.BytesIO()
            save(kept, whole)
            stream = open(file, "wb") if isinstance(file, (str, os.PathLike)) else file
            stream.write(whole.getvalue()[: len(whole.getvalue()) // 2])
            stream.flush()
        raise OSError("no space left on device")

    def not_renaming(source, target):
        if torch.load(source, weights_only=True)["step"] == 8:
            raise OSError("killed")
        replace(source, target)

    with monkeypatch.context() as patch:
        if how == "before it is renamed":
            patch.setattr(os, "replace", not_renaming)
        else:
            patch.setattr(torch, "save", failing)
        with pytest.raises(OSError):
            list(begin(tiny, config, tmp_path / "run")[1])
    assert facts(begin(tiny, config, tmp_path / "run")[1]) == expected[4:]


# From the command line


def arguments(tiny, tmp_path, *more):
    data = bench.write_data(tmp_path / "data.jsonl", 48)
    sizes = ["--epochs", 5, "--micro-batch-size", 4, "--max-updates", 60, "--checkpoint-every", 7, "--rank", 4]
    return ["--model", tiny, "--data", data, *sizes, *more]


def in_this_process(monkeypatch, *options):
    monkeypatch.setattr("sys.argv", ["qlora", *map(str, options)])
    command_line.main()


def recorded(folder):
    rows = recordings.load(Path(folder) / "run.jsonl").rows
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rows]


def test_a_run_killed_at_a_random_update_ends_as_if_it_had_not_been(tiny, tmp_path, monkeypatch):
    seed = random.SystemRandom().randrange(10**6)
    when, after = random.Random(seed).randint(2, 58), random.Random(seed + 1).random() * 0.05
    print(f"\nseed {seed}: killed after update {when}, {after * 1000:.0f} ms later")
    out, options = tmp_path / "killed", arguments(tiny, tmp_path)
    log = out / "log.jsonl"
    with open(tmp_path / "stderr", "wb") as stderr:
        process = subprocess.Popen(
            bench.command(*options, "--out", out), cwd=bench.ROOT, env=bench.environment(), stderr=stderr
        )
        try:
            end = time.monotonic() + PATIENCE
            while not log.exists() or log.read_bytes().count(b"\n") < when:
                assert process.poll() is None, (tmp_path / "stderr").read_text()
                assert time.monotonic() < end, "it never got there"
                time.sleep(0.001)
            time.sleep(after)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
    assert process.returncode == -signal.SIGKILL and not (out / "run.jsonl").exists()
    done = bench.run(*options, "--out", out)
    assert done.returncode == 0, done.stderr
    in_this_process(monkeypatch, *options, "--out", tmp_path / "unbroken")
    assert len(recorded(out)) == 60
    assert recorded(out) == recorded(tmp_path / "unbroken")
    written = [
        (folder / "adapter" / "adapter_model.safetensors").read_bytes() for folder in (out, tmp_path / "unbroken")
    ]
    assert written[0] == written[1]


def test_a_log_whose_last_line_was_cut_short_is_taken_up(tiny, tmp_path, monkeypatch):
    options = arguments(tiny, tmp_path, "--max-updates", 12)
    in_this_process(monkeypatch, *options, "--out", tmp_path / "unbroken")
    for file in ("checkpoint.pt", "log.jsonl"):
        (tmp_path / "cut").mkdir(exist_ok=True)
        (tmp_path / "cut" / file).write_bytes((tmp_path / "unbroken" / file).read_bytes())
    log = tmp_path / "cut" / "log.jsonl"
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:9])[:-20])
    in_this_process(monkeypatch, *options, "--out", tmp_path / "cut")
    assert recorded(tmp_path / "cut") == recorded(tmp_path / "unbroken")


def test_rows_of_a_run_that_was_begun_anew_are_not_mixed_in(tiny, tmp_path, monkeypatch):
    out = tmp_path / "out"
    in_this_process(monkeypatch, *arguments(tiny, tmp_path, "--max-updates", 9), "--out", out)
    (out / "checkpoint.pt").unlink()
    for file in (out / "adapter").iterdir():
        file.unlink()
    (out / "adapter").rmdir()
    in_this_process(monkeypatch, *arguments(tiny, tmp_path, "--max-updates", 5), "--out", out)
    assert [row["step"] for row in recorded(out)] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("options", "say"),
    [
        (["--model", "no/such/folder"], "no model no/such/folder"),
        (["--data", "nowhere.jsonl"], "nowhere.jsonl"),
    ],
)
def test_what_cannot_run_is_said_in_one_line(tiny, tmp_path, monkeypatch, options, say):
    with pytest.raises(SystemExit) as caught:
        in_this_process(monkeypatch, "--model", tiny, *options, "--out", tmp_path / "out")
    message = str(caught.value.code)
    assert message.startswith("qlora: ") and say in message and "\n" not in message
