"""Kernels in the sandbox: what crosses the link, what they forget, how they end, and what is used where."""

import contextlib
import glob
import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from autograde import wire
from autograde.sandbox import Died, Kernel, Late, Limits, Sandbox, SandboxUnavailable, cgroups, container, view
from autograde.sandbox import kernel as trusted
from autograde.sandbox.inside import frames
from tests.grading.enclosed import edit_inside, edit_words, needs_bubblewrap, run_as_plain_user

pytestmark = needs_bubblewrap

RULES = {"library": [], "autograd": True, "keeps_inputs": False, "seconds": 20}
SMALL = Limits(memory_mb=300, processes=48, file_mb=8, files_mb=16)


@pytest.fixture(scope="module")
def warm():
    with Sandbox(limits=SMALL, backend="warm") as sandbox:
        yield sandbox


@pytest.fixture
def fresh(warm):
    """A kernel of the warm sandbox."""
    kernel = warm.kernel()
    yield kernel
    kernel.end()


@pytest.fixture(params=["warm", "cold"])
def either(request):
    """A kernel of each kind."""
    if request.param == "warm":
        kernel = request.getfixturevalue("fresh")
    else:
        kernel = request.getfixturevalue("_cold").kernel()
    yield kernel
    kernel.end()


@pytest.fixture
def _cold():
    with Sandbox(limits=SMALL, backend="cold") as sandbox:
        yield sandbox


def ask(kernel, name, probe, **inputs):
    """The value that a probe gives for one case."""
    message = wire.encode(inputs)
    (reply,) = kernel.ask(name, probe, [message], RULES, 30)["replies"]
    assert "value" in reply, reply
    return wire.decode(reply["value"])


def value_of(kernel, expression):
    """What an expression is in a kernel."""
    assert kernel.run(f"def told(): return {expression}", 10) is None
    return ask(kernel, "told", "def probe(target, inputs):\n    return target()")


# --- what crosses the link --------------------------------------------------------------------------------------------


class NoProcesses:
    """Stands for the processes of a kernel that the test plays itself."""

    def __init__(self):
        self.words, self.interrupts, self.ended = "its last words", 0, None

    def interrupt(self):
        self.interrupts += 1

    def end(self, now):
        self.ended = now


@pytest.fixture
def played():
    """(a kernel whose part the test plays, the test's end of its link)."""
    ours, theirs = socket.socketpair()
    with theirs:
        kernel = Kernel(*[ours.detach()] * 2, NoProcesses())
        yield kernel, theirs
        kernel.end()


def frame(message):
    body = message if type(message) is bytes else json.dumps(message).encode()
    return len(body).to_bytes(4, "big") + body


OUT_OF_FORM = {
    "oversized": (1 << 31).to_bytes(4, "big") + b"x" * 1000,
    "just oversized": (frames.MOST + 1).to_bytes(4, "big"),
    "no JSON": frame(b"\xff\xfe{]"),
    "nothing": frame(b""),
    "a huge number": frame(b'{"id": 1, "done": ' + b"9" * 100_000 + b"}"),
    "another id": frame({"id": 2, "done": True}),
    "no id": frame({"done": True}),
    "a list": frame([1, 2]),
    "text": frame("done"),
    "more than one answer": frame({"id": 1, "done": True, "error": ["a", "b"]}),
    "an error of numbers": frame({"id": 1, "error": [1, 2]}),
    "an error of three": frame({"id": 1, "error": ["a", "b", "c"]}),
    "an error that is none": frame({"id": 1, "error": {"0": "a", "1": "b"}}),
}


@pytest.mark.parametrize("said", OUT_OF_FORM.values(), ids=OUT_OF_FORM)
def test_an_answer_out_of_form_ends_the_kernel(played, said):
    kernel, link = played
    link.sendall(said)
    with pytest.raises(Died, match="its last words$"):
        kernel.run("x", 5)
    assert not kernel.alive
    with pytest.raises(Died, match="it has ended"):
        kernel.run("x", 5)


@pytest.mark.parametrize("depth", [10, 480, *range(960, 1010, 7), 5000, 2_000_000])
def test_deep_json_is_read_or_refused_and_nothing_else(played, depth):
    kernel, link = played
    threading.Thread(
        target=link.sendall, args=(frame(b'{"id":1,"done":' + b"[" * depth + b"]" * depth + b"}"),)
    ).start()
    with contextlib.suppress(Died):
        assert kernel.run("x", 5) is None


