"""Week 1: loss and perplexity. The exercises in the order of the lesson."""

from autograde.exercises.week1.curves import EMA, READ_CURVE
from autograde.exercises.week1.gradient import CROSS_ENTROPY_BACKWARD
from autograde.exercises.week1.loss import CROSS_ENTROPY, INITIAL_LOSS, LOG_SOFTMAX
from autograde.exercises.week1.measures import BITS_PER_BYTE, LOSS_FLOOR, PERPLEXITY
from autograde.exercises.week1.tokens import NEXT_TOKEN_PAIRS, SAMPLE

EXERCISES = (
    INITIAL_LOSS,
    LOG_SOFTMAX,
    CROSS_ENTROPY,
    NEXT_TOKEN_PAIRS,
    CROSS_ENTROPY_BACKWARD,
    PERPLEXITY,
    BITS_PER_BYTE,
    EMA,
    SAMPLE,
    LOSS_FLOOR,
    READ_CURVE,
)
