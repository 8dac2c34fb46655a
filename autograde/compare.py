"""Whether a result is the expected one, and the words for where it is not. Plain data only (wire.py)."""

import itertools
import math

import torch

from autograde.exercise import Tolerance


def compare(got, expected, tolerance: Tolerance) -> str | None:
    """None where they agree, else the reason in a few words.

    The width of a dtype never matters; its kind does: ids and masks are no floats, though a whole number may be one.
    """
    reason = _difference(got, expected, tolerance)
    return f"{reason}: is a `return` missing?" if reason and got is None else reason


def kind(value) -> str:
    """What a value is, for a reader: 'a (2, 3) tensor of float32', 'None', 'a list of 4', 'an int'."""
    if isinstance(value, torch.Tensor):
        shape = f"{tuple(value.shape)} " if value.ndim else "scalar "
        return f"a {shape}tensor of {_name(value.dtype)}"
    if value is None:
        return "None"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    return f"{'an' if type(value).__name__[0] in 'aeiou' else 'a'} {type(value).__name__}"


def short(value, limit=240):
    """A value as a reader wants it: numbers of a small tensor, shape and dtype of a large one."""
    if isinstance(value, torch.Tensor):
        if value.numel() <= 24 and max(value.shape, default=1) <= 24:  # one of many rows and no column is large too
            values = value.tolist()
            text = str(
                values if value.ndim > 1 else [*map(_short_number, values)] if value.ndim else _short_number(values)
            )
            return (text if len(text) <= limit else text[:limit] + " …").replace("'", "")
        return kind(value)
    if isinstance(value, float):
        return _short_number(value)
    if isinstance(value, dict):
        text = "{" + _joined(f"{k}: {short(v, 80)}" for k, v in value.items()) + "}"
    elif isinstance(value, list | tuple):
        text = "[" + _joined(short(v, 80) for v in value) + "]"
    else:
        text = repr(value[: 2 * limit] if isinstance(value, str) else value)
    return text if len(text) <= limit else text[:limit] + " …"


def _joined(parts, most=100):
    """The first parts of many: no reader sees more of them."""
    return ", ".join(itertools.islice(parts, most))


def _difference(got, expected, tolerance):
    if isinstance(expected, dict):
        if not isinstance(got, dict):
            return f"returned {kind(got)}, expected a dict"
        if set(got) != set(expected):
            missing, extra = sorted(set(expected) - set(got)), sorted(set(got) - set(expected))
            return "; ".join(
                [f"key {k!r} is missing" for k in missing[:2]] + [f"key {k!r} is not asked for" for k in extra[:2]]
            )
        return next((f"{k!r}: {r}" for k, e in expected.items() if (r := _difference(got[k], e, tolerance))), None)
    if isinstance(expected, list | tuple) and not _numbers(expected):
        got = got.tolist() if isinstance(got, torch.Tensor) and got.ndim else got
        if not isinstance(got, list | tuple) or len(got) != len(expected):
            return f"returned {kind(got)}, expected {len(expected)} values"
        pairs = enumerate(zip(got, expected, strict=True), 1)
        return next((f"value {i}: {r}" for i, (g, e) in pairs if (r := _difference(g, e, tolerance))), None)
    if isinstance(expected, str | torch.dtype) or expected is None:
        return None if type(got) is type(expected) and got == expected else f"returned {short(got)}"
    expected_tensor = _tensor(expected)
    if _count(got) > 4 * expected_tensor.numel() + 64:  # far too many: not worth the time to make a tensor of them
        return f"returned {kind(got)}, expected {kind(expected)}"
    got_tensor = _tensor(got)
    if got_tensor is None:
        return f"returned {kind(got)}, expected {kind(expected)}"
    return _compare_tensors(got_tensor, expected_tensor, tolerance)


def _compare_tensors(got, expected, tolerance):
    if got.shape != expected.shape:
        return f"shape {_shape(got)}, expected {_shape(expected)}"
    kinds = _dtype_kind(got), _dtype_kind(expected)
    a_number = kinds == ("integer", "real") or (kinds == ("real", "integer") and got.ndim == 0)
    if kinds[0] != kinds[1] and not a_number:
        return f"{kinds[0]} values ({_name(got.dtype)}), expected {kinds[1]} values"
    if "real" in kinds:
        got, expected = got.double(), expected.double()
        wrong = ~torch.isclose(got, expected, rtol=tolerance.rtol, atol=tolerance.atol, equal_nan=True)
    else:
        wrong = got != expected
    if not bool(wrong.any()):
        return None
    where = wrong.nonzero()[0].tolist()
    values = f"{_short_number(got[tuple(where)].item())} instead of {_short_number(expected[tuple(where)].item())}"
    if not where:
        return values
    return f"{int(wrong.sum())} of {wrong.numel()} values differ, the first at {where}: {values}"


def _count(value):
    """Numbers in a value, lists in lists included."""
    return sum(map(_count, value)) if isinstance(value, list | tuple) else 1


def _numbers(values):
    return bool(values) and all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)


def _tensor(value):
    """A tensor of `value` where it is a number, numbers in lists, or a tensor; else None."""
    if isinstance(value, torch.Tensor):
        return value
    if isinstance(value, bool | int | float):
        return torch.tensor(value, dtype=torch.float64 if isinstance(value, float) else None)
    if isinstance(value, list | tuple) and value:
        items = [_tensor(item) for item in value]
        if all(item is not None and item.shape == items[0].shape for item in items):
            real = any(item.is_floating_point() for item in items)
            return torch.stack([item.double() if real else item for item in items])
    return None


def _dtype_kind(tensor):
    return "bool" if tensor.dtype is torch.bool else "real" if tensor.is_floating_point() else "integer"


def _shape(tensor):
    return str(tuple(tensor.shape)) if tensor.ndim else "() (a scalar)"


def _name(dtype):
    return str(dtype).removeprefix("torch.")


def _short_number(x):
    return f"{x:.6g}" if isinstance(x, float) and math.isfinite(x) else str(x)
