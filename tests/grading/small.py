"""A small course for the tests of grading: one lesson of two real exercises, in a folder of its own."""

import shutil
from pathlib import Path

import nbformat

REPOSITORY = Path(__file__).resolve().parents[2]
WEEK = "week1_small"
LESSON = '''\
# %% [markdown]
# # A small week
# %%
import math

import torch
# %%
raise SystemError("a demo that grading has no need of")
# %%
HALF = 0.5
# %% [markdown]
# ### Log-softmax
# %% exercise="week1.log_softmax"
def log_softmax(logits):
    """Log-probabilities over the last axis."""
    ### BEGIN SOLUTION
    shifted = logits - logits.max(dim=-1, keepdim=True).values
    return shifted - shifted.exp().sum(dim=-1, keepdim=True).log()
    ### END SOLUTION


# %% check="week1.log_softmax"
check("week1.log_softmax", log_softmax)
# %% [markdown]
# ### The loss of a model that knows nothing
# %% exercise="week1.initial_loss"
def initial_loss(vocab_size):
    """Cross-entropy of a uniform guess."""
    ### BEGIN SOLUTION
    return 2 * HALF * math.log(vocab_size)
    ### END SOLUTION


# %% check="week1.initial_loss"
check("week1.initial_loss", initial_loss)
'''


def make_course(top: Path) -> Path:
    """A checkout with this lesson → its source."""
    for name in ("nbgrader_config.py", "pyproject.toml"):
        shutil.copy(REPOSITORY / name, top)
    source = top / "solutions" / WEEK / "small.py"
    source.parent.mkdir(parents=True)
    source.write_text(LESSON)
    return source


def hand_in(top: Path, student: str, answers: dict[str, str]):
    """The release with some cells answered, by cell id, as this learner's submission."""
    notebook = nbformat.read(top / "course" / WEEK / "small.ipynb", as_version=4)
    for cell in notebook.cells:
        cell.source = answers.get(cell.id, cell.source)
    folder = top / "submitted" / student / WEEK
    folder.mkdir(parents=True)
    nbformat.write(notebook, folder / "small.ipynb")
