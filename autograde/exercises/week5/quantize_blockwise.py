"""week5.quantize_blockwise: int8 codes with one scale a block."""

import torch

from autograde.exercise import Case, Exercise, Misconception, Tolerance
from autograde.exercises.draws import integer, normal


def _quantize_probe(target, inputs):
    x, further = inputs["x"], [inputs["block_size"]] if "block_size" in inputs else []
    if "stored" in inputs:  # column by column: a tensor that has to be copied to be read row by row
        x = x.T.contiguous().T
    codes, absmax = target(x, *further)
    return {"codes": codes, "absmax": absmax, "dtype of codes": str(getattr(codes, "dtype", type(codes).__name__))}


def _observed(inputs, seen):
    return {**seen, "dtype of codes": seen["dtype of codes"].removeprefix("torch.")}


def _blocks(x, block_size):
    return x.flatten().double().split(block_size)


def _clear(x, block_size=256):
    """x with zeros in place of the numbers whose code rounding errors could decide."""
    flat = x.flatten().clone()
    for block in flat.split(block_size):
        exact = 127 * block.double() / block.double().abs().max().clamp(min=1e-38)
        block[((exact - exact.floor() - 0.5).abs() < 0.03) & (exact.abs() < 126.9)] = 0.0
    return flat.view(x.shape)


def _quantize_cases(rng):
    def case(name, x, block_size=None, stored=None, **options):
        inputs = {"x": _clear(x, block_size or 256)} | ({"block_size": block_size} if block_size else {})
        return Case(name, inputs | ({"stored": stored} if stored else {}), **options)

    def uneven(blocks, size, more=0):
        """Blocks of very different sizes, the largest number of the first negative, of the second positive."""
        rows = normal(rng, blocks, size)
        for row, sign in zip(rows, (-1.0, 1.0), strict=False):
            place = int(row.abs().argmax())
            row[place] = sign * (row[place].abs() + 0.5)
        rows *= torch.logspace(-2, 1, blocks)[torch.randperm(blocks, generator=rng)].unsqueeze(1)
        return torch.cat([rows.flatten(), 0.1 * normal(rng, more)])

    size = integer(rng, 5, 9)
    yield case("blocks of very different sizes", uneven(4, size), size)
    yield case("the last block is short", uneven(3, size, more=integer(rng, 2, 3)), size)
    yield case("a matrix whose rows are no blocks", uneven(3, 8, more=6).view(5, 6), 8)
    yield case("blocks of 256", uneven(3, 256, more=integer(rng, 30, 90)))
    yield case("three dimensions", uneven(4, 6).view(2, 3, 4), 6)
    yield case("a transposed matrix", uneven(3, 8).view(4, 6), 8, stored="column by column")
    zero = uneven(4, size)
    zero[size : 2 * size] = 0.0
    yield case("a block of zeros", zero, size)
    zero = uneven(3, size)
    yield case("a short block of zeros", torch.cat([zero, torch.zeros(2)]), size)
    yield case("fewer numbers than a block", uneven(1, integer(rng, 5, 20)), 64)
    yield case("positive numbers only", uneven(3, size).abs() + 1.0, size)
    yield case("negative numbers only", -uneven(3, size).abs() - 1.0, size)
    yield case("tiny numbers", 1e-12 * uneven(3, size), size)
    yield case("large numbers", 1e12 * uneven(3, size), size)
    yield case("bfloat16", uneven(3, 16).bfloat16(), 16)
    yield case("float64", uneven(3, size).double(), size)
    yield case("nothing but zeros", torch.zeros(2, 3), 4, edge=True)
    yield case("one number", torch.tensor([-2.5]), 4, edge=True)
    yield case("blocks of one", normal(rng, 5) + 3.0, 1, edge=True)


def _definition(inputs):
    """Block by block in float64."""
    x, codes, absmax = inputs["x"], [], []
    for block in _blocks(x, inputs.get("block_size", 256)):
        largest = max(abs(number) for number in block.tolist())
        absmax.append(largest)
        codes += [round(127 * number / largest) if largest else 0 for number in block.tolist()]
    codes = torch.tensor(codes, dtype=torch.int8).view(x.shape)
    return {"codes": codes, "absmax": torch.tensor(absmax), "dtype of codes": "int8"}


