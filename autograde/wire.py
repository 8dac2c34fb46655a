"""Plain data as JSON and back: what may cross between a learner's code and the grader.

Numbers, strings, lists, dicts, dtypes and raw tensor bytes; never pickle. `encode` runs beside the learner's code and
is lenient; `decode` runs on the trusted side and believes nothing: kinds, sizes, dtypes and depth are all checked.
"""

import base64
import binascii
import decimal
import math
import numbers

import numpy as np
import torch

MAX_BYTES = 16 << 20
MAX_DEPTH = 8
MAX_BITS = 63  # of an integer: what int64 holds

_NAMES = "float64 float32 float16 bfloat16 int64 int32 int16 int8 uint8 bool".split()
DTYPES = {name: getattr(torch, name) for name in _NAMES}


class WireError(ValueError):
    """Something that cannot cross: an object that is no plain data, or a message that breaks the format."""


def encode(value, depth=0):
    """Plain data → a JSON-able object. Raises WireError, naming the type, for anything else."""
    if depth > MAX_DEPTH:
        raise WireError(f"data nested more than {MAX_DEPTH} deep")
    if isinstance(value, torch.Tensor):
        tensor = torch.Tensor.detach(value).cpu().resolve_neg().contiguous()
        name = str(tensor.dtype).removeprefix("torch.")
        if name not in DTYPES or tensor.layout is not torch.strided:
            raise WireError(f"a {value.layout} tensor of {value.dtype}")
        if tensor.numel() < 2:  # it counts as contiguous with any stride, and not for `view`
            tensor = tensor.clone(memory_format=torch.contiguous_format)
        raw = tensor.reshape(-1).view(torch.uint8).numpy().tobytes()
        return {"tensor": [name, list(tensor.shape), base64.b64encode(raw).decode()]}
    if isinstance(value, str | np.str_):
        return {"plain": str(value)}
    if isinstance(value, np.ndarray | np.generic):
        value = value.astype(np.float64) if value.dtype == np.longdouble else value
        try:
            return encode(torch.from_numpy(np.ascontiguousarray(value).reshape(value.shape)))
        except TypeError:
            raise WireError(f"a numpy array of {value.dtype}") from None
    if isinstance(value, torch.dtype):
        return {"dtype": str(value).removeprefix("torch.")}
    if value is None or isinstance(value, bool):
        return {"plain": value}
    if isinstance(value, int):
        if int(value).bit_length() > MAX_BITS:
            raise WireError("a number too large for 64 bits")
        return {"plain": int(value)}
    if isinstance(value, numbers.Real | decimal.Decimal):
        return {"plain": float(value)}
    if isinstance(value, list | tuple):
        return {"list": [encode(item, depth + 1) for item in value]}
    if isinstance(value, dict):
        return {"dict": [[str(key), encode(item, depth + 1)] for key, item in value.items()]}
    raise WireError(f"something of type {type(value).__name__}")


def decode(message, depth=0):
    """The object that `encode` described; tuples come back as lists. Raises WireError for anything out of form."""
    if depth > MAX_DEPTH or type(message) is not dict or len(message) != 1:
        raise WireError("malformed message")
    ((kind, body),) = message.items()
    if kind == "tensor":
        return _tensor(body)
    if kind == "dtype" and type(body) is str and body in DTYPES:
        return DTYPES[body]
    if kind == "plain" and type(body) in (type(None), bool, float, str):
        return body
    if kind == "plain" and type(body) is int and body.bit_length() <= MAX_BITS:
        return body
    if kind == "list" and type(body) is list:
        return [decode(item, depth + 1) for item in body]
    if kind == "dict" and type(body) is list and all(_is_entry(entry) for entry in body):
        return {key: decode(item, depth + 1) for key, item in body}
    raise WireError(f"malformed message of kind {str(kind)[:20]!r}")


def _is_entry(entry):
    return type(entry) is list and len(entry) == 2 and type(entry[0]) is str


def _tensor(body):
    if type(body) is not list or len(body) != 3:
        raise WireError("malformed tensor")
    name, shape, text = body
    if type(name) is not str or name not in DTYPES or type(text) is not str or len(text) > 2 * MAX_BYTES:
        raise WireError("malformed tensor")
    if type(shape) is not list or len(shape) > 8 or not all(type(n) is int and 0 <= n < 1 << 31 for n in shape):
        raise WireError("malformed tensor shape")
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise WireError("malformed tensor bytes") from None
    dtype = DTYPES[name]
    if (
        math.prod(max(n, 1) for n in shape) > MAX_BYTES
    ):  # rows without a column have no bytes, and are work all the same
        raise WireError("a tensor of too many rows")
    if len(raw) != math.prod(shape) * dtype.itemsize:
        raise WireError("tensor bytes do not fit its shape")
    if dtype is torch.bool and raw.strip(b"\0\1"):
        raise WireError("malformed bool tensor")
    return torch.frombuffer(bytearray(raw), dtype=dtype).reshape(shape) if raw else torch.empty(shape, dtype=dtype)
