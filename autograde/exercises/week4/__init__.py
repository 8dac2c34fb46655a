"""Week 4: clipping, accumulation and checkpointing. The exercises in the order of the lesson."""

from autograde.exercises.week4.accumulate import ACCUMULATE
from autograde.exercises.week4.checkpoint_block import CHECKPOINT_BLOCK
from autograde.exercises.week4.clip_grad_norm import CLIP_GRAD_NORM
from autograde.exercises.week4.clip_grad_value import CLIP_GRAD_VALUE
from autograde.exercises.week4.does_clipping_help import DOES_CLIPPING_HELP
from autograde.exercises.week4.global_norm import GLOBAL_NORM
from autograde.exercises.week4.stable_step import STABLE_STEP
from autograde.exercises.week4.step_order import STEP_ORDER
from autograde.exercises.week4.update_steps import UPDATE_STEPS

EXERCISES = (
    GLOBAL_NORM,
    CLIP_GRAD_NORM,
    CLIP_GRAD_VALUE,
    STEP_ORDER,
    ACCUMULATE,
    UPDATE_STEPS,
    STABLE_STEP,
    CHECKPOINT_BLOCK,
    DOES_CLIPPING_HELP,
)
