"""Week 3: mixed precision. The exercises in the order of the lesson."""

from autograde.exercises.week3.amp_memory import AMP_MEMORY
from autograde.exercises.week3.amp_step import AMP_STEP
from autograde.exercises.week3.decode_float import DECODE_FLOAT
from autograde.exercises.week3.loss_scaler import LOSS_SCALER
from autograde.exercises.week3.lost_update import LOST_UPDATE
from autograde.exercises.week3.next_scale import NEXT_SCALE
from autograde.exercises.week3.pick_dtype import PICK_DTYPE
from autograde.exercises.week3.precision_cost import PRECISION_COST
from autograde.exercises.week3.scaled_step import SCALED_STEP
from autograde.exercises.week3.underflow_fraction import UNDERFLOW_FRACTION
from autograde.exercises.week3.unscale import UNSCALE

EXERCISES = (
    DECODE_FLOAT,
    UNDERFLOW_FRACTION,
    LOST_UPDATE,
    PICK_DTYPE,
    SCALED_STEP,
    UNSCALE,
    NEXT_SCALE,
    LOSS_SCALER,
    AMP_STEP,
    AMP_MEMORY,
    PRECISION_COST,
)