def _with(
    *,
    scale=lambda b: b.abs().amax(1),
    codes=lambda b, s: (127 * b / torch.where(s == 0, 1.0, s)).round(),
    dtype=torch.int8,
    shape=lambda c, x: c.flatten()[: x.numel()].view(x.shape),
    report=lambda s: s,
    pad=0.0,
    flat=lambda x: x.flatten().float(),
):
    """An answer with its choices open."""

    def quantize_blockwise(x, block_size=256):
        numbers = flat(x)
        short = -len(numbers) % block_size
        blocks = torch.cat([numbers, numbers.new_full((short,), pad)]).view(-1, block_size)
        s = scale(blocks)
        return shape(codes(blocks, s.unsqueeze(1)).to(dtype), x), report(s)

    return quantize_blockwise


def _rows(x, block_size=256):
    rows = x.float().reshape(-1, x.shape[-1])
    absmax = rows.abs().amax(1)
    return (127 * rows / absmax.clamp(min=1e-30).unsqueeze(1)).round().to(torch.int8).view(x.shape), absmax


def _whole_blocks_only(x, block_size=256):
    flat = x.flatten().float()
    blocks = flat[: len(flat) // block_size * block_size].view(-1, block_size)
    absmax = blocks.abs().amax(1)
    codes = torch.zeros(x.numel(), dtype=torch.int8)
    codes[: blocks.numel()] = (127 * blocks / absmax.clamp(min=1e-30).unsqueeze(1)).round().to(torch.int8).flatten()
    return codes.view(x.shape), absmax


def _divides_by_zero(x, block_size=256):
    codes, absmax = [], []
    for block in x.flatten().split(block_size):
        largest = float(block.abs().max())
        codes += [round(127 * number / largest) for number in block.tolist()]
        absmax.append(largest)
    return torch.tensor(codes, dtype=torch.int8).view(x.shape), torch.tensor(absmax)


def _offset(blocks):
    low, high = blocks.amin(1, keepdim=True), blocks.amax(1, keepdim=True)
    return (255 * (blocks - low) / (high - low).clamp(min=1e-30)).round() - 128


QUANTIZE_BLOCKWISE = Exercise(
    id="week5.quantize_blockwise",
    title="Eight bits a number, one scale a block",
    points=3,
    minutes=15,
    why="Optimizer state in 8 bits, and week 7's weights in 4, rest on this: one outlier spoils its own block alone.",
    oracle="the definition, number by number in float64",
    cases=_quantize_cases,
    probe=_quantize_probe,
    observe=_observed,
    expected=_definition,
    tolerance=Tolerance(1e-5, 0.0),
    library=(
        "aten.quantize_per_tensor",
        "aten.quantize_per_channel",
        "aten.quantize_per_tensor_dynamic",
        "aten.fake_quantize_per_tensor_affine",
        "aten.fake_quantize_per_channel_affine",
    ),
    misconceptions=(
        Misconception(
            "one scale for all",
            _with(scale=lambda b: b.abs().max().expand(len(b)), report=lambda s: s[:1]),
            "You scale all numbers by the largest of them. One outlier then costs every block its precision: give each "
            "block its own.",
        ),
        Misconception(
            "one scale for all, repeated",
            _with(scale=lambda b: b.abs().max().expand(len(b))),
            "You give every block the same scale: the largest number of all. Take each block's own.",
        ),
        Misconception(
            "a scale for each row",
            _rows,
            "Your blocks are the rows of x. Blocks run through x.flatten(), whatever the shape.",
        ),
        Misconception(
            "a block of zeros divided by zero",
            _divides_by_zero,
            "In a block of zeros you divide by zero. Which codes and which absmax does the docstring give it?",
        ),
        Misconception(
            "a block of zeros given a scale",
            _with(scale=lambda b: torch.where(b.abs().amax(1) == 0, 1.0, b.abs().amax(1))),
            "You divide a block of zeros by 1, which is fine, and report 1 as its absmax. The largest absolute value "
            "of zeros is 0.",
        ),
        Misconception(
            "a small number in every scale",
            _with(scale=lambda b: b.abs().amax(1) + 1e-8),
            "You add a small number to every absmax. Beside tiny numbers it is large, and codes shrink. Treat the "
            "block of zeros by itself.",
        ),
        Misconception(
            "a least scale",
            _with(scale=lambda b: b.abs().amax(1).clamp(min=1e-8)),
            "You keep absmax above a small number. Numbers that are smaller still lose their codes, and a block of "
            "zeros has absmax 0.",
        ),
        Misconception(
            "times 128",
            _with(codes=lambda b, s: (128 * b / torch.where(s == 0, 1.0, s)).round().clamp(-128, 127)),
            "You multiply by 128. An int8 reaches from -128 to 127: the positive extreme has no code then. Which "
            "largest number has its negative in int8, too?",
        ),
        Misconception(
            "times 128, wrapped around",
            _with(codes=lambda b, s: (128 * b / torch.where(s == 0, 1.0, s)).round(), dtype=torch.int8),
            "You multiply by 128, and the positive extreme becomes -128: the code does not fit into an int8. "
            "Which largest number has its negative in int8, too?",
        ),
        Misconception(
            "cut off, not rounded",
            _with(codes=lambda b, s: 127 * b / torch.where(s == 0, 1.0, s)),
            "Your codes are cut off towards zero: .to(torch.int8) does not round. Round first.",
        ),
        Misconception(
            "rounded down",
            _with(codes=lambda b, s: (127 * b / torch.where(s == 0, 1.0, s)).floor()),
            "Your codes are rounded down. Take the nearest.",
        ),
        Misconception(
            "the largest number, not the largest size",
            _with(
                scale=lambda b: b.amax(1),
                codes=lambda b, s: (127 * b / torch.where(s == 0, 1.0, s)).round().clamp(-127, 127),
            ),
            "Your absmax is the largest number of a block. Where a negative one is farther from zero, its code does "
            "not fit.",
        ),
        Misconception(
            "scaled between least and largest",
            _with(codes=lambda b, s: _offset(b)),
            "You spread the codes between a block's least and largest number. Here zero has the code 0, and the codes "
            "reach equally far on both sides.",
        ),
        Misconception(
            "whole blocks only",
            _whole_blocks_only,
            "The last block may be short. You leave its numbers out.",
        ),
        Misconception(
            "codes in a row",
            _with(shape=lambda c, x: c.flatten()[: x.numel()]),
            "Your codes come in one row. The docstring asks for the shape of x.",
        ),
        Misconception(
            "codes in blocks",
            _with(shape=lambda c, x: c),
            "Your codes come as a matrix of blocks, with the padding of the last. The docstring asks for the shape of "
            "x.",
        ),
        Misconception(
            "a column of scales",
            _with(report=lambda s: s.unsqueeze(1)),
            "Your absmax is a column, of shape (number of blocks, 1). The docstring asks for one dimension.",
        ),
        Misconception(
            "the step instead of absmax",
            _with(report=lambda s: s / 127),
            "You return the width of one code, absmax / 127. The docstring asks for absmax itself.",
        ),
        Misconception(
            "the inverse of absmax",
            _with(report=lambda s: 127 / s),
            "You return what you multiply by. The docstring asks for absmax itself.",
        ),
        Misconception(
            "codes from 0 to 255",
            _with(codes=lambda b, s: (127 * b / torch.where(s == 0, 1.0, s)).round() + 128, dtype=torch.uint8),
            "Your codes are moved up by 128, as if there were no negative ones. int8 has a sign.",
        ),
        Misconception(
            "codes as floats",
            _with(dtype=torch.float32),
            "Your codes are whole numbers in a float tensor: four bytes each, and nothing is saved. Look at the dtype.",
        ),
        Misconception(
            "codes as int64",
            _with(dtype=torch.int64),
            "Your codes take eight bytes each. An int8 takes one.",
        ),
        Misconception(
            "codes as int32",
            _with(dtype=torch.int32),
            "Your codes take four bytes each, as much as the numbers did. An int8 takes one.",
        ),
        Misconception(
            "calculated in the dtype of x",
            _with(flat=lambda x: x.flatten(), codes=lambda b, s: (b / torch.where(s == 0, 1, s).to(b) * 127).round()),
            "You calculate in the dtype of x. bfloat16 has 8 bits of precision, too few to find the right one of 255 "
            "codes.",
        ),
        Misconception(
            "codes between -1 and 1",
            _with(codes=lambda b, s: (b / torch.where(s == 0, 1.0, s)).round()),
            "Your codes are -1, 0 and 1: the numbers are divided by absmax, and then rounded. What stretches them over "
            "all codes?",
        ),
    ),
)
