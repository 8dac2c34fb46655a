"""What grading costs, in processor time: nbgrader's own autograde, ours, and the least that it could be.

    python -m autograde.grading_cost --kernels N      start, ask and end N kernels, and nothing else

Processor time of a command with all that it started, however it started it. A start-up (imports, the zygote) is taken
off: what is counted is the difference between a run over all submissions and a run over one, for each further one.
"""

import argparse
import contextlib
import ctypes
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

SUBMISSIONS = 24
KERNELS = 41
NAMES = ("log_softmax", "initial_loss", "cross_entropy", "sample")
STOCK = 'c = get_config()\nc.CourseDirectory.course_id = "stock"\nc.ExecutePreprocessor.timeout = 300\n'
IMPORTS = {
    "torch": ("torch",),
    "transformers, peft and bitsandbytes": ("torch", "transformers", "peft", "bitsandbytes"),
}


@dataclass(frozen=True)
class Cost:
    """Processor seconds for each submission."""

    imports: str
    stock: float
    ours: float
    cells: float  # the learner's own cells, and their answers called on the cases
    kernel: float  # a kernel started, asked once and ended


def measure(imports: str, submissions: int = SUBMISSIONS) -> Cost:
    """Grade the same submissions in both ways. Takes minutes: nbgrader imports everything once for each learner."""
    with tempfile.TemporaryDirectory(prefix="grading-cost-") as folder:
        top = Path(folder)
        classroom = make_class(top / "ours", IMPORTS[imports], submissions)
        one = make_class(top / "one", IMPORTS[imports], 1)
        ours = _each(lambda c: _ours(c.folder), classroom, one, submissions)
        stock = _each(lambda c: _stock(c.folder), classroom, one, submissions)
        modules = ",".join(_modules(classroom))
        line = [sys.executable, "-m", __name__, "--modules", modules, "--kernels"]
        kernel = (cpu_of([*line, str(KERNELS)]) - cpu_of([*line, "1"])) / (KERNELS - 1)
        cells = float(_run([sys.executable, "-m", __name__, "--cells", str(classroom.folder)]))
        return Cost(imports, stock, ours, cells, kernel)


def make_class(folder: Path, modules, submissions: int):
    """A class of learners who answer four exercises of week 1 rightly, in one notebook that imports these modules."""
    from autograde import release
    from autograde.classroom import Classroom

    week, opening = "week1_cost", "# %% [markdown]\n# # What grading costs\n# %%\nimport math\n\n"
    lesson, answers = release.lesson_asking(NAMES, opening + "".join(f"import {module}\n" for module in modules))
    (folder / "solutions" / week).mkdir(parents=True)
    (folder / "solutions" / week / "cost.py").write_text(lesson)
    for name in ("nbgrader_config.py", "pyproject.toml"):
        shutil.copy(release.root() / name, folder / name)
    _run([sys.executable, "-m", "nbgrader", "generate_assignment", week], folder)
    classroom = Classroom(folder)
    book = json.loads(classroom.release(week)["cost"])
    for cell in book["cells"]:
        cell["source"] = answers.get(cell["id"].removeprefix("week1-"), cell["source"])
    for number in range(submissions):
        path = classroom.path("submitted", f"learner-{number:03}", week) / "cost.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(book))
    return classroom


def _each(grade, classroom, one, submissions):
    return (grade(classroom) - grade(one)) / (submissions - 1)


def _ours(folder):
    return cpu_of([sys.executable, "-m", "autograde", "grade", str(folder / "submitted"), "--folder", str(folder)])


def _stock(folder):
    """nbgrader as it comes: its own settings, on a copy whose notebooks lie in its own folders."""
    top = folder.with_name(folder.name + "-stock")
    for ours, theirs in (("solutions", "source"), ("course", "release"), ("submitted", "submitted")):
        shutil.copytree(folder / ours, top / theirs, ignore=shutil.ignore_patterns("*.py"))
    (top / "nbgrader_config.py").write_text(STOCK)
    week = next((top / "source").iterdir()).name
    _run([sys.executable, "-m", "nbgrader", "generate_assignment", week, "--force"], top)
    return cpu_of([sys.executable, "-m", "nbgrader", "autograde", week], top)


def cpu_of(words: list[str], folder: Path | None = None) -> float:
    """Processor seconds of a command and of all that came of it, also of what it left to others.

    Raises CalledProcessError where it fails.
    """
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER: orphans below are ours to wait for
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    _run(words, folder)
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _run(words, folder=None):
    environ = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    done = subprocess.run(words, cwd=folder, env=environ, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words[1:5])}: {done.stderr.strip().splitlines()[-1:]}")
    return done.stdout


