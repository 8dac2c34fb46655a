"""Answers to decode_float, underflow_fraction, lost_update and pick_dtype whose worth is known."""

import math
from fractions import Fraction

import numpy as np
import torch

from autograde.audit import right, wrong

# --- decode_float -----------------------------------------------------------------------------------------------------


@right("week3.decode_float")
def decoded_from_text(bits, exponent_bits, mantissa_bits):
    text = format(bits, f"0{1 + exponent_bits + mantissa_bits}b")
    sign, field, digits = text[0], text[1 : 1 + exponent_bits], text[1 + exponent_bits :]
    negative = -1.0 if sign == "1" else 1.0
    if "0" not in field:
        return float("nan") if "1" in digits else negative * float("inf")
    value = 1.0 if "1" in field else 0.0
    for place, digit in enumerate(digits, start=1):
        value += int(digit) * 2.0**-place
    power = max(int(field, 2), 1) - (2 ** (exponent_bits - 1) - 1)
    return negative * value * 2.0**power


@right("week3.decode_float")
def decoded_by_ldexp(bits, exponent_bits, mantissa_bits):
    exponent, mantissa = divmod(bits & ((1 << exponent_bits + mantissa_bits) - 1), 1 << mantissa_bits)
    top, bias = (1 << exponent_bits) - 1, (1 << exponent_bits - 1) - 1
    if exponent == top:
        size = math.inf if not mantissa else math.nan
    else:
        implicit = (exponent > 0) << mantissa_bits
        size = math.ldexp(implicit | mantissa, max(exponent, 1) - bias - mantissa_bits)
    return math.copysign(size, -1 if bits > (1 << exponent_bits + mantissa_bits) - 1 else 1)


@right("week3.decode_float")
def decoded_in_fractions(bits, exponent_bits, mantissa_bits):
    whole = 2**mantissa_bits
    rest = bits % 2 ** (exponent_bits + mantissa_bits)
    sign = 1 if rest == bits else -1
    exponent, mantissa = rest // whole, rest % whole
    if exponent + 1 == 2**exponent_bits:
        return sign * (math.inf if mantissa == 0 else math.nan)
    unit = Fraction(2) ** (2 - 2 ** (exponent_bits - 1))
    if exponent:
        return float(sign * (1 + Fraction(mantissa, whole)) * unit * 2 ** (exponent - 1))
    return float(sign * Fraction(mantissa, whole) * unit)


@right("week3.decode_float")
def decoded_by_numpy(bits, exponent_bits, mantissa_bits):
    places = np.arange(exponent_bits + mantissa_bits, -1, -1)
    flags = np.array([bits >> int(place) & 1 for place in places])
    exponent = int(sum(int(f) << (exponent_bits - 1 - i) for i, f in enumerate(flags[1 : exponent_bits + 1])))
    fraction = float(flags[exponent_bits + 1 :] @ 0.5 ** np.arange(1, mantissa_bits + 1))
    sign, bias = 1 - 2 * int(flags[0]), 2 ** (exponent_bits - 1) - 1
    match exponent:
        case 0:
            return sign * np.ldexp(fraction, 1 - bias)
        case _ if exponent == 2 * bias + 1:
            return np.float64("nan") if fraction else sign * np.inf
    return sign * np.ldexp(1 + fraction, exponent - bias)


@right("week3.decode_float")
def decoded_by_one_formula(bits, exponent_bits, mantissa_bits):
    bias = (1 << exponent_bits) // 2 - 1

    def field(low, width):
        return (bits >> low) & ~(-1 << width)

    sign = (1.0, -1.0)[field(exponent_bits + mantissa_bits, 1)]
    e, m = field(mantissa_bits, exponent_bits), field(0, mantissa_bits)
    kinds = {0: lambda: m * 2.0 ** (1 - bias - mantissa_bits), 2 * bias + 1: lambda: math.nan if m else math.inf}
    return sign * kinds.get(e, lambda: (m / (1 << mantissa_bits) + 1) * 2.0 ** (e - bias))()


