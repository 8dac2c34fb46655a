"""week3.precision_cost: what does low precision cost?"""

from autograde.exercises.experiment import experiment_exercise
from course.lab.experiments.week3 import PRECISION

REPORT = {
    "learner": "the course",
    "A": {"precision": "fp32", "lr": 0.01},
    "B": {"precision": "bf16 autocast", "lr": 0.01},
    "losses A": [2.2928, 2.2859, 2.3035, 2.2969, 2.3102, 2.3384, 2.3193, 2.3173],
    "losses B": [2.2912, 2.2905, 2.3042, 2.2932, 2.3135, 2.3349, 2.3165, 2.314],
    "prediction": "same",
    "verdict": "same",
}
CONFOUNDED = {
    "learner": "the course",
    "A": {"precision": "fp32", "lr": 0.01},
    "B": {"precision": "bf16 weights", "lr": 0.001},
    "losses A": [2.2928, 2.2859, 2.3035, 2.2969, 2.3102, 2.3384, 2.3193, 2.3173],
    "losses B": [3.1451, 3.1484, 3.157, 3.142, 3.1479, 3.1621, 3.1465, 3.147],
    "prediction": "same",
    "verdict": "A",
}

PRECISION_COST = experiment_exercise(
    PRECISION,
    REPORT,
    CONFOUNDED,
    seconds=2,
    title="What does low precision cost?",
    points=5,
    minutes=25,
    why="Whoever saves memory and time wants to know what it costs in loss: measured, with a rule fixed beforehand.",
)
