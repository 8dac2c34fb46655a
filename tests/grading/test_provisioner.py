"""A Jupyter kernel in the sandbox, as any Jupyter client starts it."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import nbformat
import pytest
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient

from autograde.sandbox import SandboxUnavailable, bwrap, provisioner
from tests.grading.enclosed import needs_bubblewrap, run_as_plain_user

pytestmark = needs_bubblewrap


@pytest.fixture(autouse=True)
def kernelspec(monkeypatch, tmp_path):
    """The kernel 'sandboxed', in an environment of the test's own."""
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "share" / "jupyter"))
    return provisioner.install_kernelspec(tmp_path)


@pytest.fixture
def jupyter():
    """A kernel that answers, as (its manager, a function that runs a cell and returns what it printed or raised)."""
    manager = KernelManager(kernel_name="sandboxed")
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)

    def run(source, timeout=30):
        said = []

        def hear(message):
            content = message["content"]
            said.append(content.get("text", "") or content.get("ename", ""))

        client.execute_interactive(source, output_hook=hear, timeout=timeout)
        return "".join(said)

    run.client = client
    yield manager, run
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def folder_of(manager):
    return Path(manager.ip).parent


def processes_with(text):
    """Numbers of the processes whose command line holds this text."""
    found = subprocess.run(["pgrep", "-f", "--", text], capture_output=True, text=True).stdout
    return [int(number) for number in found.split()]


def gone(text, seconds=5.0):
    """Whether no such process is left, soon."""
    until = time.monotonic() + seconds
    while processes_with(text) and time.monotonic() < until:
        time.sleep(0.02)
    return not processes_with(text)


ENCLOSED = """
import os, socket
with open("/proc/self/status") as file:
    fields = dict(line.split(":", 1) for line in file)
print([fields[name].strip() for name in ("CapEff", "CapBnd", "NoNewPrivs", "Seccomp")])
print([name for name in os.listdir("/proc") if name.isdigit()], socket.if_nameindex(), os.path.exists("/etc/passwd"))
for attempt in (lambda: socket.create_connection(("127.0.0.1", 1)), lambda: open("/usr/x", "w"), os.getppid):
    try: print(attempt())
    except Exception as error: print(type(error).__name__)
"""


def test_it_is_enclosed(jupyter):
    _, run = jupyter
    first, second, *errors = run(ENCLOSED).splitlines()
    assert first == str(["0" * 16, "0" * 16, "1", "2"])
    assert second == "['1', '2'] [(1, 'lo')] False"
    assert errors == ["ConnectionRefusedError", "OSError", "1"]


REPLACE = """
import os, socket
for attempt in (
    lambda: open("/link/x", "w"),
    lambda: os.unlink("/link/k-1"),
    lambda: os.rename("/link/k-1", "/link/y"),
    lambda: os.chmod("/link", 0o777),
    lambda: os.symlink("/", "/link/s"),
    lambda: os.utime("/link"),
    lambda: socket.socket(socket.AF_UNIX).bind("/link/z"),
):
    try: print(attempt())
    except OSError as error: print(error.strerror)
"""


def test_its_sockets_can_be_neither_replaced_nor_joined_by_files(jupyter):
    manager, run = jupyter
    assert folder_of(manager).stat().st_mode & 0o777 == 0o700
    assert max(len(os.fsencode(str(path))) for path in folder_of(manager).iterdir()) <= 107
    assert run(REPLACE).splitlines() == ["Read-only file system"] * 7
    assert sorted(path.name for path in folder_of(manager).iterdir()) == [f"k-{n}" for n in range(1, 6)]


def test_an_interrupt_reaches_a_busy_cell_and_leaves_the_kernel_usable(jupyter):
    manager, run = jupyter
    run("x = 1")
    threading.Timer(0.5, manager.interrupt_kernel).start()
    began = time.monotonic()
    assert run("while True: pass") == "KeyboardInterrupt"
    assert time.monotonic() - began < 10
    assert run("print(x)") == "1\n"
    manager.interrupt_kernel()  # an idle kernel takes no harm
    assert run("print(x)") == "1\n"


def test_a_restart_forgets_everything_and_uses_the_same_sockets(jupyter):
    manager, run = jupyter
    run("x = 1\nopen('/tmp/x', 'w').close()")
    folder = folder_of(manager)
    for now in (True, False):
        manager.restart_kernel(now=now)
        run.client.wait_for_ready(timeout=60)
        assert run("import os; print('x' in dir(), os.listdir('/tmp'))").startswith("False")
        assert folder_of(manager) == folder