@right("week3.decode_float")
def decoded_by_torch(bits, exponent_bits, mantissa_bits):
    word = torch.tensor(bits)
    mantissa = word.remainder(1 << mantissa_bits).double() / (1 << mantissa_bits)
    exponent = (word.bitwise_right_shift(mantissa_bits) % (1 << exponent_bits)).item()
    bias = torch.tensor(1 << (exponent_bits - 1)).sub(1).item()
    if exponent > 2 * bias:
        value = torch.where(mantissa > 0, torch.nan, torch.inf)
    elif exponent > 0:
        value = (mantissa + 1).ldexp(torch.tensor(exponent - bias))
    else:
        value = mantissa * 2.0 ** (1 - bias)
    return float(-value if bits >> (exponent_bits + mantissa_bits) else value)


@right("week3.decode_float")
def decoded_from_the_lowest_bit(bits, exponent_bits, mantissa_bits):
    value = 0.0
    for _ in range(mantissa_bits):
        bits, digit = bits >> 1, bits & 1
        value = (value + digit) / 2
    exponent, ones = 0, True
    for place in range(exponent_bits):
        ones = ones and bool(bits & 1)
        exponent += (bits & 1) << place
        bits >>= 1
    if ones:
        value = math.nan if value > 0 else math.inf
    else:
        value += 1.0 if exponent else 0.0
        steps = (exponent or 1) - (1 << exponent_bits - 1) + 1
        while steps:
            value, steps = (value * 2, steps - 1) if steps > 0 else (value / 2, steps + 1)
    return -value if bits else value


@wrong("week3.decode_float", "no subnormals")
def always_a_leading_one(bits, exponent_bits, mantissa_bits):
    text = f"{bits:0{1 + exponent_bits + mantissa_bits}b}"
    field, digits = text[1 : exponent_bits + 1], text[exponent_bits + 1 :]
    if set(field) == {"1"}:
        return float("-inf" if text[0] == "1" else "inf") if "1" not in digits else float("nan")
    value = int("1" + digits, 2) / 2**mantissa_bits * 2.0 ** (int(field, 2) - 2 ** (exponent_bits - 1) + 1)
    return -value if text[0] == "1" else value


@wrong("week3.decode_float", "bias one too large")
def half_of_the_exponents_below_one(bits, exponent_bits, mantissa_bits):
    sign, exponent = bits >> exponent_bits + mantissa_bits, bits >> mantissa_bits & (1 << exponent_bits) - 1
    mantissa, bias = bits & (1 << mantissa_bits) - 1, 1 << (exponent_bits - 1)
    if exponent == (1 << exponent_bits) - 1:
        return math.nan if mantissa else (-math.inf if sign else math.inf)
    size = math.ldexp(mantissa + (1 << mantissa_bits) * (exponent > 0), max(exponent, 1) - bias - mantissa_bits)
    return -size if sign else size


@wrong("week3.decode_float", "subnormals one power of two too small")
def exponent_zero_taken_literally(bits, exponent_bits, mantissa_bits):
    exponent = bits >> mantissa_bits & 2**exponent_bits - 1
    mantissa, bias = bits & 2**mantissa_bits - 1, 2 ** (exponent_bits - 1) - 1
    sign = -1.0 if bits >> mantissa_bits + exponent_bits else 1.0
    if exponent == 2 * bias + 1:
        return sign * math.inf if mantissa == 0 else math.nan
    return sign * ((exponent > 0) + mantissa / 2**mantissa_bits) * 2.0 ** (exponent - bias)


@wrong("week3.decode_float", "the bias of float16 everywhere")
def numpys_half_precision_in_mind(bits, exponent_bits, mantissa_bits):
    sign, rest = divmod(bits, 1 << (exponent_bits + mantissa_bits))
    exponent, mantissa = rest >> mantissa_bits, rest % (1 << mantissa_bits)
    value = mantissa / 2**mantissa_bits * 2.0**-14
    if exponent:
        value = (1 + mantissa / 2**mantissa_bits) * 2.0 ** (exponent - 15)
    if exponent == 2**exponent_bits - 1:
        value = math.nan if mantissa else math.inf
    return value * (-1) ** sign


@wrong("week3.decode_float")
def a_float32_without_its_tail(bits, exponent_bits, mantissa_bits):
    word = np.array(bits << (31 - exponent_bits - mantissa_bits), dtype=np.uint64).astype(np.uint32)
    return float(word.view(np.float32))


@wrong("week3.decode_float")
def an_integer_with_a_sign(bits, exponent_bits, mantissa_bits):
    sign, rest = divmod(bits, 1 << (exponent_bits + mantissa_bits))
    return float(rest if sign == 0 else -rest)


