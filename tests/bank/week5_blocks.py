"""Answers to quantize_blockwise and dequantize_blockwise whose worth is known."""

import itertools
import math

import numpy as np
import torch

from autograde.audit import right, wrong

# --- quantize_blockwise -----------------------------------------------------------------------------------------------


@right("week5.quantize_blockwise")
def block_after_block(x, block_size=256):
    codes, absmax = [], []
    for block in x.flatten().float().split(block_size):
        largest = block.abs().max()
        absmax.append(largest)
        codes.append(torch.zeros_like(block) if largest == 0 else torch.round(block / largest * 127))
    return torch.cat(codes).to(torch.int8).reshape(x.shape), torch.stack(absmax)


@right("week5.quantize_blockwise")
def number_by_number(x, block_size=256):
    numbers = x.flatten().tolist()
    absmax = [max(map(abs, numbers[i : i + block_size])) for i in range(0, len(numbers), block_size)]
    codes = []
    for i, number in enumerate(numbers):
        scale = absmax[i // block_size]
        codes.append(round(number / scale * 127) if scale else 0)
    return torch.tensor(codes, dtype=torch.int8).view(x.shape), torch.tensor(absmax)


@right("week5.quantize_blockwise")
def nan_to_zero(x, block_size=256):
    n = x.numel()
    rows = math.ceil(n / block_size)
    padded = torch.zeros(rows * block_size)
    padded[:n] = x.reshape(-1)
    padded = padded.reshape(rows, block_size)
    absmax = padded.abs().max(dim=1).values
    codes = (padded / absmax[:, None]).nan_to_num(0.0).mul(127).round().char()
    return codes.reshape(-1)[:n].reshape(x.shape), absmax


@right("week5.quantize_blockwise")
def by_numpy(x, block_size=256):
    flat = x.float().numpy().ravel()
    starts = np.arange(0, flat.size, block_size)
    absmax = np.maximum.reduceat(np.abs(flat), starts)
    scale = np.repeat(absmax, block_size)[: flat.size]
    codes = np.rint(np.divide(127 * flat, scale, out=np.zeros_like(flat), where=scale != 0))
    return codes.astype(np.int8).reshape(x.shape), absmax


@right("week5.quantize_blockwise")
def by_scatter(x, block_size=256):
    flat = x.reshape(-1).float()
    where = torch.arange(flat.numel()) // block_size
    absmax = torch.zeros(int(where[-1]) + 1).scatter_reduce(0, where, flat.abs(), "amax")
    scale = absmax[where]
    step = scale / 127
    codes = torch.where(scale > 0, flat / step, torch.zeros(())).round()
    return codes.view_as(x).to(torch.int8), absmax


@right("week5.quantize_blockwise")
def without_padding(x, block_size=256):
    flat = x.flatten().double()
    whole = flat.numel() - flat.numel() % block_size
    parts = [flat[:whole].view(-1, block_size), flat[whole:].view(1, -1)]
    codes, absmax = [], []
    for part in parts:
        if part.numel() == 0:
            continue
        largest = part.abs().amax(dim=-1, keepdim=True)
        inverse = torch.where(largest == 0, torch.zeros_like(largest), 127 / largest)
        codes.append((part * inverse).round().flatten())
        absmax.append(largest.flatten())
    return torch.cat(codes).to(torch.int8).view(x.shape), torch.cat(absmax).float()


@right("week5.quantize_blockwise")
def in_one_buffer(x, block_size=256):
    codes = torch.empty(x.numel(), dtype=torch.int8)
    flat, absmax = x.flatten().to(torch.float32), []
    start = 0
    while start < len(flat):
        stop = min(start + block_size, len(flat))
        high = max(flat[start:stop].max().item(), -flat[start:stop].min().item())
        codes[start:stop] = (flat[start:stop] * 127 / (high or 1.0)).round()
        absmax.append(high)
        start = stop
    return codes.reshape(x.shape), torch.tensor(absmax, dtype=torch.float32)


@wrong("week5.quantize_blockwise", "one scale for all")
def per_tensor(x, block_size=256):
    largest = x.abs().max().float()
    step = largest / 127 if largest > 0 else torch.ones(())
    return (x.float() / step).round().to(torch.int8), largest.reshape(1)


@wrong("week5.quantize_blockwise", "cut off, not rounded")
def cast_at_once(x, block_size=256):
    codes, absmax = [], []
    for block in x.flatten().float().split(block_size):
        largest = block.abs().max()
        codes.append((127 * block / (largest if largest else 1.0)).to(torch.int8))
        absmax.append(largest)
    return torch.cat(codes).view(x.shape), torch.stack(absmax)


@wrong("week5.quantize_blockwise", "times 128")
def half_of_256(x, block_size=256):
    codes, absmax = [], []
    for block in x.flatten().float().split(block_size):
        largest = float(block.abs().max())
        codes += [max(-128, min(127, round(128 * number / (largest or 1)))) for number in block.tolist()]
        absmax.append(largest)
    return torch.tensor(codes, dtype=torch.int8).view(x.shape), torch.tensor(absmax)


@wrong("week5.quantize_blockwise", "a block of zeros divided by zero")
def divides_by_zero(x, block_size=256):
    flat = torch.nn.functional.pad(x.flatten().float(), (0, -x.numel() % block_size)).view(-1, block_size)
    absmax = flat.abs().amax(1)
    codes = (flat / absmax.unsqueeze(1) * 127).round()
    if codes.isnan().any():
        raise ZeroDivisionError
    return codes.to(torch.int8).flatten()[: x.numel()].view(x.shape), absmax


@wrong("week5.quantize_blockwise")
def needs_whole_blocks(x, block_size=256):
    blocks = x.float().reshape(-1, block_size)
    absmax = blocks.abs().amax(1)
    codes = (127 * blocks / torch.where(absmax > 0, absmax, 1.0)[:, None]).round().to(torch.int8)
    return codes.view(x.shape), absmax


@wrong("week5.quantize_blockwise", "codes as int64")
def whole_numbers_of_the_widest_kind(x, block_size=256):
    numbers, codes, absmax = x.flatten().tolist(), [], []
    for start in range(0, len(numbers), block_size):
        block = numbers[start : start + block_size]
        largest = max(abs(number) for number in block)
        absmax.append(largest)
        codes.extend(round(127 * number / (largest or 1)) for number in block)
    return torch.tensor(codes).view(x.shape), torch.tensor(absmax)


@wrong("week5.quantize_blockwise")
def torchs_own(x, block_size=256):
    codes, absmax = [], []
    for block in x.flatten().float().split(block_size):
        largest = block.abs().max()
        scale = float(largest) / 127 or 1.0
        codes.append(torch.quantize_per_tensor(block, scale, 0, torch.qint8).int_repr())
        absmax.append(largest)
    return torch.cat(codes).view(x.shape), torch.stack(absmax)


@wrong("week5.quantize_blockwise")
def codes_in_the_shape_of_a_row(x, block_size=256):
    codes, absmax = block_after_block(x, block_size)
    return codes.flatten(), absmax


# --- dequantize_blockwise ---------------------------------------------------------------------------------------------


@right("week5.dequantize_blockwise")
def a_scale_by_index(codes, absmax, block_size=256):
    where = torch.arange(codes.numel()) // block_size
    return (codes.flatten().float() * absmax[where] / 127).reshape(codes.shape)


@right("week5.dequantize_blockwise")
def split_and_joined(codes, absmax, block_size=256):
    parts = codes.flatten().split(block_size)
    return torch.cat([part * (scale / 127) for part, scale in zip(parts, absmax, strict=True)]).view(codes.shape)


@right("week5.dequantize_blockwise")
def padded(codes, absmax, block_size=256):
    out = torch.zeros(len(absmax) * block_size)
    out[: codes.numel()] = codes.reshape(-1).float()
    out = out.view(-1, block_size) * absmax[:, None] / 127.0
    return out.view(-1)[: codes.numel()].view_as(codes)


@right("week5.dequantize_blockwise")
def code_by_code(codes, absmax, block_size=256):
    numbers = []
    for start, scale in zip(range(0, codes.numel(), block_size), absmax.tolist(), strict=True):
        for code in codes.flatten()[start : start + block_size].tolist():
            numbers.append(code * scale / 127)
    return torch.tensor(numbers).reshape(codes.shape)


@right("week5.dequantize_blockwise")
def with_numpy(codes, absmax, block_size=256):
    flat = codes.numpy().ravel().astype(np.float64)
    scale = np.repeat(absmax.numpy(), block_size)[: flat.size]
    return torch.from_numpy((flat * scale / 127).reshape(codes.shape)).float()


@right("week5.dequantize_blockwise")
def in_place_by_blocks(codes, absmax, block_size=256):
    numbers = codes.to(torch.float32).flatten()
    for i in range(absmax.numel()):
        numbers[i * block_size : (i + 1) * block_size] *= absmax[i] / 127
    return numbers.reshape(codes.shape)


@right("week5.dequantize_blockwise")
def by_iterators(codes, absmax, block_size=256):
    scales = itertools.chain.from_iterable(itertools.repeat(float(scale), block_size) for scale in absmax)
    table = [code / 127 for code in range(-127, 128)]
    numbers = [table[code + 127] * scale for code, scale in zip(codes.flatten().tolist(), scales, strict=False)]
    return torch.tensor(numbers).view(*codes.shape)


@right("week5.dequantize_blockwise")
def by_expansion(codes, absmax, block_size=256):
    scale = absmax.div(127).unsqueeze(1).expand(-1, block_size).reshape(-1)
    return torch.mul(codes, scale.narrow(0, 0, codes.numel()).reshape(codes.size()))


@wrong("week5.dequantize_blockwise", "divided by 128")
def by_half_of_256(codes, absmax, block_size=256):
    where = torch.arange(codes.numel()).div(block_size, rounding_mode="floor")
    return (codes.flatten() * absmax[where]).div(128).view(codes.shape)


@wrong("week5.dequantize_blockwise", "scales in turn")
def tiled(codes, absmax, block_size=256):
    where = torch.arange(codes.numel()) % len(absmax)
    return codes / 127 * absmax[where].view(codes.shape)


@wrong("week5.dequantize_blockwise", "one scale for all")
def the_largest_scale(codes, absmax, block_size=256):
    return codes.float().mul(absmax.max()).div(127)


@wrong("week5.dequantize_blockwise", "the code alone")
def never_scaled(codes, absmax, block_size=256):
    return codes.float() * (1 / 127)


@wrong("week5.dequantize_blockwise", "not divided")
def times_absmax(codes, absmax, block_size=256):
    parts = zip(codes.flatten().split(block_size), absmax, strict=True)
    return torch.cat([part.float() * scale for part, scale in parts]).view(codes.shape)


@wrong("week5.dequantize_blockwise")
def needs_full_blocks(codes, absmax, block_size=256):
    return (codes.reshape(-1, block_size) / 127 * absmax[:, None]).view(codes.shape)


@wrong("week5.dequantize_blockwise", "in a row")
def never_reshaped(codes, absmax, block_size=256):
    scale = absmax.repeat_interleave(block_size)[: codes.numel()]
    return scale * codes.reshape(-1) / 127
