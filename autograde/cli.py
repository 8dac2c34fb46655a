"""The command line: `python -m autograde COMMAND …`. Each command's module is imported only when it is asked for."""

import importlib
import sys

COMMANDS = {
    "lab": ("autograde.lab", "copy the notebooks into work/ and open JupyterLab on the first week"),
    "test": ("autograde.testing", "run the tests on two processes; arguments go to pytest"),
    "grade": ("autograde.grade", "grade a class of submissions into nbgrader's gradebook"),
    "report": ("autograde.report", "a page for the instructor and one for each learner, from what was graded"),
    "marks": ("autograde.marks", "void or reweigh an exercise, reveal seeds, take a roster, write marks for an LMS"),
    "replay": ("autograde.replay", "run one learner's mark again and show its cases"),
    "doctor": ("autograde.doctor", "prove on this machine that the sandbox holds"),
    "build": ("autograde.release", "make the release notebooks in course/ from solutions/"),
    "bench": ("autograde.bench", "measure how fast the demos, checks, imports and notebooks are here"),
    "gpu": ("course.lab.gpu_runs", "run and record what needs a GPU; --dry-run tries it on the CPU"),
    "audit": ("autograde.audit", "show which wrong answers each exercise tells apart"),
}


def usage() -> str:
    """The commands, one a line."""
    lines = [f"  {name:<6} {words}" for name, (_, words) in COMMANDS.items()]
    return "\n".join(["usage: python -m autograde COMMAND [ARGUMENTS]", "", *lines, "", "COMMAND --help says more."])


def main(argv=None) -> int:
    """Run one command; returns its exit status."""
    argv = list(sys.argv[1:] if argv is None else argv)
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(usage())
        return 0 if argv else 2
    command, *args = argv
    if command not in COMMANDS:
        print(f"There is no command {command!r}; there are {', '.join(COMMANDS)}.", file=sys.stderr)
        return 2
    name, _ = COMMANDS[command]
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith(("autograde", "course")):
            raise
        print(
            f"`{command}` needs the package {error.name}, which is not installed here: "
            'pip install -c constraints.txt -e ".[lab,grade,dev]" in the repository brings it.',
            file=sys.stderr,
        )
        return 1
    return module.main(args) or 0
