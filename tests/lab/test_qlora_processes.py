"""Several processes share out an update's micro-batches and come to the losses of one."""

import json

import pytest

from course.lab import recordings
from course.lab.qlora import __main__ as command_line
from tests.lab import qlora_bench as bench

LAUNCHERS = {
    "torchrun": ["torch.distributed.run", "--standalone", "--nproc_per_node", "2"],
    # `--cpu` would start a single process, whatever --num_processes says; --multi_gpu takes CPUs where there is no GPU.
    "accelerate": ["accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--main_process_port", "0"],
}
# 73 conversations in micro-batches of 2: the last of 10 updates has one micro-batch, for the first process alone.
SIZES = ("--micro-batch-size", 2, "--accumulation-steps", 4, "--rank", 4)


@pytest.fixture
def alone(tiny, tmp_path, one_thread, monkeypatch):
    """What one process records, and the arguments of the same run."""
    arguments = ["--model", tiny, "--data", bench.write_data(tmp_path / "data.jsonl", 73), *SIZES]
    monkeypatch.setattr("sys.argv", ["qlora", *map(str, arguments), "--out", str(tmp_path / "alone")])
    command_line.main()
    return recordings.load(tmp_path / "alone" / "run.jsonl").rows, arguments


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_two_processes_have_the_losses_of_one(launcher, alone, tmp_path):
    expected, arguments = alone
    assert len(expected) == 10 and expected[-1]["tokens"] < min(row["tokens"] for row in expected[:-1])
    options = LAUNCHERS[launcher] + (["--num_machines", "1", "--mixed_precision", "no"] * (launcher == "accelerate"))
    options += ["--dynamo_backend", "no", "--module"] * (launcher == "accelerate")
    more = {"HF_HOME": str(tmp_path / "huggingface"), "CUDA_VISIBLE_DEVICES": ""}
    done = bench.run(*arguments, "--out", tmp_path / "two", launcher=options, **more)
    assert done.returncode == 0, done.stderr
    rows = recordings.load(tmp_path / "two" / "run.jsonl").rows
    difference = max(abs(row["loss"] - one["loss"]) for row, one in zip(rows, expected, strict=True))
    print(f"\n{launcher}: losses differ by {difference:.2e} at most")
    assert difference <= 1e-5
    assert [(r["step"], r["tokens"], r["lr"]) for r in rows] == [(r["step"], r["tokens"], r["lr"]) for r in expected]
    written = [json.loads(line)["step"] for line in (tmp_path / "two" / "log.jsonl").read_text().splitlines()]
    assert written == list(range(1, 11)), "more than one process wrote the log"
