"""week5.state_reset: when is the state worth resetting?"""

from autograde.exercises.experiment import experiment_exercise
from course.lab.experiments.week5 import STATE_RESET as EXPERIMENT

REPORT = {
    "learner": "the course",
    "A": {"state": "kept", "steps_after": 10, "lr": 0.01, "beta2": 0.95},
    "B": {"state": "reset", "steps_after": 10, "lr": 0.01, "beta2": 0.95},
    "losses A": [2.4444, 2.4318, 2.4597, 2.436, 2.4852, 2.4394, 2.4675, 2.5129],
    "losses B": [2.3467, 2.3346, 2.3715, 2.3741, 2.3973, 2.3497, 2.3563, 2.4171],
    "prediction": "same",
    "verdict": "B",
}
CONFOUNDED = {
    "learner": "the course",
    "A": {"state": "kept", "steps_after": 10, "lr": 0.01, "beta2": 0.95},
    "B": {"state": "reset", "steps_after": 50, "lr": 0.01, "beta2": 0.95},
    "losses A": [2.4444, 2.4318, 2.4597, 2.436, 2.4852, 2.4394, 2.4675, 2.5129],
    "losses B": [1.9805, 1.985, 2.0591, 1.9753, 2.1149, 2.0016, 2.0264, 2.0942],
    "prediction": "same",
    "verdict": "B",
}

STATE_RESET = experiment_exercise(
    EXPERIMENT,
    REPORT,
    CONFOUNDED,
    seconds=1,
    title="When is the state worth resetting?",
    points=5,
    minutes=25,
    why="The moments remember the old data. After a change of data that may help or hurt, and for how long?",
)
