"""week2.epochs_or_batch: small batches or large ones?"""

from autograde.exercises.experiment import experiment_exercise
from course.lab.experiments.week2 import EPOCHS_OR_BATCH

REPORT = {
    "learner": "the course",
    "A": {"batch_size": 4, "epochs": 10, "lr": 0.01},
    "B": {"batch_size": 32, "epochs": 10, "lr": 0.01},
    "losses A": [2.3961, 2.3661, 2.3846, 2.5017, 2.4697, 2.4263, 2.4536, 2.4496],
    "losses B": [2.4626, 2.5431, 2.4856, 2.5646, 2.5178, 2.5862, 2.4916, 2.5429],
    "prediction": "same",
    "verdict": "A",
}
CONFOUNDED = {
    "learner": "the course",
    "A": {"batch_size": 4, "epochs": 10, "lr": 0.01},
    "B": {"batch_size": 32, "epochs": 1, "lr": 0.01},
    "losses A": [2.3961, 2.3661, 2.3846, 2.5017, 2.4697, 2.4263, 2.4536, 2.4496],
    "losses B": [4.3788, 4.3189, 4.3936, 4.4271, 4.4688, 4.3159, 4.4426, 4.4196],
    "prediction": "same",
    "verdict": "A",
}

EPOCHS_OR_BATCH = experiment_exercise(
    EPOCHS_OR_BATCH,
    REPORT,
    CONFOUNDED,
    seconds=1.5,
    title="Small batches or large ones?",
    points=5,
    minutes=25,
    why="People ask whether one pass with batches of 32 beats ten with batches of 4. That changes two things at once, "
    "so no run can answer it; a question about one of them can be answered.",
)
