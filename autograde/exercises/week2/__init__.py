"""Week 2: the training loop. The exercises in the order of the lesson."""

from autograde.exercises.week2.causal_attention import CAUSAL_ATTENTION
from autograde.exercises.week2.collate import COLLATE
from autograde.exercises.week2.diagnose import DIAGNOSE
from autograde.exercises.week2.early_stopping import EARLY_STOPPING
from autograde.exercises.week2.epochs_or_batch import EPOCHS_OR_BATCH
from autograde.exercises.week2.evaluate import EVALUATE
from autograde.exercises.week2.gradient_stats import GRADIENT_STATS
from autograde.exercises.week2.healthy_run import HEALTHY_RUN
from autograde.exercises.week2.linear_backward import LINEAR_BACKWARD
from autograde.exercises.week2.load_checkpoint import LOAD_CHECKPOINT
from autograde.exercises.week2.memorization_score import MEMORIZATION_SCORE
from autograde.exercises.week2.overfit_one_batch import OVERFIT_ONE_BATCH
from autograde.exercises.week2.pre_norm_block import PRE_NORM_BLOCK
from autograde.exercises.week2.save_checkpoint import SAVE_CHECKPOINT
from autograde.exercises.week2.spike import SPIKE
from autograde.exercises.week2.split import SPLIT
from autograde.exercises.week2.train_step import TRAIN_STEP
from autograde.exercises.week2.verdict import VERDICT

EXERCISES = (
    PRE_NORM_BLOCK,
    LINEAR_BACKWARD,
    CAUSAL_ATTENTION,
    SPLIT,
    COLLATE,
    TRAIN_STEP,
    EVALUATE,
    GRADIENT_STATS,
    OVERFIT_ONE_BATCH,
    EARLY_STOPPING,
    SAVE_CHECKPOINT,
    LOAD_CHECKPOINT,
    DIAGNOSE,
    VERDICT,
    EPOCHS_OR_BATCH,
    HEALTHY_RUN,
    SPIKE,
    MEMORIZATION_SCORE,
)