@wrong("week3.decode_float")
def by_torchs_own_view(bits, exponent_bits, mantissa_bits):
    word = torch.tensor(bits - (1 << 16) * (bits >> 15), dtype=torch.int16)
    return word.view(torch.float16 if exponent_bits == 5 else torch.bfloat16).item()


@wrong("week3.decode_float", "inf in place of NaN")
def overflow_for_every_top_exponent(bits, exponent_bits, mantissa_bits):
    exponent = bits // 2**mantissa_bits % 2**exponent_bits
    sign = -1 if bits >= 2 ** (exponent_bits + mantissa_bits) else 1
    if exponent == 2**exponent_bits - 1:
        return sign * float("inf")
    digits = bits % 2**mantissa_bits + (2**mantissa_bits if exponent else 0)
    return sign * math.ldexp(digits, max(1, exponent) - mantissa_bits - 2 ** (exponent_bits - 1) + 1)


# --- underflow_fraction -----------------------------------------------------------------------------------------------


@right("week3.underflow_fraction")
def fraction_of_those_that_are_there(tensor, dtype, scale=1.0):
    entries = tensor[tensor != 0] * scale
    if entries.numel() == 0:
        return 0.0
    return entries.to(dtype).eq(0).float().mean()


@right("week3.underflow_fraction")
def fraction_by_counting(tensor, dtype, scale=1.0):
    before = torch.count_nonzero(tensor)
    after = torch.count_nonzero((scale * tensor).type(dtype))
    return 1 - int(after) / int(before) if before else 0.0


@right("week3.underflow_fraction")
def fraction_by_a_loop(tensor, dtype, scale=1.0):
    lost = there = 0
    for value in tensor.flatten():
        if value.item() != 0.0:
            there += 1
            lost += (value * scale).to(dtype).item() == 0.0
    return lost / there if there > 0 else 0.0


@right("week3.underflow_fraction")
def fraction_below_half_the_smallest(tensor, dtype, scale=1.0):
    info = torch.finfo(dtype)
    border = info.smallest_normal * info.eps / 2
    sizes = np.abs(tensor.double().numpy() * scale).ravel()
    sizes = sizes[sizes > 0]
    return float(np.mean(sizes <= border)) if sizes.size else 0.0


@right("week3.underflow_fraction")
def fraction_by_masks_and_sums(tensor, dtype, scale=1.0):
    alive = tensor.bool()
    cast = torch.mul(tensor, scale).to(dtype).bool()
    survivors, candidates = (alive & cast).sum(), alive.sum()
    return torch.nan_to_num((candidates - survivors) / candidates, nan=0.0)


@right("week3.underflow_fraction")
def fraction_by_where(tensor, dtype, scale=1.0):
    scaled = tensor.mul(scale).to(dtype)
    marks = torch.where(tensor == 0, torch.nan, (scaled == 0).double())
    share = marks.nanmean().item()
    return share if share == share else 0


@right("week3.underflow_fraction")
def fraction_by_sets_of_places(tensor, dtype, scale=1.0):
    def places(values):
        return set(map(tuple, values.nonzero().tolist()))

    there = places(tensor)
    try:
        return len(there - places((tensor * scale).to(dtype))) / len(there)
    except ZeroDivisionError:
        return 0.0


@wrong("week3.underflow_fraction", "subnormals counted as lost")
def flushed_to_zero(tensor, dtype, scale=1.0):
    values = tensor[tensor != 0].abs().double() * scale
    return (values < torch.finfo(dtype).smallest_normal).double().mean().item() if len(values) else 0.0


@wrong("week3.underflow_fraction", "true zeros counted as lost")
def share_of_zeros_after_the_cast(tensor, dtype, scale=1.0):
    cast = (tensor * scale).to(dtype)
    return (cast == 0).sum().item() / cast.numel()


@wrong("week3.underflow_fraction", "the scale left out")
def scale_given_and_forgotten(tensor, dtype, scale=1.0):
    entries = tensor[tensor != 0]
    return float((entries.to(dtype) == 0).double().mean()) if entries.numel() else 0.0


