"""Week 6: schedules, batch size and the loss landscape. The exercises in the order of the lesson."""

from autograde.exercises.week6.decay_budget import DECAY_BUDGET
from autograde.exercises.week6.hessian_vector_product import HESSIAN_VECTOR_PRODUCT
from autograde.exercises.week6.is_warmup_needed import IS_WARMUP_NEEDED
from autograde.exercises.week6.loss_slice import LOSS_SLICE
from autograde.exercises.week6.lr_range_test import LR_RANGE_TEST
from autograde.exercises.week6.noise_scale import NOISE_SCALE
from autograde.exercises.week6.one_cycle import ONE_CYCLE
from autograde.exercises.week6.scale_lr import SCALE_LR
from autograde.exercises.week6.scaling_rule import SCALING_RULE
from autograde.exercises.week6.scheduler_clock import SCHEDULER_CLOCK
from autograde.exercises.week6.sharpness import SHARPNESS
from autograde.exercises.week6.token_lr import TOKEN_LR
from autograde.exercises.week6.warmup_cosine import WARMUP_COSINE
from autograde.exercises.week6.warmup_linear import WARMUP_LINEAR
from autograde.exercises.week6.warmup_stable_decay import WARMUP_STABLE_DECAY
from autograde.exercises.week6.weight_ema import WEIGHT_EMA
from autograde.exercises.week6.which_schedule import WHICH_SCHEDULE

EXERCISES = (
    WARMUP_LINEAR,
    WARMUP_COSINE,
    WARMUP_STABLE_DECAY,
    ONE_CYCLE,
    WHICH_SCHEDULE,
    SCHEDULER_CLOCK,
    TOKEN_LR,
    DECAY_BUDGET,
    IS_WARMUP_NEEDED,
    LR_RANGE_TEST,
    SCALE_LR,
    SCALING_RULE,
    NOISE_SCALE,
    WEIGHT_EMA,
    LOSS_SLICE,
    HESSIAN_VECTOR_PRODUCT,
    SHARPNESS,
)
