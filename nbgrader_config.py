"""nbgrader on this layout: solutions/ → course/, submitted/ → autograded/ → feedback/, gradebook.db."""

from pathlib import Path

from autograde.layout import configure

configure(get_config(), Path(__file__).resolve().parent)  # noqa: F821  traitlets puts get_config here