@wrong("week3.underflow_fraction", "the border at the smallest subnormal")
def below_the_smallest_number(tensor, dtype, scale=1.0):
    entries = (tensor[tensor != 0] * scale).abs()
    smallest = torch.finfo(dtype).tiny * torch.finfo(dtype).eps
    return float((entries < smallest).sum()) / max(1, len(entries))


@wrong("week3.underflow_fraction")
def share_of_what_changes(tensor, dtype, scale=1.0):
    there = tensor != 0
    cast = (tensor * scale).to(dtype).to(tensor.dtype)
    return ((cast != tensor * scale) & there).sum().item() / max(1, there.sum().item())


@wrong("week3.underflow_fraction")
def always_float16(tensor, dtype, scale=1.0):
    there = tensor[tensor != 0]
    return ((there * scale).half() == 0).sum().item() / max(1, len(there))


@wrong("week3.underflow_fraction")
def one_for_all_or_nothing(tensor, dtype, scale=1.0):
    return float(((tensor != 0) & ((tensor * scale).to(dtype) == 0)).any())


# --- lost_update ------------------------------------------------------------------------------------------------------


@right("week3.lost_update")
def lost_by_a_difference(weight, update, dtype):
    low = weight.to(dtype)
    gained = (low + update.to(dtype)).sub(low)
    return torch.logical_and(gained == 0, update.abs() > 0)


@right("week3.lost_update")
def lost_in_place_on_a_copy(weight, update, dtype):
    moved = weight.to(dtype, copy=True)
    moved += update.to(dtype)
    return moved.eq(weight.to(dtype)).logical_and_(update.bool())


@right("week3.lost_update")
def lost_by_rounding_a_wide_sum(weight, update, dtype):
    total = (weight.double() + update.double()).to(dtype)
    return (total == weight.to(dtype)).where(update != 0, False)


@right("week3.lost_update")
def lost_entry_by_entry(weight, update, dtype):
    verdicts = []
    for w, u in zip(weight.flatten(), update.flatten(), strict=True):
        w, kept = w.to(dtype), u.item() == 0
        verdicts.append(not kept and bool(w + u.to(dtype) == w))
    return torch.tensor(verdicts).reshape(weight.shape)


@right("week3.lost_update")
def lost_by_the_neighbour(weight, update, dtype):
    """Less than half of the way to the next number on the update's side."""
    low = weight.to(dtype)
    beyond = torch.nextafter(low, torch.where(update > 0, torch.inf, -torch.inf).to(dtype))
    way = (beyond.double() - low.double()).abs()
    return (update.double().abs() < way / 2) & (update != 0)


@right("week3.lost_update")
def lost_by_add_with_alpha(weight, update, dtype):
    stored, step = (t.detach().to(dtype) for t in (weight, update))
    unchanged = ~torch.ne(torch.add(stored, step, alpha=1), stored)
    unchanged[update == 0] = False
    return unchanged


@right("week3.lost_update")
def lost_as_a_list(weight, update, dtype):
    def stays(w, u):
        return u != 0 and torch.tensor(w, dtype=dtype).add(u).item() == w

    if weight.ndim > 1:
        return [lost_as_a_list(w, u, dtype) for w, u in zip(weight, update, strict=True)]
    return [stays(w, u) for w, u in zip(weight.tolist(), update.tolist(), strict=True)]


@wrong("week3.lost_update", "compares with eps")
def below_machine_epsilon(weight, update, dtype):
    return torch.logical_and(update.abs().lt(torch.finfo(dtype).eps / 2), update != 0)


@wrong("week3.lost_update", "half a spacing on both sides")
def half_of_the_next_number_up(weight, update, dtype):
    low = weight.to(dtype)
    away = torch.nextafter(low.abs(), torch.full_like(low, torch.inf)).double() - low.abs().double()
    return (update.double().abs() < away / 2) & (update != 0) & ((weight != 0) | (update == 0))


@wrong("week3.lost_update", "an update of zero counted")
def nothing_has_changed(weight, update, dtype):
    return weight.to(dtype).add(update.to(dtype)).eq(weight.to(dtype))


@wrong("week3.lost_update", "the other way round")
def what_has_changed(weight, update, dtype):
    stored = weight.to(dtype)
    return (stored + update.to(dtype)) != stored


@wrong("week3.lost_update", "looks at the update alone")
def underflown(weight, update, dtype):
    return torch.logical_and(update.to(dtype).eq(0), update.ne(0))


