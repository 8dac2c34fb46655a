"""week6.is_warmup_needed: is warmup needed?"""

from autograde.exercises.experiment import experiment_exercise
from course.lab.experiments.week6 import IS_WARMUP_NEEDED as EXPERIMENT

REPORT = {
    "learner": "the course",
    "A": {"warmup": 0, "lr": 0.03},
    "B": {"warmup": 50, "lr": 0.03},
    "losses A": [2.1235, 2.1535, 2.1592, 2.1449, 2.0905, 2.2078, 2.1841, 2.2381],
    "losses B": [2.2405, 2.3185, 2.2482, 2.2943, 2.2212, 2.2566, 2.4406, 2.2474],
    "prediction": "B",
    "verdict": "A",
}
CONFOUNDED = {
    "learner": "the course",
    "A": {"warmup": 0, "lr": 0.03},
    "B": {"warmup": 50, "lr": 0.003},
    "losses A": [2.1235, 2.1535, 2.1592, 2.1449, 2.0905, 2.2078, 2.1841, 2.2381],
    "losses B": [2.4917, 2.4553, 2.4657, 2.4412, 2.4365, 2.4221, 2.4471, 2.4489],
    "prediction": "B",
    "verdict": "A",
}

IS_WARMUP_NEEDED = experiment_exercise(
    EXPERIMENT,
    REPORT,
    CONFOUNDED,
    seconds=2,
    title="Is warmup needed?",
    points=5,
    minutes=25,
    why="Nearly every recipe warms up. At which peak learning rate does it help, and where does it cost?",
)