@pytest.mark.parametrize(
    "replies", [{"replies": []}, {"replies": {}}, {"replies": [1, 2]}, {"undefined": 3}, {"undefined": "f", "x": 1}]
)
def test_replies_out_of_form_end_the_kernel(played, replies):
    kernel, link = played
    link.sendall(frame({"id": 1, **replies}))
    with pytest.raises(Died):
        kernel.ask("f", "probe", [{}], RULES, 5)


@pytest.mark.parametrize(
    "said", [frame({"id": 1, "done": True})[:-1], b"\0\0", b""], ids=["frame", "length", "nothing"]
)
def test_half_a_frame_and_an_end(played, said):
    kernel, link = played
    link.sendall(said)
    link.close()
    with pytest.raises(Died):
        kernel.run("x", 5)


def test_silence_and_slowness_have_an_end(played):
    kernel, link = played
    began = time.monotonic()
    link.sendall((1000).to_bytes(4, "big"))
    stop = threading.Event()
    drip = threading.Thread(target=lambda: [link.sendall(b" ") for _ in range(500) if not stop.wait(0.02)])
    drip.start()
    with pytest.raises(Late, match="no answer after 0.3 s"):
        kernel.run("x", 0.3)
    stop.set()
    drip.join()
    assert time.monotonic() - began < 2
    assert kernel._processes.ended is True


def test_a_silent_kernel_is_interrupted_before_it_is_given_up(played):
    kernel, link = played
    answer = threading.Timer(0.5, link.sendall, [frame({"id": 1, "error": ["KeyboardInterrupt", ""]})])
    answer.start()
    assert kernel.run("x", 0.2) == ["KeyboardInterrupt", ""]
    assert kernel._processes.interrupts == 1


def test_a_kernel_that_does_not_read_stops_nobody(played):
    kernel, _ = played
    began = time.monotonic()
    with pytest.raises(Late):
        kernel.run("x" * 10_000_000, 0.3)
    assert time.monotonic() - began < 3


def test_the_end_is_said_to_one_that_does_not_read(played):
    kernel, link = played
    link.sendall(frame({"id": 1, "done": True}))
    kernel.run("x", 5)
    filler, os_pipe = kernel._write, b"x" * 4096
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(filler, os_pipe)
    kernel.end()
    assert kernel._processes.ended is False


def test_frames_that_nobody_asked_for(played):
    kernel, link = played
    link.sendall(frame({"id": 1, "done": True}) * 500)
    assert kernel.run("x", 5) is None  # a kernel may say what it likes of itself, once
    with pytest.raises(Died, match="out of form"):
        kernel.run("x", 5)


def test_all_that_a_kernel_says_in_its_life_is_bounded(played, monkeypatch):
    monkeypatch.setattr(trusted, "TOTAL", 1000)
    kernel, link = played
    for number in range(1, 9):
        link.sendall(frame({"id": number, "error": ["E", "x" * 80]}))
        kernel.run("x", 5)
    with pytest.raises(Died, match="at most"):
        for number in range(9, 20):
            link.sendall(frame({"id": number, "error": ["E", "x" * 80]}))
            kernel.run("x", 5)


def test_frames_cross_as_they_are_also_over_a_high_file_number():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    ours, theirs = socket.socketpair()
    try:
        high = os.dup2(ours.fileno(), 2000)  # select() would refuse it
        message = {"text": "ä\ud800\n", "numbers": [1.5, None, True, 1 << 60], "empty": {}}
        frames.send(theirs.fileno(), message)
        assert frames.receive(high, 5) == message
        with pytest.raises(frames.Late):
            frames.receive(high, 0.05)
        os.close(high)
    finally:
        ours.close(), theirs.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_what_a_cell_says_on_the_link_itself(warm):
    for source, reason in (
        ("os.write(3, b'\\xff' * 8)", "at most"),
        ("os.close(3); time.sleep(60)", "it ended"),
        ("[os.write(3, (2).to_bytes(4, 'big') + b'{}') for _ in range(100_000)]", "out of form"),
    ):
        one, began = warm.kernel(), time.monotonic()
        with pytest.raises(Died, match=reason):
            one.run(f"import os, time\n{source}", 10)
        assert time.monotonic() - began < 8


# --- what can be asked ------------------------------------------------------------------------------------------------


