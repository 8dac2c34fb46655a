"""week6.scaling_rule: linear or root?"""

from autograde.exercises.experiment import experiment_exercise
from course.lab.experiments.week6 import SCALING_RULE as EXPERIMENT

REPORT = {
    "learner": "the course",
    "A": {"rule": "linear", "optimizer": "adamw", "batch_size": 32},
    "B": {"rule": "sqrt", "optimizer": "adamw", "batch_size": 32},
    "losses A": [2.9365, 2.6172, 2.7367, 2.7506, 2.5654, 2.8394, 2.4961, 2.5705],
    "losses B": [2.637, 2.6029, 2.5968, 2.5668, 2.5739, 2.5884, 2.6085, 2.7069],
    "prediction": "A",
    "verdict": "unresolved",
}
CONFOUNDED = {
    "learner": "the course",
    "A": {"rule": "linear", "optimizer": "adamw", "batch_size": 32},
    "B": {"rule": "sqrt", "optimizer": "sgd", "batch_size": 32},
    "losses A": [2.9365, 2.6172, 2.7367, 2.7506, 2.5654, 2.8394, 2.4961, 2.5705],
    "losses B": [2.8032, 2.9342, 2.8398, 2.9406, 2.9141, 3.0151, 2.8009, 3.2243],
    "prediction": "A",
    "verdict": "A",
}

SCALING_RULE = experiment_exercise(
    EXPERIMENT,
    REPORT,
    CONFOUNDED,
    seconds=1,
    title="Linear or root?",
    points=5,
    minutes=25,
    why="Two rules say how the learning rate grows with the batch. Each has an end; where does yours lie?",
)
