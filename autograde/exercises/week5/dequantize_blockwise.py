"""week5.dequantize_blockwise: the numbers that int8 codes and their scales stand for."""

import torch

from autograde.exercise import Case, Exercise, Misconception, Tolerance
from autograde.exercises.draws import integer, integers


def _dequantize_cases(rng):
    def case(name, shape, block_size=None, zero=None, **options):
        codes = integers(rng, -127, 127, *shape).to(torch.int8)
        blocks = -(-codes.numel() // (block_size or 256))
        absmax = torch.logspace(-2, 1, blocks)[torch.randperm(blocks, generator=rng)]
        absmax *= 1 + torch.rand(blocks, generator=rng)
        if zero is not None:
            codes.flatten()[zero * block_size : (zero + 1) * block_size] = 0
            absmax[zero] = 0.0
        inputs = {"codes": codes, "absmax": absmax}
        return Case(name, inputs | ({"block_size": block_size} if block_size else {}), **options)

    size = integer(rng, 5, 9)
    yield case("whole blocks", (4 * size,), size)
    yield case("the last block is short", (3 * size + 2,), size)
    yield case("a matrix whose rows are no blocks", (5, 6), 8)
    yield case("blocks of 256", (integer(rng, 550, 750),))
    yield case("three dimensions", (2, 3, 4), 6)
    yield case("a block of zeros", (4 * size,), size, zero=1)
    yield case("a square of as many blocks as rows", (6, 6), 6)
    yield case("fewer codes than a block", (integer(rng, 5, 20),), 64)
    yield case("blocks of one", (5,), 1)
    yield case("one code", (1,), 4, edge=True)


def _definition(inputs):
    codes, size = inputs["codes"], inputs.get("block_size", 256)
    pairs = enumerate(codes.flatten().tolist())
    scales = inputs["absmax"].tolist()
    return torch.tensor([code / 127 * scales[i // size] for i, code in pairs]).view(codes.shape)


def _by(value, scales=lambda absmax, n, size: absmax.repeat_interleave(size)[:n]):
    """An answer by a rule for one code and its scale, and one for whose scale is whose."""

    def dequantize_blockwise(codes, absmax, block_size=256):
        return value(codes.flatten().float(), scales(absmax, codes.numel(), block_size)).view(codes.shape)

    return dequantize_blockwise


def _each(code, scale):
    return code / 127 * scale


def _short_block_lost(codes, absmax, block_size=256):
    whole = codes.numel() // block_size * block_size
    numbers = torch.zeros(codes.numel())
    blocks = codes.flatten()[:whole].view(-1, block_size)
    numbers[:whole] = (blocks / 127 * absmax[: len(blocks)].unsqueeze(1)).flatten()
    return numbers.view(codes.shape)


def _even_blocks(absmax, n, size):
    """Blocks of equal length, as many as there are scales."""
    return absmax.repeat_interleave(-(-n // len(absmax)))[:n]


def _by_rows(codes, absmax, block_size=256):
    rows = codes.reshape(-1, codes.shape[-1])
    return (rows / 127 * absmax.unsqueeze(1)).view(codes.shape)


_right = _by(_each)

DEQUANTIZE_BLOCKWISE = Exercise(
    id="week5.dequantize_blockwise",
    title="Back from eight bits",
    points=1,
    minutes=6,
    why="An 8-bit optimizer does this to its state before every step, and its inverse after it.",
    oracle="the definition, code by code",
    cases=_dequantize_cases,
    expected=_definition,
    tolerance=Tolerance(1e-5, 1e-9),
    misconceptions=(
        Misconception(
            "divided by 128",
            _by(lambda code, scale: code / 128 * scale),
            "You divide by 128. The number at absmax has the code 127 and should come back as absmax.",
        ),
        Misconception(
            "not divided",
            _by(lambda code, scale: code * scale),
            "Your numbers are far too large. Which code does the number at absmax have?",
        ),
        Misconception(
            "divided by 255",
            _by(lambda code, scale: code / 255 * scale),
            "You divide by the number of codes. The number at absmax has the code 127 and should come back as absmax.",
        ),
        Misconception(
            "one scale for all",
            _by(_each, lambda absmax, n, size: absmax.max().expand(n)),
            "You use one scale for all codes. Each block has its own.",
        ),
        Misconception(
            "the first scale for all",
            _by(_each, lambda absmax, n, size: absmax[:1].expand(n)),
            "You use the first block's scale for all codes.",
        ),
        Misconception(
            "scales in turn",
            _by(_each, lambda absmax, n, size: absmax.repeat(size)[:n]),
            "Neighbouring codes get different scales from you: the first, the second, … in turn. A block is a run of "
            "neighbours that share one scale. Compare repeat and repeat_interleave.",
        ),
        Misconception(
            "blocks of equal length",
            _by(_each, _even_blocks),
            "You divide the codes evenly among the scales. Blocks are block_size long, and the last takes what is "
            "left.",
        ),
        Misconception(
            "the last block lost",
            _short_block_lost,
            "The last block may be short. Its codes come back as zeros.",
        ),
        Misconception(
            "a scale for each row",
            _by_rows,
            "You give each row a scale. Blocks run through codes.flatten(), whatever the shape.",
        ),
        Misconception(
            "in a row",
            lambda codes, absmax, block_size=256: _right(codes, absmax, block_size).flatten(),
            "Your numbers come in one row. The docstring asks for the shape of codes.",
        ),
        Misconception(
            "scale divided by code",
            _by(lambda code, scale: scale / 127),
            "You return what one code is worth in each block. How many of it does each number have?",
        ),
        Misconception(
            "divided by the scale",
            _by(lambda code, scale: code / (127 * scale)),
            "You divide by the scale, as when the codes were made. This is the way back.",
        ),
        Misconception(
            "the code alone",
            _by(lambda code, scale: code / 127),
            "Your numbers lie between -1 and 1, whatever the scale of their block.",
        ),
        Misconception(
            "whole numbers",
            _by(lambda code, scale: (code / 127).round() * scale),
            "Your division leaves whole numbers: all that is left of a code is -1, 0 or 1.",
        ),
    ),
)
