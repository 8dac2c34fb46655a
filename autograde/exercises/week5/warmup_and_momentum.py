"""week5.warmup_and_momentum: warmup and momentum"""

from autograde.exercises.experiment import experiment_exercise
from course.lab.experiments.week5 import WARMUP_AND_MOMENTUM as EXPERIMENT

REPORT = {
    "learner": "the course",
    "A": {"warmup": 0, "momentum": 0.9, "lr": 1.0},
    "B": {"warmup": 50, "momentum": 0.9, "lr": 1.0},
    "losses A": [2.3358, None, None, 2.4665, None, 2.5579, None, 2.3862],
    "losses B": [2.3569, 2.3863, 2.3549, 2.3525, 2.3601, 2.3848, 2.3722, 2.3572],
    "prediction": "A",
    "verdict": "B",
}
CONFOUNDED = {
    "learner": "the course",
    "A": {"warmup": 0, "momentum": 0.9, "lr": 1.0},
    "B": {"warmup": 50, "momentum": 0.0, "lr": 1.0},
    "losses A": [2.3358, None, None, 2.4665, None, 2.5579, None, 2.3862],
    "losses B": [2.4306, 2.5849, 2.587, 2.5108, 2.5712, 2.5048, 2.5141, 2.4516],
    "prediction": "A",
    "verdict": "B",
}

WARMUP_AND_MOMENTUM = experiment_exercise(
    EXPERIMENT,
    REPORT,
    CONFOUNDED,
    seconds=1,
    title="Warmup and momentum",
    points=5,
    minutes=25,
    why="Both are said to make the start safer. Whether a warmup helps depends on the momentum that it meets.",
)