def test_the_end_takes_everything_along(jupyter):
    manager, run = jupyter
    token = f"outlives-{os.getpid()}"
    daemon = f"""
import os, signal, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(60)", {token!r}])
    os._exit(0)
"""
    run(daemon)
    until = time.monotonic() + 5
    while not processes_with(token) and time.monotonic() < until:
        time.sleep(0.02)
    assert processes_with(token)
    folder = folder_of(manager)
    assert processes_with(str(folder))
    manager.shutdown_kernel(now=True)
    assert gone(token) and gone(str(folder))
    assert not folder.exists()


def test_a_kernel_that_ends_itself_is_noticed_and_can_be_restarted(jupyter):
    manager, run = jupyter
    run.client.execute("import os; os._exit(3)")
    until = time.monotonic() + 10
    while manager.is_alive() and time.monotonic() < until:
        time.sleep(0.05)
    assert not manager.is_alive()
    manager.restart_kernel(now=True)
    run.client.wait_for_ready(timeout=60)
    assert run("print(1)") == "1\n"


def test_limits_come_from_the_kernelspec(kernelspec, monkeypatch):
    described = json.loads((kernelspec / "kernel.json").read_text())
    described["metadata"]["kernel_provisioner"]["config"] = {"limits": {"memory_mb": 300}}
    (kernelspec / "kernel.json").write_text(json.dumps(described))
    source = "try: bytearray(400 << 20)\nexcept MemoryError: print('refused')"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    NotebookClient(notebook, kernel_name="sandboxed").execute()
    assert notebook.cells[0].outputs[0].text == "refused\n"


def test_figures_are_shown_and_the_folder_of_the_notebook_is_not(tmp_path):
    (tmp_path / "secret.txt").write_text("secret")
    draw = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"
    cells = [nbformat.v4.new_code_cell(source) for source in (draw, "import os\nprint(os.getcwd(), os.listdir())")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    client = NotebookClient(notebook, kernel_name="sandboxed", resources={"metadata": {"path": str(tmp_path)}})
    folders = []
    client.on_notebook_start = lambda **_: folders.append(Path(client.km.ip).parent)
    client.execute()
    assert any("image/png" in output.get("data", {}) for output in notebook.cells[0].outputs)
    assert notebook.cells[1].outputs[0].text.startswith("/tmp [") and "secret" not in str(notebook.cells[1].outputs)
    assert folders and not folders[0].exists()


def test_a_plain_user_has_it_too(tmp_path):
    code = """
import os, sys
os.environ["JUPYTER_PATH"] = sys.argv[1] + "/share/jupyter"
import nbformat
from nbclient import NotebookClient
cells = [nbformat.v4.new_code_cell(source) for source in sys.argv[2:]]
NotebookClient(notebook := nbformat.v4.new_notebook(cells=cells), kernel_name="sandboxed").execute()
print(*(cell.outputs[0].text for cell in cells), sep="")
"""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.getuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    done = run_as_plain_user(sys.executable, "-c", code, str(tmp_path), REPLACE, ENCLOSED, timeout=120)
    lines = done.stdout.splitlines()
    assert lines[:7] == ["Read-only file system"] * 7, done.stderr
    assert lines[7:9] == [str(["0" * 16, "0" * 16, "1", "2"]), "['1', '2'] [(1, 'lo')] False"]


def test_the_way_without_a_browser_takes_scripts_out(tmp_path):
    source = "from IPython.display import HTML\nHTML('<b>bold</b><script>alert(1)</script>')"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)]), tmp_path / "work.ipynb")
    words = "nbconvert --execute --ExecutePreprocessor.kernel_name=sandboxed --to html --sanitize-html".split()
    assert " ".join(words) in provisioner.__doc__
    jupyter = [sys.executable, "-m", *words, str(tmp_path / "work.ipynb")]
    done = subprocess.run(jupyter, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "work.html").read_text()
    assert "<b>bold</b>" in page and "<script>alert(1)" not in page


def test_the_command_writes_a_kernelspec_that_runs_nowhere_else(tmp_path, capsys):
    assert provisioner.main(["--prefix", str(tmp_path / "environment")]) == 0
    folder = Path(capsys.readouterr().out.strip())
    described = json.loads((folder / "kernel.json").read_text())
    assert folder == tmp_path / "environment/share/jupyter/kernels/sandboxed"
    assert described["display_name"] == "Python 3 (sandboxed)"
    assert described["metadata"]["kernel_provisioner"] == {"provisioner_name": "sandboxed"}
    done = subprocess.run(described["argv"], capture_output=True, text=True)
    assert done.returncode == 1 and "in a sandbox only" in done.stderr


def test_without_bubblewrap_it_refuses(monkeypatch):
    monkeypatch.setattr(bwrap, "available", lambda: False)
    with pytest.raises(SandboxUnavailable, match="install bubblewrap"):
        KernelManager(kernel_name="sandboxed").start_kernel()
