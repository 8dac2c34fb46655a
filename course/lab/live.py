"""Sliders that drive a computation while you watch: plain ipywidgets, so any front end shows them, Colab's too.

    LivePanel({"lr": slider}, job, draw)

`job(lr=...)` is a generator of states, the first of them at once; `draw(state)` gives (PNG bytes, words). Moving a
control drops the run in progress and starts the job with what the controls say then. A run happens on one background
thread, because a notebook's event loop stands still while a cell is busy; the first one happens in the cell that
displays the panel.
"""

import html
import os
import sys
import threading
import time

import ipywidgets as widgets
import traitlets
from IPython import get_ipython
from IPython.display import display

from course.lab import plots


class Worker:
    """Runs one job at a time, the latest asked for first. `job(alive)` ends soon after `alive()` turns false.

    Every method may be called from any thread: JupyterLab delivers slider moves on subshell threads. The thread is
    made when there is something to do and ends when there is not.
    """

    def __init__(self):
        self._lock = threading.Lock()  # guards the four fields below, never held for long
        self._busy = threading.Lock()  # held by whoever runs a job
        self._turn = 0
        self._pending = None
        self.thread = None

    def start(self, job):
        """Drops the run in progress and any that waits; `job` runs next, on the background thread."""
        with self._lock:
            self._turn += 1
            self._pending = job
            if self.thread is None:
                self.thread = threading.Thread(target=self._loop, name="course.lab.live", daemon=True)
                self.thread.start()

    def run_here(self, job):
        """The same on the calling thread; returns when the job has ended."""
        with self._lock:
            self._turn += 1
            self._pending, turn = None, self._turn
        with self._busy:
            job(lambda: self._turn == turn)

    def stop(self, timeout: float | None = 5.0):
        """Drops what runs and what waits, and waits at most `timeout` seconds until the thread has ended."""
        with self._lock:
            self._turn += 1
            self._pending, thread = None, self.thread
        if thread not in (None, threading.current_thread()):
            thread.join(timeout)

    def wants(self, job) -> bool:
        """Whether `job` waits to be run (again)."""
        return self._pending == job

    def _loop(self):
        while True:
            with self._busy:
                with self._lock:
                    if self._pending is None:
                        self.thread = None
                        return
                    job, turn, self._pending = self._pending, self._turn, None
                try:
                    job(lambda turn=turn: self._turn == turn)
                except BaseException:
                    sys.excepthook(*sys.exc_info())  # a job shows its own errors; this thread outlives them all


WORKER = Worker()  # one for all panels of a kernel: at most one run takes the processor


def someone_is_there() -> bool:
    """Whether a front end with widgets runs this cell: a figure is displayed instead where none does.

    A notebook front end names the cell in the request's metadata; nbclient, and with it nbgrader and nbconvert, sends
    none. COURSE_LIVE=1 or 0 decides where this guess is wrong.
    """
    if os.environ.get("NBGRADER_EXECUTION"):
        return False
    if os.environ.get("COURSE_LIVE") in ("0", "1"):
        return os.environ["COURSE_LIVE"] == "1"
    shell = get_ipython()
    if getattr(shell, "kernel", None) is None:
        return False
    if "google.colab" in sys.modules or os.environ.get("SERVER_SOFTWARE", "").startswith("voila"):
        return True
    return bool((shell.get_parent() or {}).get("metadata"))


def control(kind, description: str, **traits):
    """An ipywidgets control with its label in full and room for its handle, e.g. control(widgets.IntSlider, "Step",
    max=9).
    """
    return kind(
        description=description,
        style={"description_width": "initial"},
        layout=widgets.Layout(width="420px", max_width="100%"),
        **traits,
    )


class Picture(widgets.Image):
    """An Image with a name for screen readers: ipywidgets' Image has no alt, and its tooltip (the element's title,
    which serves where alt is absent) makes its view fail in the browser unless the model has a description.
    """

    description = traitlets.Unicode("").tag(sync=True)


