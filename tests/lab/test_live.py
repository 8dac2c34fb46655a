"""The latest setting wins, one worker at most and none left, errors and divergence said, a still figure where nobody
watches.
"""

import json
import math
import os
import random
import subprocess
import sys
import threading
import time

import ipywidgets as widgets
import pytest

from course.lab import live, plots
from course.lab.live import LivePanel, Worker

PIXEL = plots.png(plots.figure(1, (1, 1))[0])
PATIENCE = 20  # seconds until a test gives up waiting; none of them measures time


def until(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.002)


def panel(job, draw=lambda state: (PIXEL, f"state {state}"), **more):
    return LivePanel({"x": widgets.IntSlider(max=1000)}, job, draw, worker=Worker(), **more)


def idle(one):
    until(lambda: one.worker.thread is None)


def test_the_first_frame_is_there_before_anything_runs():
    one = panel(lambda x: iter([x]))
    assert one.image.value == one.png == PIXEL and one.words == "state 0" and one.worker.thread is None


def test_the_latest_setting_wins():
    finished = []

    def job(x):
        for _i in range(40):
            yield x
            time.sleep(0.001)
        finished.append(x)

    one = panel(job)
    for x in range(1, 60):
        one.controls["x"].value = x
    idle(one)
    assert finished[-1] == 59 and one.words == "state 59" and "state 59" in one.status.value
    assert len(finished) < 10, "runs that a newer setting dropped went on to their end"


def test_a_run_is_dropped_by_a_newer_setting_while_it_runs():
    running, dropped = threading.Event(), threading.Event()

    def job(x):
        try:
            while True:
                yield x
                if x == 1:
                    running.set()
                if x == 2:
                    return
        finally:
            if x == 1:
                dropped.set()

    one = panel(job)
    one.controls["x"].value = 1
    assert running.wait(PATIENCE)
    one.controls["x"].value = 2
    assert dropped.wait(PATIENCE)
    idle(one)
    assert one.words == "state 2"


def test_many_threads_of_slider_moves_leave_one_worker_at_most_and_the_last_setting():
    together, most = [], [0]

    def job(x):
        together.append(threading.get_ident())
        most[0] = max(most[0], len(together))
        try:
            for _ in range(5):
                yield x
                time.sleep(0.0005)
        finally:
            together.remove(threading.get_ident())

    one = panel(job)

    def move(seed):
        draw = random.Random(seed)
        for _ in range(60):
            one.controls["x"].value = draw.randrange(1, 999)

    movers = [threading.Thread(target=move, args=(seed,)) for seed in range(12)]
    for mover in movers:
        mover.start()
    for mover in movers:
        mover.join()
    one.controls["x"].value = 1000
    idle(one)
    assert one.words == "state 1000" and one.error is None and most[0] == 1


def test_all_panels_of_a_kernel_share_one_worker():
    ends, entered = [], threading.Event()

    def endless(x):
        yield x
        try:
            while x:
                entered.set()
                yield x
        finally:
            ends.append(x)

    first, second = (LivePanel({"x": widgets.IntSlider()}, endless, lambda s: (PIXEL, str(s))) for _ in range(2))
    assert first.worker is second.worker is live.WORKER
    first.controls["x"].value = 3
    assert entered.wait(PATIENCE)
    second.controls["x"].value = 4
    until(lambda: 3 in ends)
    until(lambda: "Stopped" in first.status.value)
    live.WORKER.stop(PATIENCE)
    assert live.WORKER.thread is None


def test_stop_ends_the_run_says_so_and_leaves_no_thread():
    def endless(x):
        while True:
            yield x

    one = panel(endless, stop=True)
    one.controls["x"].value = 5
    until(lambda: one.words == "state 5")
    thread = one.worker.thread
    button = next(child for child in one.box.children[0].children if isinstance(child, widgets.Button))
    button.click()
    thread.join(PATIENCE)
    assert not thread.is_alive() and one.worker.thread is None and "Stopped. state 5" in one.status.value
    one.worker.stop()  # harmless when nothing runs
    one.controls["x"].value = 6
    until(lambda: one.words == "state 6")  # and it starts again
    one.worker.stop(PATIENCE)


def test_an_error_is_shown_and_the_next_setting_runs():
    def job(x):
        yield x
        if x == 13:
            raise RuntimeError("shapes <3> do not match")

    one = panel(job)
    one.controls["x"].value = 13
    idle(one)
    assert "RuntimeError: shapes &lt;3&gt; do not match" in one.status.value and isinstance(one.error, RuntimeError)
    one.controls["x"].value = 14
    idle(one)
    assert one.words == "state 14" and "RuntimeError" not in one.status.value and one.error is None


def test_an_error_while_drawing_is_shown_too():
    def draw(state):
        if state:
            raise ZeroDivisionError("nothing to draw")
        return PIXEL, ""

    one = panel(lambda x: iter([x]), draw)
    one.controls["x"].value = 1
    idle(one)
    assert "ZeroDivisionError: nothing to draw" in one.status.value


