"""week3.decode_float: what a pattern of bits stands for."""

import math

import torch

from autograde.exercise import Case, Exercise, Misconception, Tolerance
from autograde.exercises.draws import integer

# (exponent bits, mantissa bits) → torch's dtype of that layout, and the integers that its bits are viewed as
_LAYOUTS = {
    (4, 3): (torch.float8_e4m3fn, torch.int8),  # IEEE but for the topmost exponent, which no case uses
    (5, 2): (torch.float8_e5m2, torch.int8),
    (5, 10): (torch.float16, torch.int16),
    (8, 7): (torch.bfloat16, torch.int16),
    (8, 23): (torch.float32, torch.int32),
    (11, 52): (torch.float64, torch.int64),
}
_WIDEST = {5: 10, 8: 23, 11: 52}  # a shorter mantissa is a longer one that ends in zeros


def _decode_probe(target, inputs):
    return [target(bits, inputs["exponent_bits"], inputs["mantissa_bits"]) for bits in inputs["bits"]]


def _decode_cases(rng):
    def case(name, exponent_bits, mantissa_bits, fields, **options):
        """fields: (sign, exponent, mantissa) of each pattern."""
        bits = [(s << exponent_bits | e) << mantissa_bits | m for s, e, m in fields]
        inputs = {"bits": bits, "exponent_bits": exponent_bits, "mantissa_bits": mantissa_bits}
        return Case(name, inputs, **options)

    def normal(exponent_bits, mantissa_bits):
        bias = 2 ** (exponent_bits - 1) - 1
        far = min(bias - 1, 12)
        return [(s, bias + integer(rng, -far, far), integer(rng, 1, 2**mantissa_bits - 1)) for s in (0, 1, 0, 1)]

    def middle(mantissa_bits):
        return integer(rng, 2, max(2, 2**mantissa_bits - 2))

    yield case("float16, normal numbers", 5, 10, normal(5, 10))
    yield case("bfloat16, normal numbers", 8, 7, normal(8, 7))
    yield case("float8 e5m2, normal numbers", 5, 2, normal(5, 2))
    yield case("float8 e4m3, normal numbers", 4, 3, normal(4, 3))
    yield case("TF32, normal numbers", 8, 10, normal(8, 10))
    yield case("float32, normal numbers", 8, 23, normal(8, 23))
    wide = [(0, 1023 - integer(rng, 8, 60), integer(rng, 1, 2**52 - 1)) for _ in range(3)]
    yield case("float64, positive numbers below 1", 11, 52, wide)
    few = integer(rng, 3, 6)
    yield case(f"a mantissa of {few} bits", 8, few, normal(8, few))
    yield case("float16, the largest numbers", 5, 10, [(0, 30, 1023), (1, 30, middle(10))])
    yield case("bfloat16, the largest numbers", 8, 7, [(0, 254, 127), (1, 254, middle(7))])
    yield case("float16, the smallest normal numbers", 5, 10, [(0, 1, 0), (1, 1, middle(10))])
    yield case("float16, subnormals", 5, 10, [(0, 0, 1), (0, 0, 1023), (1, 0, middle(10))])
    yield case("bfloat16, subnormals", 8, 7, [(0, 0, 1), (1, 0, middle(7))])
    yield case("float8 e4m3, subnormals", 4, 3, [(0, 0, 1), (1, 0, 5)])
    yield case("float16, inf and NaN", 5, 10, [(0, 31, 0), (1, 31, 0), (0, 31, middle(10)), (1, 31, 1)])
    yield case("float8 e5m2, inf and NaN", 5, 2, [(1, 31, 0), (0, 31, 1), (0, 31, 2), (1, 31, 3)])
    yield case("bfloat16, inf and NaN", 8, 7, [(0, 255, 64), (0, 255, 0), (1, 255, 127)])
    yield case("powers of two", 5, 10, [(0, 15, 0), (0, 16, 0), (1, 14, 0), (0, 15 - integer(rng, 2, 12), 0)])
    yield case("zero", 8, 7, [(0, 0, 0), (1, 0, 0)], edge=True)


