"""What the machine is, in plain words, and what fits on it."""

import pytest

from course.lab import hardware

T4 = {"name": "Tesla T4", "bytes": 15 * 2**30, "capability": (7, 5), "bfloat16": False}
H100 = {"name": "NVIDIA H100", "bytes": 80 * 2**30, "capability": (9, 0), "bfloat16": True}


def test_without_a_gpu_it_says_so_and_that_every_week_runs(monkeypatch):
    monkeypatch.setattr(hardware, "gpus", lambda: [])
    text = hardware.describe()
    assert "GPU: none that torch can use" in text or "Apple" in text
    assert "every week" in text and "small base model that ships with the course" in " ".join(text.split())


@pytest.mark.parametrize(
    "gpu, dtype, fitting, too_large", [(T4, "float16", "14B", "32B"), (H100, "bfloat16", "72B", "7B")]
)
def test_a_gpu_is_named_with_its_dtype_and_the_largest_models_that_fit(monkeypatch, gpu, dtype, fitting, too_large):
    monkeypatch.setattr(hardware, "gpus", lambda: [gpu])
    text = " ".join(hardware.describe().split())
    assert gpu["name"] in text and f"mixed precision in {dtype}" in text
    assert "Of the well-known models the largest that fit" in text and fitting in text and f"-{too_large}" not in text
    assert ("it has no bfloat16" in text) == (not gpu["bfloat16"])


def test_the_short_name_says_how_many_cores():
    assert hardware.short().startswith(f"{hardware.cores()} core")