def test_functions_classes_and_modules_are_probed(fresh):
    fresh.run(
        """
import torch
def double(x): return 2 * x
class Adder:
    def __init__(self, start): self.total = start
    def add(self, x):
        self.total = self.total + x
        return self.total
class Line(torch.nn.Module):
    def __init__(self, n):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(n))
    def forward(self, x): return x @ self.weight
line = Line(2)
number = 3
""",
        10,
    )
    assert ask(fresh, "double", "def probe(target, inputs):\n    return target(inputs['x'])", x=4) == 8
    drive = """
def probe(target, inputs):
    adder = target(inputs["start"])
    return [adder.add(step) for step in range(1000)][-1]
"""
    assert ask(fresh, "Adder", drive, start=5) == 5 + 999 * 1000 // 2
    train = """
import torch
def probe(target, inputs):
    model = target(3)
    goal, x = torch.tensor([1.0, -2.0, 0.5]), torch.eye(3)
    for _ in range(1000):
        loss = ((model(x) - x @ goal) ** 2).sum()
        model.zero_grad()
        loss.backward()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter -= 0.1 * parameter.grad
    return {name: parameter for name, parameter in model.named_parameters()}
"""
    found = ask(fresh, "Line", train)
    assert [round(number, 4) for number in found["weight"].tolist()] == [1.0, -2.0, 0.5]
    assert ask(fresh, "line", "import torch\ndef probe(target, inputs):\n    return target(torch.ones(2))").item() == 0
    assert fresh.ask("nobody", "", [{}], RULES, 5) == {"undefined": "nobody"}
    assert fresh.ask("number", "", [{}], RULES, 5) == {"uncallable": "int"}


def test_a_cell_that_fails_says_so_and_the_next_one_runs(fresh):
    assert fresh.run("1 / 0", 5) == ["ZeroDivisionError", "division by zero"]
    assert fresh.run("def f(:", 5)[0] == "SyntaxError"
    assert fresh.run("raise SystemExit(3)", 5) is not None
    assert fresh.run("class E(Exception):\n    def __str__(self): raise self\nraise E", 5) is not None
    assert value_of(fresh, "6 * 7") == 42


def test_numbers_drawn_without_a_seed_are_the_same_in_every_kernel(warm):
    draw = "[__import__('torch').rand(3).tolist(), __import__('random').random(), __import__('numpy').random.rand()]"
    one, other = warm.kernel(), warm.kernel()
    for kernel in (one, other):
        kernel.run(f"drawn = {draw}\ndef told(): return drawn", 10)
    probe = "def probe(target, inputs):\n    return target()"
    assert ask(one, "told", probe) == ask(other, "told", probe)
    one.end(), other.end()


def test_a_kernel_sees_nothing_of_the_one_before(warm):
    first = warm.kernel()
    trace = """
import os, sys, torch
x, torch.allclose, sys.modules["gone"], os.environ["TRACE"] = 1, None, os, "1"
for folder in ("/tmp", "/dev/shm"): open(folder + "/trace", "w").close()
"""
    assert first.run(trace, 10) is None
    second = warm.kernel()  # forked while the first one lives
    first.end()
    third = warm.kernel()
    seen = "['x' in globals(), torch.allclose is None, 'gone' in sys.modules, 'TRACE' in os.environ,"
    seen += " any('trace' in os.listdir(folder) for folder in ('/tmp', '/dev/shm'))]"
    for kernel in (second, third):
        kernel.run("import os, sys, torch", 10)
        assert value_of(kernel, seen) == [False] * 5
        kernel.end()


# --- how it ends ------------------------------------------------------------------------------------------------------


def test_an_interrupted_cell_leaves_the_kernel_usable(either):
    either.run("x = 7", 10)
    for source in (
        "while True: pass",
        "import time; time.sleep(100)",
        "import subprocess; subprocess.run(['sleep', '100'])",
    ):
        assert either.run(source, 0.3) == ["KeyboardInterrupt", ""]
    assert value_of(either, "x") == 7


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import ctypes; ctypes.string_at(0)", "ended by SIGSEGV"),
        ("import os; os._exit(3)", "it ended"),
        ("import os; os.write(2, b'so long'); os._exit(3)", "so long"),
        (
            "import mmap\nkept = []\nwhile True: kept.append(mmap.mmap(-1, 1 << 24)); kept[-1].write(bytes(1 << 24))",
            "more memory than",
        ),
    ],
    ids=["segfault", "exit", "words", "memory"],
)
def test_a_dead_kernel_tells_its_last_words(either, source, words):
    began = time.monotonic()
    with pytest.raises(Died, match=words):
        either.run(source, 20)
    assert time.monotonic() - began < 15
    with pytest.raises(Died, match="it has ended"):
        either.ask("f", "", [{}], RULES, 1)


