"""`python -m autograde bench [PART …]`: how fast things are on this machine, each figure beside its aim."""

import argparse
import itertools
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MOVES = 21  # of the slider


class CannotRun(RuntimeError):
    """This machine lacks what a part needs; the message says what."""


@dataclass(frozen=True)
class Row:
    """One line of the table. `value` is in `unit`; `aim` is the most it should be, `least` the least (None: it is only
    reported).
    """

    name: str
    value: float | None
    unit: str = ""
    aim: float | None = None
    note: str = ""
    least: float | None = None

    @property
    def verdict(self) -> str:
        if self.value is None:
            return "not run"
        if self.aim is None and self.least is None:
            return ""
        return "met" if (self.least or 0) <= self.value <= (self.aim or float("inf")) else "missed"

    def cells(self) -> tuple[str, ...]:
        figure = "" if self.value is None else f"{self.value:,.{2 if abs(self.value) < 10 else 0}f} {self.unit}".strip()
        limits = (("≥", self.least), ("≤", self.aim))
        aim = ", ".join(f"{sign} {limit:g} {self.unit}".strip() for sign, limit in limits if limit is not None)
        return self.name, figure, aim, " ".join(filter(None, (self.verdict, self.note)))


def live() -> Iterator[Row]:
    """Training speed of the week 2 demo's model, with its plot and without."""
    from course.lab.live_cost import plot_cost

    cost = plot_cost()
    yield Row("live model without its plot", cost["steps_per_s_without"], "steps/s")
    yield Row("live model with its plot", cost["steps_per_s_with"], "steps/s")
    if cost["cost_percent"] < -2:  # a plot cannot speed a run up
        yield Row("cost of the plot", cost["cost_percent"], "%", note="unclear: other programs are busy, measure again")
    else:
        yield Row("cost of the plot", cost["cost_percent"], "%", 5)


# The picture carries the label of its run, so that a frame of the new run is known from one of the old.
DEMO = """\
from course.lab.demos.week2 import learning_rate_and_batch_size

panel = learning_rate_and_batch_size()
draw = panel.draw


def labelled(trace):
    panel.image.tooltip = "run: " + trace.label
    return draw(trace)


panel.draw = labelled
panel"""

# From the key press to the load of the first picture whose run is another one than before.
TIMER = """() => {
    const picture = document.querySelector('.jp-Notebook img.widget-image');
    const label = () => (picture.title || '').startsWith('run: ') ? picture.title : null;
    window.benchFrame = new Promise(resolve => {
        window.addEventListener('keydown', () => {
            const began = performance.now();
            const before = label() || window.benchLabel;
            let old = null;
            const watcher = new MutationObserver(() => {
                if (old === null && label() && label() !== before) { old = picture.src; window.benchLabel = label(); }
            });
            watcher.observe(picture, {attributes: true});
            picture.addEventListener('load', function loaded() {
                if (old === null || picture.src === old) return;
                picture.removeEventListener('load', loaded);
                watcher.disconnect();
                resolve(performance.now() - began);
            });
        }, {once: true, capture: true});
    });
}"""

FRAME = "Promise.race([window.benchFrame, new Promise(resolve => setTimeout(() => resolve(30000), 30000))])"


def slider() -> Iterator[Row]:
    """From an arrow key on the learning rate's slider to the new run's first frame, while a run goes on."""
    times = sorted(slider_times())
    yield Row("slider → new frame, median", statistics.median(times), "ms", 80, f"over {len(times)} moves in Chromium")
    yield Row("slider → new frame, nine in ten", times[int(0.9 * len(times))], "ms")


def slider_times(moves: int = MOVES) -> list[float]:
    """Milliseconds of each move, in the order of the moves."""
    from autograde import browser

    if browser.CHROMIUM is None:
        raise CannotRun("no Chromium here: apt-get install chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        raise CannotRun("no playwright here: the extra dev brings it") from None
    import nbformat

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(DEMO)])
    notebook.metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    with tempfile.TemporaryDirectory() as top:
        work, settings = Path(top, "work"), Path(top, "settings")
        work.mkdir(), settings.mkdir()
        nbformat.write(notebook, work / "demo.ipynb")
        with browser.serve(work, settings) as url, sync_playwright() as playwright:
            running = playwright.chromium.launch(executable_path=browser.CHROMIUM, args=browser.CHROMIUM_ARGS)
            page = running.new_page(viewport={"width": 1200, "height": 1000})
            browser.open_notebook(page, url, "demo.ipynb")
            browser.run_all(page)
            times = _move(page, moves)
            running.close()
    return times


