"""A small course of two exercises in a folder of its own."""

import shutil
from pathlib import Path

import pytest

from autograde import release
from autograde.exercise import Case, Exercise

REPOSITORY = Path(__file__).resolve().parents[2]
WEEK = "week1_toy"

LESSON = '''\
# %% [markdown]
# # Doubling and negating
# %%
import math
# %% [markdown]
# ### Double
#
# Twice the number.
# %% exercise="week1.double"
def double(x):
    """Twice `x`."""
    ### BEGIN SOLUTION
    twice = x + x
    return twice * math.copysign(1.0, 1.0)
    ### END SOLUTION


# %% check="week1.double"
check("week1.double", double)
# %% [markdown]
# ### Negate
# %% exercise="week1.negate"
def negate(x):
    """`x` with the other sign."""
    ### BEGIN SOLUTION
    return -double(x) / 2
    ### END SOLUTION


# %% check="week1.negate"
check("week1.negate", negate)
# %% [markdown] answer="week1.why" points=3
# Because a sign is a factor of minus one.
'''


def _cases(rng):
    yield Case("three", {"x": 3.0})


def _exercise(name, points, expected):
    words = {"title": name.capitalize(), "why": "Signs go wrong first.", "oracle": "arithmetic"}
    return Exercise(id=f"week1.{name}", points=points, minutes=5, cases=_cases, expected=expected, **words)


EXERCISES = (_exercise("double", 2, lambda i: 2 * i["x"]), _exercise("negate", 1, lambda i: -i["x"]))


class Course:
    """A checkout with one lesson, `lesson`, and what one does with it."""

    def __init__(self, top):
        self.top = top
        for name in ("nbgrader_config.py", "pyproject.toml"):
            shutil.copy(REPOSITORY / name, top / name)
        self.lesson = top / "solutions" / WEEK / "toy.py"
        self.notebook = top / "course" / WEEK / "toy.ipynb"
        self.write(LESSON)

    def write(self, text, name="toy"):
        path = self.lesson.with_name(f"{name}.py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def edit(self, old, new):
        """Replace text in the lesson."""
        text = self.lesson.read_text(encoding="utf-8")
        assert old in text
        self.write(text.replace(old, new))

    def build(self, **options):
        return release.build(top=self.top, **options)

    def errors(self):
        """The lines of a build that is refused; nothing may have been written."""
        with pytest.raises(release.BuildError) as caught:
            self.build()
        assert not self.notebook.exists()
        return list(caught.value.lines)


@pytest.fixture
def course(tmp_path, monkeypatch):
    monkeypatch.setattr("autograde.exercises.week1.EXERCISES", EXERCISES)
    monkeypatch.chdir(tmp_path)
    return Course(tmp_path)