def test_memory_is_counted_wherever_a_process_hides(_cold):
    hog = """
import subprocess, sys, threading, time
hog = [sys.executable, "-S", "-c", "import time; kept = bytearray(b'x') * (%d << 20); time.sleep(30)"]
threads = [threading.Thread(target=subprocess.run, args=(hog,)) for _ in range(3)]
[thread.start() for thread in threads]
time.sleep(20)
"""
    with pytest.raises(Died, match="more memory than allowed"):
        _cold.kernel().run(hog % 150, 15)


def test_memory_that_processes_share_is_counted_once(_cold):
    share = """
import os, time
kept = bytearray(b"x") * (160 << 20)
children = []
for _ in range(4):
    if (child := os.fork()) == 0:
        time.sleep(1)
        os._exit(0)
    children.append(child)
assert all(os.waitpid(child, 0)[1] == 0 for child in children)
"""
    assert _cold.kernel().run(share, 15) is None


def test_the_next_kernel_is_forked_ahead(warm):
    spare = warm._spare or warm.kernel() and warm._spare
    assert spare.alive and warm.kernel() is spare
    assert warm._spare is not spare
    spare.end()
    assert warm.kernel().run("pass", 5) is None


def groups():
    """Control groups that this process has made and not removed."""
    return [
        path
        for part in ("memory", "pids", "")
        for path in glob.glob(f"{cgroups.TOP}/{part}/**/autograde-{os.getpid()}-*", recursive=True)
    ]


def test_nothing_is_left_of_a_sandbox():
    before = groups()
    with Sandbox(limits=SMALL, backend="warm") as sandbox:
        folder = Path(sandbox.path).parent
        one = sandbox.kernel()
        one.run("import subprocess; subprocess.Popen(['sleep', '60'], start_new_session=True)", 10)
        sandbox.kernel()
        below = descendants(sandbox._zygote._process.pid)
        assert len(below) >= 10  # bubblewrap's own, the zygote, three for each of three kernels, sleep
    assert not folder.exists() and groups() == before
    assert alive(below) == []


def descendants(number):
    """Numbers of all processes below one."""
    found = [number]
    for process in found:
        for path in glob.glob(f"/proc/{process}/task/*/children"):
            with contextlib.suppress(OSError):
                found += map(int, Path(path).read_text().split())
    return found[1:]


def alive(numbers, seconds=5.0):
    """Those that are still there, zombies apart, after a while."""
    until = time.monotonic() + seconds
    while (left := [number for number in numbers if _state(number) not in "Z"]) and time.monotonic() < until:
        time.sleep(0.02)
    return left


def _state(number):
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


GRADER = """
import sys, time
from autograde.sandbox import Sandbox
sandbox = Sandbox(backend=sys.argv[1])
kernel = sandbox.kernel()
kernel.run("import subprocess; subprocess.Popen(['sleep', '60'], start_new_session=True)", 10)
print("ready", sandbox.path, flush=True)
kernel.run("while True: pass", 60)
"""


@pytest.mark.parametrize("backend", ["warm", "cold"])
def test_a_grader_that_is_killed_leaves_no_process(backend):
    grader = subprocess.Popen([sys.executable, "-c", GRADER, backend], stdout=subprocess.PIPE, text=True)
    path = grader.stdout.readline().split()[1]
    below = descendants(grader.pid)
    assert len(below) >= 4
    grader.kill()
    grader.wait()
    grader.stdout.close()
    assert alive(below) == []
    if backend == "warm":  # what has no process goes with the next start
        with Sandbox(backend="warm"):
            assert not Path(path).exists()
            assert glob.glob(f"{cgroups.TOP}/*/**/autograde-{grader.pid}-*", recursive=True) == []


# --- which kind -------------------------------------------------------------------------------------------------------


OTHER = """
import sys
from autograde.sandbox import Sandbox
with Sandbox(zygote=sys.argv[1]) as sandbox:
    kernel = sandbox.kernel()
    print(sandbox.backend, kernel.run("x = 1", 10), kernel.run("y", 10))
"""


def test_a_zygote_serves_several_processes(warm, fresh):
    fresh.run("y = 1", 10)
    other = subprocess.run([sys.executable, "-c", OTHER, warm.path], capture_output=True, text=True)
    assert other.stdout.startswith("warm None ['NameError'"), other.stderr
    assert fresh.run("y", 5) is None
    assert warm.kernel().run("pass", 5) is None