def _modules(classroom):
    from autograde import marking

    (assignment,) = classroom.assignments()
    return marking.modules(classroom.release(assignment).values())


def kernels(number: int, modules: list[str]) -> None:
    """Start, ask and end as many kernels, one after the other."""
    from autograde.sandbox import Sandbox

    with Sandbox(modules) as sandbox:
        for _ in range(number):
            kernel = sandbox.kernel()
            kernel.run("pass", 60)
            kernel.end()


def cells(folder: Path) -> float:
    """Mean processor seconds of a learner's own cells in a fresh process with the imports done, without any sandbox."""
    import importlib

    import nbformat
    import torch
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    from autograde import needed, oracle, probe, rebuild
    from autograde.classroom import Classroom
    from autograde.executor import exercise_of
    from autograde.exercise import find

    torch.set_num_threads(1)  # a fork after a parallel operator hangs
    classroom, times, config = Classroom(folder), [], Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell.instance(config=config)
    for module in _modules(classroom):
        importlib.import_module(module)
    ((assignment, (name,)),) = classroom.assignments().items()
    release = nbformat.reads(classroom.release(assignment)[name], as_version=4)
    asked = {key: [q.message for q in oracle.questions(find(key), 1)] for key in classroom.exercises(assignment)}
    for path in sorted(classroom.submitted.glob("*/*/*.ipynb")):
        here = [cell for cell in rebuild.rebuild(path.read_bytes(), release).cells if cell.cell_type == "code"]
        wanted = needed.to_grade([(cell.source, rebuild.role(cell)) for cell in here])
        read, write = os.pipe()
        if os.fork() == 0:
            began = time.process_time()
            for cell, runs in zip(here, wanted, strict=True):
                if rebuild.role(cell) == "check":
                    exercise = find(exercise_of(cell))
                    target = shell.user_ns[exercise.name]
                    probe.answer(target, exercise.probe_source, asked[exercise.id], exercise.rules)
                elif runs:
                    shell.run_cell(cell.source).raise_error()
            os.write(write, str(time.process_time() - began).encode())
            os._exit(0)
        os.close(write)
        times.append(float(os.read(read, 100) or "nan"))
        os.close(read)
        os.wait()
    return sum(times) / len(times)


# --- many submissions -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scale:
    """Of a long run: seconds for the first and the last hundred, and the grader's memory then (all its processes)."""

    first_s: float
    last_s: float
    first_mb: float
    last_mb: float
    total_s: float


def scale(submissions: int = 500, hundred: int = 100) -> Scale:
    """Grade so many in one go with two jobs, and watch the grader's processes meanwhile."""
    with tempfile.TemporaryDirectory(prefix="grading-scale-") as folder:
        classroom = make_class(Path(folder) / "class", IMPORTS["torch"], submissions)
        line = [sys.executable, "-m", "autograde", "grade", str(classroom.submitted), "--folder", str(classroom.folder)]
        began, marks = time.monotonic(), {}
        with subprocess.Popen([*line, "--jobs", "2"], stdout=subprocess.DEVNULL) as process:
            while process.poll() is None:
                done = sum(1 for _ in classroom.journal.entries("written"))
                for mark in (1, hundred, submissions - hundred, submissions - 5):
                    if done >= mark and mark not in marks:
                        marks[mark] = time.monotonic(), _memory_mb(process.pid)
                time.sleep(0.5)
        if process.returncode:
            raise RuntimeError(f"the grader ended with {process.returncode}")
        end = time.monotonic()
        first, last = marks[hundred][0] - marks[1][0], end - marks[submissions - hundred][0]
        return Scale(first, last, marks[hundred][1], marks[submissions - 5][1], end - began)


def _memory_mb(pid):
    """Memory of a process and all below it, each shared page once (Pss)."""
    total, waiting = 0, [str(pid)]
    for process in waiting:
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{process}/task"):
                waiting += Path(f"/proc/{process}/task/{task}/children").read_text().split()
            text = Path(f"/proc/{process}/smaps_rollup").read_text()
            total += next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return total / 1024


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kernels", type=int)
    parser.add_argument("--modules", default="torch")
    parser.add_argument("--cells", type=Path)
    options = parser.parse_args()
    if options.cells:
        print(cells(options.cells))
    else:
        kernels(options.kernels, options.modules.split(","))
