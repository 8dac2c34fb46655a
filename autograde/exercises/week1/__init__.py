"""Week 1: loss and perplexity. The exercises in the order of the lesson."""

from autograde.exercises.week1.bits_per_byte import BITS_PER_BYTE
from autograde.exercises.week1.cross_entropy import CROSS_ENTROPY
from autograde.exercises.week1.cross_entropy_backward import CROSS_ENTROPY_BACKWARD
from autograde.exercises.week1.ema import EMA
from autograde.exercises.week1.initial_loss import INITIAL_LOSS
from autograde.exercises.week1.log_softmax import LOG_SOFTMAX
from autograde.exercises.week1.loss_floor import LOSS_FLOOR
from autograde.exercises.week1.next_token_pairs import NEXT_TOKEN_PAIRS
from autograde.exercises.week1.perplexity import PERPLEXITY
from autograde.exercises.week1.read_curve import READ_CURVE
from autograde.exercises.week1.sample import SAMPLE

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
