"""What the tests of grading share: a released class to copy, and one sandbox for all that a module marks."""

import pytest

from autograde import marking
from autograde.sandbox import Sandbox
from tests.grading import classes


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """The small course as a class without submissions."""
    return classes.release(tmp_path_factory.mktemp("released"))


@pytest.fixture(scope="module")
def sandbox(released):
    texts = [path.read_text() for path in released.folder.glob("release/*/*.ipynb")]
    with Sandbox(marking.modules(texts)) as sandbox:
        yield sandbox


@pytest.fixture
def here(sandbox):
    """Marking happens in this process, in the module's one sandbox → the learners whose submissions were marked."""
    marked = []
    with classes.marking_in(sandbox, marked):
        yield marked