def _viewed(inputs):
    """The bits viewed as torch's dtype of that layout, or of the next wider one with zeros behind the mantissa."""
    layout = inputs["exponent_bits"], inputs["mantissa_bits"]
    shift = 0 if layout in _LAYOUTS else _WIDEST[layout[0]] - layout[1]
    dtype, whole = _LAYOUTS[layout[0], layout[1] + shift]
    wrap = 2 ** torch.iinfo(whole).bits
    signed = [bits - wrap if bits >= wrap // 2 else bits for bits in (bits << shift for bits in inputs["bits"])]
    return torch.tensor(signed, dtype=whole).view(dtype).double()


def _decoder(
    bias=lambda e: 2 ** (e - 1) - 1,
    smallest=lambda bias: 1 - bias,  # the power of two that a subnormal's fraction is taken of; None: not treated apart
    special=lambda mantissa, m: math.nan if mantissa else math.inf,
    leading=1.0,
    negative=-1.0,
    swapped=False,
):
    """A decoder with its choices open; the defaults are right. special(mantissa, m) may return None: a number."""

    def decode_float(bits, exponent_bits, mantissa_bits):
        sign, rest = divmod(bits, 2 ** (exponent_bits + mantissa_bits))
        exponent, mantissa = divmod(rest, 2**mantissa_bits)
        if swapped:
            mantissa, exponent = divmod(rest, 2**exponent_bits)
        sign, fraction, b = negative if sign else 1.0, mantissa / 2**mantissa_bits, bias(exponent_bits)
        if exponent == 2**exponent_bits - 1 and special(mantissa, mantissa_bits) is not None:
            return sign * special(mantissa, mantissa_bits)
        if exponent == 0 and smallest(b) is not None:
            return sign * math.ldexp(fraction, smallest(b))
        try:
            return sign * math.ldexp(leading + fraction, exponent - b)
        except OverflowError:
            return sign * math.inf

    return decode_float


def _number_or_nan(mantissa, m):
    return math.nan if mantissa == 2**m - 1 else None


def _twos_complement(bits, exponent_bits, mantissa_bits):
    width = exponent_bits + mantissa_bits
    right = _decoder()
    return (
        -right(2 ** (width + 1) - bits, exponent_bits, mantissa_bits)
        if bits >> width
        else right(bits, exponent_bits, mantissa_bits)
    )


DECODE_FLOAT = Exercise(
    id="week3.decode_float",
    title="What the bits stand for",
    points=3,
    minutes=15,
    why="Range, spacing and underflow of every format follow from this one rule.",
    oracle="torch dtypes, their bits viewed as integers",
    cases=_decode_cases,
    probe=_decode_probe,
    expected=_viewed,
    tolerance=Tolerance(rtol=1e-9, atol=0.0),
    library=("aten.view",),
    misconceptions=(
        Misconception(
            "no subnormals",
            _decoder(smallest=lambda bias: None),
            "You give every number a leading one: 1.m. With an exponent field of zeros there is none, or how would a "
            "format hold 0?",
        ),
        Misconception(
            "subnormals one power of two too small",
            _decoder(smallest=lambda bias: -bias),
            "Your subnormals lack the leading one, as they should, but there is a gap between the largest of them and "
            "the smallest normal number. Which power of two closes it?",
        ),
        Misconception(
            "subnormals taken for zero",
            _decoder(smallest=lambda bias: -10_000),
            "An exponent field of zeros gives 0 in your answer, whatever the mantissa is. What fills the range between "
            "0 and the smallest normal number?",
        ),
        Misconception(
            "bias one too large",
            _decoder(bias=lambda e: 2 ** (e - 1)),
            "Your numbers are half of the right ones: {got} instead of {expected}. Which exponent field stands for a "
            "power of 0?",
        ),
        Misconception(
            "bias one too small",
            _decoder(bias=lambda e: 2 ** (e - 1) - 2),
            "Your numbers are twice the right ones: {got} instead of {expected}. Which exponent field stands for a "
            "power of 0?",
        ),
        Misconception(
            "the bias of float16 everywhere",
            _decoder(bias=lambda e: 15),
            "Your bias is that of float16. It depends on the number of exponent bits: see the docstring.",
        ),
        Misconception(
            "the bias of float32 everywhere",
            _decoder(bias=lambda e: 127),
            "Your bias is that of float32. It depends on the number of exponent bits: see the docstring.",
        ),
        Misconception(
            "no inf and no NaN",
            _decoder(special=lambda mantissa, m: None),
            "An exponent field of ones holds no ordinary number: it is kept for inf and NaN.",
        ),
        Misconception(
            "inf in place of NaN",
            _decoder(special=lambda mantissa, m: math.inf),
            "An exponent field of ones is always infinite in your answer. What does the mantissa say there?",
        ),
        Misconception(
            "NaN in place of inf",
            _decoder(special=lambda mantissa, m: math.nan),
            "An exponent field of ones is always NaN in your answer. What does a mantissa of 0 say there?",
        ),
        Misconception(
            "the rule of float8 e4m3fn",
            _decoder(special=_number_or_nan),
            "That is the rule of float8 e4m3fn, which gives its infinities away for more numbers. The IEEE formats "
            "keep the whole topmost exponent for inf and NaN.",
        ),
        Misconception(
            "no leading one",
            _decoder(leading=0.0),
            "Your mantissa is a fraction below 1. A normal number has a leading one in front of it that is not stored.",
        ),
        Misconception(
            "the sign ignored",
            _decoder(negative=1.0),
            "Your numbers are never negative. What is the highest bit for?",
        ),
        Misconception(
            "two's complement",
            _twos_complement,
            "You read negative patterns as integers do, in two's complement. A float's sign bit stands alone: the bits "
            "below it are the same for x and -x.",
        ),
        Misconception(
            "mantissa before exponent",
            _decoder(swapped=True),
            "You read the mantissa above the exponent. From the highest bit down it is sign, exponent, mantissa.",
        ),
    ),
)
