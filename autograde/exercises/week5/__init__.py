"""Week 5: optimizers and their state. The exercises in the order of the lesson."""

from autograde.exercises.week5.adam_invariance import ADAM_INVARIANCE
from autograde.exercises.week5.adamw import ADAMW
from autograde.exercises.week5.adamw_step import ADAMW_STEP
from autograde.exercises.week5.bias_correction import BIAS_CORRECTION
from autograde.exercises.week5.dequantize_blockwise import DEQUANTIZE_BLOCKWISE
from autograde.exercises.week5.eight_bit_state import EIGHT_BIT_STATE
from autograde.exercises.week5.param_groups import PARAM_GROUPS
from autograde.exercises.week5.quantize_blockwise import QUANTIZE_BLOCKWISE
from autograde.exercises.week5.sgd_momentum import SGD_MOMENTUM
from autograde.exercises.week5.state_bytes import STATE_BYTES
from autograde.exercises.week5.state_reset import STATE_RESET
from autograde.exercises.week5.warmup_and_momentum import WARMUP_AND_MOMENTUM

EXERCISES = (
    SGD_MOMENTUM,
    WARMUP_AND_MOMENTUM,
    BIAS_CORRECTION,
    ADAMW_STEP,
    ADAM_INVARIANCE,
    ADAMW,
    PARAM_GROUPS,
    STATE_BYTES,
    QUANTIZE_BLOCKWISE,
    DEQUANTIZE_BLOCKWISE,
    EIGHT_BIT_STATE,
    STATE_RESET,
)
