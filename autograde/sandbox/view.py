"""What a kernel sees of the machine: an interpreter, its packages, the course's bench, and nothing else."""

import os
import sys
import sysconfig
from pathlib import Path

import course
from autograde.sandbox import inside
from course.lab import assets

KIT = Path("/kit")  # where the sandbox has what is carried into it
_AUTOGRADE = Path(__file__).resolve().parents[1]
_BESIDE_THE_ANSWER = ("guard.py", "probe.py", "wire.py")  # no oracle, no misconception, no case


def kit() -> dict[Path, Path]:
    """{path in the sandbox: path here} of what is carried in, all of it read-only."""
    here = Path(inside.__file__).parent
    carried = {KIT / "inside" / path.name: path for path in here.glob("*.py") if path.name != "stub.py"}
    carried[KIT / "autograde" / "__init__.py"] = here / "stub.py"
    carried |= {KIT / "autograde" / name: _AUTOGRADE / name for name in _BESIDE_THE_ANSWER}
    package = Path(course.__file__).resolve().parent
    carried |= {KIT / "course" / "__init__.py": package / "__init__.py", KIT / "course" / "lab": package / "lab"}
    return carried | {KIT / "assets": assets.root()}


def interpreter() -> list[str]:
    """Folders of this interpreter and its packages. Some Pythons lie in a home: no more of that is shown."""
    found = {sys.prefix, sys.base_prefix, sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    found |= {os.path.realpath(folder) for folder in found}
    return sorted(folder for folder in found if not folder.startswith("/usr/") and folder != "/usr")


def masked() -> list[str]:
    """Folders that lie in what is shown and must not be seen: this package, where it is installed among the others."""
    shown = (*interpreter(), "/usr")
    return [str(_AUTOGRADE)] if any(str(_AUTOGRADE).startswith(f"{folder}/") for folder in shown) else []


def shows(path) -> bool:
    """Whether a folder lies in what a kernel sees: a class or a checkout must not, or its solutions can be read."""
    path = os.path.realpath(path)
    return any(f"{path}/".startswith(f"{os.path.realpath(folder)}/") for folder in (*interpreter(), "/usr"))


def checkout() -> Path | None:
    """The repository that this package runs from, with the solutions in it; None where it is installed."""
    top = _AUTOGRADE.parent
    return top if (top / "solutions").is_dir() else None


def environment() -> dict[str, str]:
    """All environment variables of a kernel."""
    return {
        "HOME": "/tmp",
        "TMPDIR": "/tmp",
        "USER": "learner",
        "PATH": f"{sys.prefix}/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(KIT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MPLBACKEND": "agg",
        "TORCHDYNAMO_DISABLE": "1",  # torch.compile changes nothing: it takes longer than an answer may
        "HF_HUB_OFFLINE": "1",
        "NBGRADER_EXECUTION": "autograde",
    }


def python() -> str:
    """The interpreter as the sandbox sees it."""
    return f"{sys.prefix}/bin/python"