def test_a_killed_zygote_is_noticed():
    before = groups()
    with Sandbox(backend="warm") as sandbox:
        one = sandbox.kernel()
        sandbox._zygote._process.kill()
        with pytest.raises(Died):
            one.run("import time; time.sleep(20)", 30)
        sandbox._spare.end()
        sandbox._spare = None
        with pytest.raises(SandboxUnavailable, match="does not answer"):
            sandbox.kernel()
    assert groups() == before


def test_where_namespaces_do_not_nest_kernels_start_cold(monkeypatch, tmp_path):
    raising = 'def new_namespaces():\n    raise OSError(1, "not here")\n\n\ndef _unused():'
    edit_inside(monkeypatch, tmp_path, "enclose.py", "def new_namespaces():", raising)
    with Sandbox() as sandbox:
        assert sandbox.backend == "cold"
        assert "not here" in sandbox.refused["warm"]
        one = sandbox.kernel()
        assert value_of(one, "6 * 7") == 42
    assert not one.alive


def test_where_nothing_works_it_says_what_would(monkeypatch):
    monkeypatch.setattr(container, "engine", lambda: None)
    edit_words(monkeypatch, lambda words: [*words[:-1], "--no-such-option", "--"])
    with pytest.raises(
        SandboxUnavailable, match="(?s)install bubblewrap.*warm: .*no-such-option.*cold: .*no-such-option"
    ):
        Sandbox()


def test_an_engine_without_its_daemon_is_no_sandbox(monkeypatch, tmp_path):
    engine = tmp_path / "docker"
    engine.write_text("#!/bin/sh\nexit 1\n")
    engine.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(container, "engine", lambda: str(engine))
    with pytest.raises(SandboxUnavailable, match="(?s)install bubblewrap.*container: .*starts no kernel"):
        Sandbox()


def test_without_a_sandbox_a_kernel_is_an_ordinary_process():
    with Sandbox(backend="none") as sandbox:
        one = sandbox.kernel()
        assert value_of(one, "__import__('os').getuid()") == os.getuid()
        assert one.run("while True: pass", 0.3) == ["KeyboardInterrupt", ""]
        number = value_of(one, "__import__('subprocess').Popen(['sleep', '60']).pid")
    assert alive([number]) == []
    with pytest.raises(ValueError, match="no backend 'colder'"):
        Sandbox(backend="colder")


def test_an_installed_package_is_masked(monkeypatch):
    with tempfile.TemporaryDirectory(dir="/var/tmp") as top:  # not in /tmp, which is another one in a sandbox
        os.chmod(top, 0o755)
        site = Path(top, "site-packages")
        package = site / "autograde"
        shutil.copytree(view._AUTOGRADE, package)
        (site / "other.py").write_text("answer = 42")
        interpreter = view.interpreter()
        monkeypatch.setattr(view, "_AUTOGRADE", package)
        monkeypatch.setattr(view, "interpreter", lambda: [*interpreter, str(site)])
        with Sandbox(backend="warm") as sandbox:
            one = sandbox.kernel()
            one.run("import os", 10)
            listing = f"[os.listdir({str(package)!r}), os.path.exists({str(site / 'other.py')!r})]"
            assert value_of(one, listing) == [[], True]
            assert one.run(f"open({str(package / 'x')!r}, 'w')", 5)[0] == "OSError"


def test_a_plain_user_has_the_same():
    if os.getuid() != 0:
        return  # all of this file is run by one
    chosen = "(warm and (words or interrupted)) or left or (killed and cold) or nest or before or serves or hides"
    words = [sys.executable, "-m", "pytest", "-n0", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-k", chosen]
    done = run_as_plain_user(*words, "tests/grading/test_sandbox.py", timeout=200)
    assert done.returncode == 0, done.stdout
    assert int(done.stdout.split(" passed")[0].split()[-1]) >= 11


def test_a_checkout_that_lies_in_the_environment_is_refused(monkeypatch, tmp_path):
    """Python's own folder is shown to every kernel: with the solutions in it, they could be read."""
    (tmp_path / "solutions").mkdir()
    monkeypatch.setattr(view, "_AUTOGRADE", tmp_path / "autograde")
    monkeypatch.setattr(view, "interpreter", lambda: [str(tmp_path)])
    with pytest.raises(SandboxUnavailable, match="make the environment in a folder of its own"):
        Sandbox(backend="cold")
