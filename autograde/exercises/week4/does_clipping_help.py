"""week4.does_clipping_help: does clipping help?"""

from autograde.exercises.experiment import experiment_exercise
from course.lab.experiments.week4 import CLIPPING

REPORT = {
    "learner": "the course",
    "A": {"max_norm": None, "optimizer": "momentum", "lr": 1.0},
    "B": {"max_norm": 1.0, "optimizer": "momentum", "lr": 1.0},
    "losses A": [None, None, 3.7424, 5.5568, None, None, None, None],
    "losses B": [2.4483, 2.4102, 2.4753, 2.5052, 2.4197, 2.4541, 2.9488, 2.5029],
    "prediction": "same",
    "verdict": "B",
}
CONFOUNDED = {
    "learner": "the course",
    "A": {"max_norm": None, "optimizer": "momentum", "lr": 1.0},
    "B": {"max_norm": 1.0, "optimizer": "adamw", "lr": 0.01},
    "losses A": [None, None, 3.7424, 5.5568, None, None, None, None],
    "losses B": [2.3583, 2.3708, 2.3459, 2.3399, 2.3771, 2.3767, 2.3436, 2.349],
    "prediction": "same",
    "verdict": "B",
}

DOES_CLIPPING_HELP = experiment_exercise(
    CLIPPING,
    REPORT,
    CONFOUNDED,
    seconds=1,
    title="Does clipping help?",
    points=5,
    minutes=25,
    why="Nearly everybody clips at norm 1. Whether it helps depends on the optimizer and the learning rate: measure it "
    "where you train.",
)