def test_frames_are_capped():
    drawn = []

    def draw(state):
        drawn.append((time.perf_counter(), state))
        return PIXEL, str(state)

    def job(x):
        end = time.perf_counter() + 0.4 * bool(x)
        while time.perf_counter() < end:
            yield x
        yield x

    one = panel(job, draw)
    for x in (1, 2, 3):
        one.controls["x"].value = x
        time.sleep(0.05)
    idle(one)
    (_, _), *frames = drawn  # the panel's own first picture apart
    gaps = [(b - a, run == before) for (a, before), (b, run) in zip(frames, frames[1:], strict=False)]
    assert len(gaps) >= 2
    assert min(gap for gap, _ in gaps) >= 0.9 / one.fps / 3
    assert min(gap for gap, same_run in gaps if same_run) >= 0.9 / one.fps


def test_the_status_is_live_text_and_the_image_carries_the_words():
    one = panel(lambda x: iter([x]), lambda state: (PIXEL, "a < b"))
    assert "role='status'" in one.status.value and "a &lt; b" in one.status.value and one.image.tooltip == "a < b"


def test_run_to_end_raises_what_the_job_raises():
    def job(x):
        yield x
        raise KeyError("lost")

    with pytest.raises(KeyError):
        panel(job).run_to_end()


@pytest.fixture
def shown(monkeypatch):
    found = []
    for module in (plots, live):
        monkeypatch.setattr(module, "display", lambda data, metadata=None, raw=False: found.append(data))
    return found


@pytest.mark.parametrize("variable", ["NBGRADER_EXECUTION", "COURSE_LIVE"])
def test_where_nobody_watches_it_is_one_figure_in_words_and_no_widget(shown, monkeypatch, variable):
    monkeypatch.setenv(variable, {"NBGRADER_EXECUTION": "autograde", "COURSE_LIVE": "0"}[variable])
    one = panel(lambda x: iter([1, 2, 3]))
    one._ipython_display_()
    assert [set(data) for data in shown] == [{"text/html", "image/png", "text/plain"}]
    assert shown[0]["text/plain"] == "state 3" and 'alt="state 3"' in shown[0]["text/html"]


def test_with_a_front_end_it_is_a_widget_and_the_first_run_is_the_cell_s(shown, monkeypatch):
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    monkeypatch.setenv("COURSE_LIVE", "1")
    runs = []

    def job(x):
        yield 0
        runs.append(threading.current_thread())
        yield 1

    one = panel(job)
    one._ipython_display_()
    assert "application/vnd.jupyter.widget-view+json" in shown[0] and "image/png" in shown[0]
    assert runs == [threading.current_thread()] and one.words == "state 1" and one.worker.thread is None


def test_a_kernel_without_a_front_end_gets_the_figure(tmp_path):
    """nbclient as nbgrader, nbconvert and CI use it; and a request with metadata, as a notebook front end sends."""
    code = """
import json, nbformat, sys
from jupyter_client.manager import start_new_kernel
from nbclient import NotebookClient
source = '''
import ipywidgets as widgets
from course.lab import live, plots
png = plots.png(plots.figure(1, (1, 1))[0])
live.LivePanel({"x": widgets.IntSlider()}, lambda x: iter([x]), lambda x: (png, "words"))
'''
nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
client = NotebookClient(nb, timeout=120, kernel_name="python3")
client.execute()
manager, kernel = start_new_kernel(kernel_name="python3")
message = kernel.session.msg("execute_request", dict(code="from course.lab import live; print(live.someone_is_there())",
    silent=False, store_history=False, user_expressions={}, allow_stdin=False), metadata={"cellId": "a"})
kernel.shell_channel.send(message)
while True:
    got = kernel.get_iopub_msg(timeout=120)
    if got["msg_type"] == "stream" and got["content"]["name"] == "stdout":
        break
kernel.stop_channels()
manager.shutdown_kernel(now=True)
print(json.dumps([[sorted(o["data"]) for o in nb.cells[0].outputs], got["content"]["text"]]))
"""
    environment = {k: v for k, v in os.environ.items() if k not in ("NBGRADER_EXECUTION", "COURSE_LIVE")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    outputs, with_metadata = json.loads(done.stdout.strip().splitlines()[-1])
    assert outputs == [["image/png", "text/html", "text/plain"]] and with_metadata.strip() == "True"


def test_no_nan_reaches_a_line_and_a_diverged_run_says_so():
    from course.lab.demos import week2

    one = week2.learning_rate_and_batch_size(steps=60)
    drawn = one.draw.__self__
    one.controls["optimizer"].value, one.controls["batch_size"].value, one.controls["lr"].value = "momentum", 4, 1.0
    live.WORKER.stop(PATIENCE)
    for line in (drawn.raw, *drawn.lines):
        real = line.set_data
        line.set_data = lambda x, y, real=real: (
            (all(map(math.isfinite, y)) or pytest.fail("a NaN was drawn")) and real(x, y)
        )
    one.run_to_end()
    assert "diverged" in one.status.value and "momentum 0.9, learning rate 1, batch 4" in one.words
