"""What counts as equal, and the words for what does not."""

import pytest
import torch

from autograde.compare import compare
from autograde.exercise import Tolerance


@pytest.mark.parametrize(
    ("got", "expected", "reason"),
    [
        (1, 1.0, None),
        (2.0, 2, None),
        (torch.tensor(2), 2.0, None),
        ([1.0, 2.0], torch.tensor([1.0, 2.0]), None),
        (torch.tensor([1.0, 2.0]), [1.0, 2.0], None),
        ([], [], None),
        ([[1, 2], [3, 4]], torch.tensor([[1, 2], [3, 4]]), None),
        (torch.empty(0), [], None),
        ({"a": 1.0}, {"a": 1.0}, None),
        (float("nan"), float("nan"), None),
        (torch.float16, torch.float16, None),
        ("same", "same", None),
        (None, None, None),
        (True, True, None),
        (1, True, "integer values (int64), expected bool values"),
        (torch.tensor([1.0]), torch.tensor([1]), "real values (float32), expected integer values"),
        (float("inf"), 1.0, "inf instead of 1"),
        (1.0, float("nan"), "1 instead of nan"),
        ({"a": 1.0, "c": 2}, {"a": 1.0, "b": 2}, "key 'b' is missing; key 'c' is not asked for"),
        ({"a": 1.5}, {"a": 1.0}, "'a': 1.5 instead of 1"),
        ([1.0], [1.0, 2.0], "shape (1,), expected (2,)"),
        (["a"], ["a", "b"], "returned a list of 1, expected 2 values"),
        ("A", "B", "returned 'A'"),
        (torch.float32, torch.float16, "returned torch.float32"),
        (0.0, [[1, 2], [3]], "returned a float, expected 2 values"),
    ],
)
def test_comparing(got, expected, reason):
    assert compare(got, expected, Tolerance()) == reason