class LivePanel:
    """Controls, a status line and a picture; the last expression of a cell displays it.

    `controls`: {keyword of job: ipywidgets control}. `stop`: whether there is a Stop button, for jobs that take a
    while. `note`: a line under the picture. `.png` is the latest picture; `.words` says what it shows and is its
    status line and alternative text. `fps` caps the frames of a run.
    """

    SHARE = 0.03  # of a run's time that drawing may take: a slow machine gets fewer frames, not a slow run

    def __init__(
        self, controls: dict, job, draw, *, stop: bool = False, note: str = "", fps: float = 12, worker: Worker = WORKER
    ):
        self.controls, self.job, self.draw, self.worker, self.fps = controls, job, draw, worker, fps
        self.words, self.error, self.frames = "", None, 0
        self._drawn_at = self._said_at = -float("inf")
        self.status = widgets.HTML(
            layout=widgets.Layout(min_height="44px")
        )  # two lines: the picture below does not jump
        self.image = Picture(format="png", layout=widgets.Layout(width="960px", max_width="100%", height="auto"))
        row = list(controls.values())
        if stop:
            button = widgets.Button(description="Stop", icon="stop", tooltip="End the run in progress")
            button.on_click(lambda _: self.worker.stop(timeout=0))
            row.append(button)
        self.box = widgets.VBox(
            [
                widgets.HBox(row, layout=widgets.Layout(flex_flow="row wrap", align_items="center")),
                self.status,
                self.image,
                *([widgets.HTML(f"<span style='opacity:.8'>{html.escape(note)}</span>")] if note else []),
            ]
        )
        self._show(next(iter(job(**self.settings()))), final=True)
        for one in controls.values():
            one.observe(lambda _: self.start(), "value")

    def settings(self) -> dict:
        """What the controls say now."""
        return {name: one.value for name, one in self.controls.items()}

    def start(self):
        """Runs the job in the background with the latest settings; returns at once."""
        self.worker.start(self._run)

    def _run(self, alive):
        try:
            self.error = state = None
            gap = 1 / self.fps / 3  # a moved control answers sooner than the next frame of a run in progress
            for state in self.job(**self.settings()):
                if not alive():
                    break
                if (began := time.perf_counter()) - self._drawn_at >= gap:
                    self._show(state)
                    gap = max(1 / self.fps, (self._drawn_at - began) / self.SHARE)
            while alive() and (wait := self._drawn_at + 1 / self.fps - time.perf_counter()) > 0:
                time.sleep(min(wait, 0.01))
            if alive():
                self._show(state, final=True)
            elif not self.worker.wants(self._run):  # a newer setting says what it does itself
                self._show(state, final=True)
                self._say(f"Stopped. {self.words}")
        except Exception as error:
            self.error = error
            self._say(f"The run failed. {type(error).__name__}: {error}", "#B42318")

    def _show(self, state, final=False):
        self.png, self.words = self.draw(state)
        self.image.value = self.png
        self.frames, self._drawn_at = self.frames + 1, time.perf_counter()
        # A status read aloud twelve times a second would be noise: once a second, and at the end.
        if final or self._drawn_at - self._said_at >= 1:
            self._say(self.words)

    def _say(self, words, colour="inherit"):
        self._said_at = time.perf_counter()
        self.status.value = (
            f"<div role='status' style='color:{colour};font-size:15px;line-height:1.35'>{html.escape(words)}</div>"
        )
        self.image.tooltip = words

    def run_to_end(self) -> bytes:
        """Runs the job to its end on this thread, without frames between; returns the last picture; raises errors."""

        def job(alive):
            for state in self.job(**self.settings()):  # noqa: B007
                if not alive():
                    break
            self._show(state, final=True)

        self.worker.run_here(job)
        return self.png

    def _ipython_display_(self):
        if not someone_is_there():
            plots.show(self.run_to_end(), self.words)
            return
        # The picture travels along, for readers of a saved notebook whose kernel is gone.
        fallback = plots.bundle(self.png, self.words)
        view = self.box._repr_mimebundle_()
        display({**fallback, **view, "text/plain": fallback["text/plain"]}, raw=True)
        self.worker.run_here(self._run)
