"""The codec: all plain data comes back as it was, and nothing malformed is believed."""

import base64
import json
import math

import numpy as np
import pytest
import torch

from autograde import wire


def there_and_back(value):
    return wire.decode(json.loads(json.dumps(wire.encode(value))))


@pytest.mark.parametrize("name", wire.DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3, 4)])
def test_tensors_of_every_dtype_and_shape(name, shape):
    tensor = (torch.randn(shape) * 3).to(wire.DTYPES[name])
    back = there_and_back(tensor)
    assert back.dtype == tensor.dtype and back.shape == tensor.shape and torch.equal(back, tensor)


def test_bits_survive_nan_and_infinity_too():
    tensor = torch.tensor([math.nan, math.inf, -math.inf, -0.0])
    assert torch.equal(there_and_back(tensor).view(torch.int32), tensor.view(torch.int32))


VIEWS = [torch.arange(6).reshape(2, 3).T, torch.ones(3, requires_grad=True), torch.ones(2, 8)[:, ::2]]
VIEWS += [torch.arange(5.0).reshape(1, 5)[:, -1], torch.ones(0, 5)[:, 2], torch.ones(3, 3)[2:, 1]]
PLAIN = [None, True, 3, -2.5, math.inf, "ä\n", [], [1, ["x", None]], {"k": {"l": [1.0]}}, torch.float16]
NOT_PLAIN = [object(), {1, 2}, lambda: 0, np.array(["a"]), torch.ones(2, dtype=torch.complex64), b"x"]


@pytest.mark.parametrize("tensor", VIEWS)
def test_views_and_tensors_in_a_graph(tensor):
    assert torch.equal(there_and_back(tensor), tensor.detach())


@pytest.mark.parametrize("value", PLAIN)
def test_plain_values(value):
    assert there_and_back(value) == value


def test_numpy_and_tuples_come_back_as_tensors_and_lists():
    assert torch.equal(there_and_back(np.arange(4.0)), torch.arange(4.0, dtype=torch.float64))
    assert there_and_back(np.float32(2)).item() == 2
    assert there_and_back((1, 2)) == [1, 2]


@pytest.mark.parametrize("value", NOT_PLAIN)
def test_what_is_no_plain_data_is_named(value):
    with pytest.raises(wire.WireError):
        wire.encode(value)


def nested(depth):
    return {"list": [nested(depth - 1)]} if depth else {"plain": 1}


ZEROS = base64.b64encode(bytes(8)).decode()


@pytest.mark.parametrize(
    "message",
    [
        None,
        [],
        {},
        {"plain": 1, "list": []},
        {"plain": [1]},
        {"plain": 2**wire.MAX_BITS},
        {"list": 3},
        {"dict": [["k"]]},
        {"dict": [[1, {"plain": 1}]]},
        {"dtype": "object"},
        {"pickle": ZEROS},
        {"tensor": ["float32", [3], ZEROS]},
        {"tensor": ["float32", [-2], ZEROS]},
        {"tensor": ["float32", [2.0], ZEROS]},
        {"tensor": ["float32", [True, 2], ZEROS]},
        {"tensor": ["float32", [1 << 40], ZEROS]},
        {"tensor": ["float32", [1] * 9, ZEROS]},
        {"tensor": ["qint8", [8], ZEROS]},
        {"tensor": [["float32"], [2], ZEROS]},
        {"tensor": ["float32", [2], "not base64!"]},
        {"tensor": ["bool", [1], base64.b64encode(b"\2").decode()]},
        {"tensor": ["uint8", [wire.MAX_BYTES * 3], "A" * (4 * wire.MAX_BYTES)]},
        nested(wire.MAX_DEPTH + 1),
    ],
)
def test_a_malformed_message_is_refused(message):
    with pytest.raises(wire.WireError):
        wire.decode(message)


def test_endless_nesting_is_refused():
    loop = []
    loop.append(loop)
    with pytest.raises(wire.WireError, match="nested"):
        wire.encode(loop)
