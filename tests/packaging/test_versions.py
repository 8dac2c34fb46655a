"""pyproject.toml holds ranges, constraints.txt the one pin of each, environment.yml and the rest none."""

import re
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version


@pytest.fixture
def project(repository):
    return tomllib.loads((repository / "pyproject.toml").read_text())["project"]


@pytest.fixture
def pins(repository):
    lines = (repository / "constraints.txt").read_text().splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def asked(project):
    """All that the project and its extras ask for, themselves among it: an extra may name others of the project."""
    extras = project["optional-dependencies"].values()
    return [Requirement(line) for line in [*project["dependencies"], *(r for extra in extras for r in extra)]]


def direct(project):
    return [requirement for requirement in asked(project) if requirement.name != project["name"]]


def installed(project, extras):
    """The extras that asking for these brings."""
    found = set()
    while extras := set(extras) - found:
        found |= extras
        lines = (line for extra in extras for line in project["optional-dependencies"][extra])
        extras = {name for one in map(Requirement, lines) if one.name == project["name"] for name in one.extras}
    return found


def test_constraints_pin_each_package_once_and_exactly(pins):
    names = [canonicalize_name(pin.name) for pin in pins]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"==[\w.!]+", str(pin.specifier)) for pin in pins), "one exact public version each"
    assert "training-dynamics" not in names and len(names) > 50
    assert str({pin.name: pin for pin in pins}["torch"].specifier) == "==2.13.0"


def test_every_direct_dependency_is_pinned_inside_its_range(project, pins):
    pinned = {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in pins}
    names = [canonicalize_name(requirement.name) for requirement in direct(project)]
    assert len(names) == len(set(names)), "a dependency is asked for once"
    for requirement in direct(project):
        assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)]), requirement


def test_torch_is_a_range_that_colab_satisfies(project):
    torch = next(requirement for requirement in direct(project) if requirement.name == "torch")
    assert {spec.operator for spec in torch.specifier} == {">="}


def test_no_pin_stands_anywhere_else(repository):
    files = ["pyproject.toml", "environment.yml", "Makefile", "README.md", ".ci/run", "nbgrader_config.py"]
    files += [path.relative_to(repository) for path in (repository / "autograde").glob("*.py")]
    names = "|".join(re.escape(line.split("==")[0]) for line in _pinned_lines(repository))
    for name in files:
        text = (repository / name).read_text() if (repository / name).exists() else ""
        assert not re.findall(rf"\b(?:{names})\s*(?:===?|~=)\s*\d[\w.]*", text, re.I), name


def _pinned_lines(repository):
    return [line for line in (repository / "constraints.txt").read_text().splitlines() if not line.startswith("#")]


def test_the_environment_installs_what_the_makefile_installs(repository, project):
    environment = yaml.safe_load((repository / "environment.yml").read_text())
    *conda, pip = environment["dependencies"]
    assert environment["name"] == project["name"]
    assert pip == {"pip": ["--constraint constraints.txt", "--editable .[lab,grade,dev]"]}
    assert "pip" in conda and len(conda) == 2
    python = next(line for line in conda if line.startswith("python="))
    assert Version(python.removeprefix("python=")) in SpecifierSet(project["requires-python"])
    makefile = (repository / "Makefile").read_text()
    assert "--constraint constraints.txt" in makefile and '--editable ".[lab,grade,dev]"' in makefile
    extras = re.search(r"\.\[([\w,]+)\]", pip["pip"][1])[1].split(",")
    assert installed(project, extras) == set(project["optional-dependencies"])


def test_what_a_class_on_several_machines_needs_can_be_installed_by_itself(project):
    assert installed(project, ["dask"]) == {"dask"} and installed(project, ["postgres"]) == {"postgres"}
    assert {"dask", "postgres"} <= installed(project, ["dev"]), "the tests try both"
    assert not {"distributed", "psycopg"} & {Requirement(line).name for line in project["dependencies"]}


def test_the_oldest_python_is_said_alike(repository, project):
    assert project["requires-python"] == ">=3.11"
    assert "Python 3.11 or newer" in (repository / "README.md").read_text()
    assert "sys.version_info < (3, 11)" in (repository / "autograde" / "__init__.py").read_text()


@pytest.mark.filterwarnings("ignore:pkg_resources")
def test_pip_reads_the_environments_lines_as_they_stand(repository, tmp_path):
    """conda hands pip a requirements file made of these lines, beside environment.yml."""
    from pip._internal.network.session import PipSession
    from pip._internal.req import parse_requirements

    lines = yaml.safe_load((repository / "environment.yml").read_text())["dependencies"][-1]["pip"]
    file = tmp_path / "condaenv.txt"
    (tmp_path / "constraints.txt").write_text((repository / "constraints.txt").read_text())
    file.write_text("\n".join(lines) + "\n")
    parsed = list(parse_requirements(str(file), session=PipSession()))
    assert [r.requirement for r in parsed if r.is_editable] == [".[lab,grade,dev]"]
    assert any(r.constraint and r.requirement == "torch==2.13.0" for r in parsed)