def _move(page, moves):
    times, handle = [], page.locator(".jp-Notebook [role=slider]").first
    handle.wait_for()
    page.wait_for_function("document.querySelector('.jp-Notebook img.widget-image')?.naturalWidth > 0")
    handle.focus()
    for key in itertools.islice(itertools.cycle(["ArrowRight", "ArrowLeft"]), moves + 2):
        page.wait_for_timeout(500)  # the run gets going again
        page.evaluate(TIMER)
        page.keyboard.press(key)
        times.append(page.evaluate(FRAME))
    return times[2:]  # the first two warm the caches


def checks() -> Iterator[Row]:
    """What a learner waits for after a right answer."""
    import autograde
    from autograde import release
    from autograde.exercise import find

    for py in release.sources():
        for exercise_id, source in release.references(py).items():
            namespace = {"__name__": "reference"}
            exec(compile(source, str(py), "exec"), namespace)
            target = namespace[find(exercise_id).name]
            autograde.run(exercise_id, target)  # imports are not the check's
            began = time.perf_counter()
            verdict = autograde.run(exercise_id, target)
            note = "" if verdict.score == 1 else f"but its own answer scores {verdict.score:g}"
            yield Row(f"check {exercise_id}", time.perf_counter() - began, "s", 1, note)


def imports() -> Iterator[Row]:
    """Best of five new processes, Python's own start left out."""
    for name in ("autograde", "course.lab"):
        code = (
            f"import sys, time; t = time.perf_counter(); import {name}; print(time.perf_counter() - t, "
            "*[m for m in ('torch', 'transformers') if m in sys.modules])"
        )
        runs = [
            subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True) for _ in range(5)
        ]
        said = [run.stdout.split() for run in runs]
        heavy = " ".join(said[0][1:])
        yield Row(
            f"import {name}", min(float(s[0]) for s in said), "s", 0.2, f"but it imports {heavy}" if heavy else ""
        )


def build() -> Iterator[Row]:
    """The whole course as `python -m autograde build --check`, its start and imports with it; then without them."""
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "autograde", "build", "--check"], capture_output=True, text=True)
    took = time.perf_counter() - began
    note = "" if done.returncode == 0 else "but it says: " + done.stderr.strip().splitlines()[-1]
    yield Row("build of the whole course, as a command", took, "s", 3, note)

    from autograde import release

    release.build(check_only=True)
    began = time.perf_counter()
    release.build(check_only=True)
    yield Row("build of the whole course, once nbgrader is imported", time.perf_counter() - began, "s", 3)


def notebooks() -> Iterator[Row]:
    """Each notebook with its solutions in it, from a new kernel to its last cell."""
    from nbclient import NotebookClient

    from autograde import release

    for py in release.sources():
        with tempfile.TemporaryDirectory() as folder:
            client = NotebookClient(
                release.source_notebook(py),
                timeout=600,
                kernel_name="python3",
                resources={"metadata": {"path": folder}},
            )
            began = time.perf_counter()
            client.execute()
            yield Row(f"notebook {py.parent.name}/{py.stem}", time.perf_counter() - began, "s", 90)


def qlora() -> Iterator[Row]:
    """The QLoRA loop of course.lab.qlora against Trainer + peft + bitsandbytes on the same job."""
    from course.lab.qlora.cost import compare

    found = compare()
    for name, words in (("loop", "QLoRA, this course's loop"), ("trainer", "QLoRA, transformers' Trainer")):
        facts = found[name]
        note = f"held-out loss {facts['loss']:.2f}, at its peak {facts['peak_bytes'] / 2**20:.0f} MiB above the base"
        yield Row(words, facts["tokens_per_s"], "tokens/s", note=note)
    yield Row("QLoRA, loop over Trainer", found["ratio"], "×", least=1.2)


