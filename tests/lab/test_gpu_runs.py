"""What a GPU is owed can be tried on a CPU at any time, through the same code."""

import pytest
import torch

from course.lab import gpu_runs, recordings
from course.lab.peak import static_bytes
from course.lab.qlora.random_base import random_base
from course.lab.shapes import Shape


@pytest.mark.parametrize("step", gpu_runs.STEPS)
def test_a_dry_run_records_the_step_under_a_name_that_says_so(step, tmp_path, capsys):
    torch.set_num_threads(1)
    assert gpu_runs.main(["--dry-run", "--out", str(tmp_path), step]) == 0
    (file,) = tmp_path.iterdir()
    assert file.name == f"gpu_{step}_dry_run.jsonl"
    recording = recordings.load(file)
    assert recording.figures and "core" in recording.header["hardware"]
    if step in ("effect", "precision"):  # what a T4 computes in
        assert any(key.startswith("float16") for key in recording.figures)


def test_a_step_that_fails_is_named_and_the_others_are_recorded(tmp_path, monkeypatch, capsys):
    def broken(machine):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(gpu_runs, "STEPS", {"broken": broken, "fine": lambda machine: ({}, {"x": 1.0}, [])})
    assert gpu_runs.main(["--dry-run", "--out", str(tmp_path)]) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["gpu_fine_dry_run.jsonl"]
    assert "Failed: broken." in capsys.readouterr().err


def test_without_a_gpu_one_line_names_the_dry_run(monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert gpu_runs.main([]) == 1
    assert "--dry-run" in capsys.readouterr().err


def test_a_random_base_is_quantized_as_load_base_would_and_fits_the_ledger():
    from bitsandbytes.nn import Linear4bit

    from course.lab import memory

    shape = Shape(128, 384, 3, 2, 1, 512)
    model = random_base(shape)
    kinds = {name.rsplit(".")[-1]: type(m) for name, m in model.named_modules() if isinstance(m, torch.nn.Linear)}
    assert kinds.pop("lm_head") is torch.nn.Linear
    assert set(kinds.values()) == {Linear4bit}
    assert all(p.device.type == "cpu" and not p.requires_grad for p in model.parameters())
    predicted = memory.ledger(shape, 64, rank=8)
    base = predicted.base_weights_4bit + predicted.quantization_constants + predicted.unquantized_weights
    assert static_bytes(model) == pytest.approx(base, rel=0.01)
    assert torch.isfinite(model(input_ids=torch.arange(10)[None]).logits).all()
