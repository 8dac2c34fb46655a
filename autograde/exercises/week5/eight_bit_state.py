"""week5.eight_bit_state: what do eight bits of state cost?"""

from autograde.exercises.experiment import experiment_exercise
from course.lab.experiments.week5 import EIGHT_BIT_STATE as EXPERIMENT

REPORT = {
    "learner": "the course",
    "A": {"state": "32 bits", "lr": 0.01, "beta2": 0.95},
    "B": {"state": "8 bits", "lr": 0.01, "beta2": 0.95},
    "losses A": [2.3097, 2.2733, 2.288, 2.3017, 2.309, 2.3248, 2.2945, 2.3358],
    "losses B": [2.3031, 2.2742, 2.2878, 2.3014, 2.3077, 2.327, 2.2946, 2.3353],
    "prediction": "same",
    "verdict": "same",
}
CONFOUNDED = {
    "learner": "the course",
    "A": {"state": "32 bits", "lr": 0.01, "beta2": 0.95},
    "B": {"state": "8 bits", "lr": 0.003, "beta2": 0.95},
    "losses A": [2.3097, 2.2733, 2.288, 2.3017, 2.309, 2.3248, 2.2945, 2.3358],
    "losses B": [2.4633, 2.5481, 2.481, 2.494, 2.4724, 2.5313, 2.499, 2.4892],
    "prediction": "same",
    "verdict": "A",
}

EIGHT_BIT_STATE = experiment_exercise(
    EXPERIMENT,
    REPORT,
    CONFOUNDED,
    seconds=1,
    title="What do eight bits of state cost?",
    points=5,
    minutes=25,
    why="8-bit state is a quarter of the bytes. Whether a run pays for them is a question for runs.",
)