def heat_map() -> Iterator[Row]:
    """Week 6's map of learning rate x batch size, trained as ensembles, and the same runs one by one; minutes."""
    from course.lab import ensembles

    list(ensembles.sweep("sgd", rows=64))  # the first calls load the text and warm the caches
    for kind in ("sgd", "adamw"):
        began, worked = time.perf_counter(), time.process_time()
        *_, found = ensembles.sweep(kind)
        took, worked = time.perf_counter() - began, time.process_time() - worked
        runs = [(size, lr) for size in found.losses for lr in found.lrs]
        yield Row(f"heat map, {kind}: {len(runs)} runs as ensembles", took, "s", 15, f"{worked:.1f} CPU s")
        began = time.perf_counter()
        apart = [ensembles.alone(kind, size, lr) for size, lr in runs]
        one_by_one = time.perf_counter() - began
        yield Row(f"heat map, {kind}: the same one by one", one_by_one, "s")
        pairs = zip(apart, itertools.chain(*found.losses.values()), strict=True)
        same = sum(abs(a - b) < 0.05 or (a != a and b != b) for a, b in pairs)
        yield Row("one by one over ensembles", one_by_one / took, "×", note=f"{same} of {len(runs)} end alike")


def grading() -> Iterator[Row]:
    """The same submissions through nbgrader's own autograde and through ours, in processor time; minutes."""
    from autograde import grading_cost

    for imports, least in zip(grading_cost.IMPORTS, (8, 20), strict=True):
        cost = grading_cost.measure(imports)
        of = f"of a notebook that imports {imports}"
        yield Row(f"nbgrader autograde, a submission {of}", cost.stock, "CPU s")
        yield Row("autograde grade, the same", cost.ours, "CPU s")
        yield Row("nbgrader over ours", cost.stock / cost.ours, "×", least=least)
        yield Row("floor: the learner's own cells", cost.cells, "CPU s")
        yield Row("floor: a kernel started, asked once and ended", cost.kernel, "CPU s")
        yield Row("ours over the floor", cost.ours / (cost.cells + cost.kernel), "×", 2)


def class_of_500() -> Iterator[Row]:
    """500 submissions in one go with two jobs: no slower and no larger at the end than at the beginning; minutes."""
    from autograde import grading_cost

    found = grading_cost.scale()
    yield Row("500 submissions, two jobs", found.total_s, "s")
    yield Row("the last hundred over the first, in time", found.last_s / found.first_s, "×", 1.15)
    yield Row("memory of all the grader's processes after 100", found.first_mb, "MB")
    yield Row("the same before the end, over that", found.last_mb / found.first_mb, "×", 1.1)


PARTS = {
    part.__name__: part
    for part in (imports, build, live, slider, heat_map, checks, qlora, notebooks, grading, class_of_500)
}


def rows_of(name: str) -> Iterator[Row]:
    """The rows of one part; a row that says why, where it cannot run or fails."""
    try:
        yield from PARTS[name]()
    except CannotRun as error:
        yield Row(name, None, note=f"({error})")
    except Exception as error:  # one part that fails is a line of the table, and the rest is still measured
        lines = str(error).strip().splitlines() or [""]
        yield Row(name, None, note=f"({type(error).__name__}: {lines[0][:200]})")


def main(args) -> int:
    """Measure and print the chosen parts, all by default; returns 1 where a part failed to run."""
    words = "\n".join(f"  {name:<10} {part.__doc__}" for name, part in PARTS.items())
    parser = argparse.ArgumentParser(
        prog="autograde bench", description=__doc__, epilog=words, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help="any of the parts below; all by default")
    chosen = parser.parse_args(args).parts or list(PARTS)
    if unknown := [name for name in chosen if name not in PARTS]:
        print(f"There is no part {unknown[0]!r}; there are {', '.join(PARTS)}.", file=sys.stderr)
        return 2
    failed = False
    _print("what", "figure", "aim", "verdict")
    for name in chosen:
        for row in rows_of(name):
            _print(*row.cells())
            failed |= row.value is None and not row.note.startswith("(no ")
    return int(failed)


def _print(what, figure, aim, verdict):
    print(f"{what:<62} {figure:>14}   {aim:<11} {verdict}".rstrip(), flush=True)