@wrong("week3.lost_update")
def any_lost(weight, update, dtype):
    low = weight.to(dtype)
    return ((low + update.to(dtype) == low) & (update != 0)).any()


@wrong("week3.lost_update")
def always_bfloat16(weight, update, dtype):
    low = weight.bfloat16()
    return (low + update.bfloat16() == low) & (update != 0)


@wrong("week3.lost_update")
def adds_in_place(weight, update, dtype):
    before = weight.clone()
    weight.copy_((weight.to(dtype) + update.to(dtype)).to(weight.dtype))
    return (weight == before) & (update != 0)


@wrong("week3.lost_update")
def relative_to_a_thousandth(weight, update, dtype):
    return (update.abs() < 1e-3 * weight.abs()) & (update != 0)


# --- pick_dtype -------------------------------------------------------------------------------------------------------


@right("week3.pick_dtype")
def picked_by_the_major_number(device_type, capability):
    if device_type == "cuda" and capability[0] < 8:
        return torch.float16
    return torch.bfloat16


@right("week3.pick_dtype")
def picked_by_default(device_type, capability):
    major, _ = capability or (8, 0)
    return torch.bfloat16 if major >= 8 else torch.float16


@right("week3.pick_dtype")
def picked_from_a_pair(device_type, capability):
    ampere = capability is None or 10 * capability[0] + capability[1] > 79
    return (torch.float16, torch.bfloat16)[ampere]


@right("week3.pick_dtype")
def picked_by_match(device_type, capability):
    match device_type, capability:
        case "cpu", _:
            return torch.bfloat16
        case "cuda", (major, _) if major in range(8):
            return torch.float16
        case _:
            return torch.bfloat16


@right("week3.pick_dtype")
def picked_by_name(device_type: str, capability: tuple | None) -> torch.dtype:
    old = device_type != "cpu" and capability < (8,)
    name = "float16" if old else "bfloat16"
    return getattr(torch, name)


@right("week3.pick_dtype")
def picked_by_a_table_of_old_ones(device_type, capability):
    formats = {major: torch.float16 for major in (1, 2, 3, 5, 6, 7)}
    return torch.bfloat16 if device_type == "cpu" else formats.get(capability[0], torch.bfloat16)


@right("week3.pick_dtype")
def picked_with_float_numbers(device_type, capability):
    try:
        generation = float(".".join(map(str, capability)))
    except TypeError:
        generation = float("inf")
    if generation >= 8:
        return torch.bfloat16
    else:
        return torch.float16


@wrong("week3.pick_dtype", "bfloat16 on a T4")
def bfloat16_for_all(device_type, capability):
    dtype = torch.bfloat16
    return dtype


@wrong("week3.pick_dtype", "asks the machine that runs this")
def what_torch_says(device_type, capability):
    if device_type == "cuda" and not torch.cuda.is_bf16_supported():
        return torch.float16
    return torch.bfloat16


@wrong("week3.pick_dtype", "float16 everywhere")
def the_classic(device_type, capability):
    return {"cpu": torch.float16, "cuda": torch.float16}[device_type]


@wrong("week3.pick_dtype", "any tensor cores")
def from_volta_on(device_type, capability):
    return torch.bfloat16 if capability is None or capability[0] >= 7 else torch.float16


@wrong("week3.pick_dtype", "only after 8.0")
def strictly_above(device_type, capability):
    if device_type == "cpu":
        return torch.bfloat16
    major, minor = capability
    return torch.bfloat16 if major + minor / 10 > 8 else torch.float16


@wrong("week3.pick_dtype")
def names_for_dtypes(device_type, capability):
    return "bfloat16" if capability is None or capability[0] >= 8 else "float16"


@wrong("week3.pick_dtype")
def the_wrong_way_round(device_type, capability):
    return torch.float16 if device_type == "cpu" or capability[0] >= 8 else torch.bfloat16


@wrong("week3.pick_dtype")
def forgets_the_cpu(device_type, capability):
    return torch.bfloat16 if capability >= (8, 0) else torch.float16


@wrong("week3.pick_dtype", "newer cards left out")
def one_digit_of_the_number(device_type, capability):
    if device_type == "cpu":
        return torch.bfloat16
    return torch.bfloat16 if str(capability[0])[0] in "89" else torch.float16
