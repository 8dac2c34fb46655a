"""A JupyterLab server of one's own, and what a test or a measurement does with a notebook in it."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
CHROMIUM_ARGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
CHROMIUM_ARGS += ["--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"]


def free_port() -> int:
    """A port of this machine that nothing listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@contextlib.contextmanager
def serve(folder, settings, extra=()):
    """JupyterLab on `folder`, its settings and log in the folder `settings`: its address; stopped afterwards."""
    port, settings = free_port(), Path(settings)
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--expose-app-in-browser"]
    command += [
        f"--port={port}",
        "--ServerApp.port_retries=0",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.root_dir={folder}",
    ]
    command += ["--IdentityProvider.token=", "--ServerApp.password=", "--LabApp.extension_manager=readonly"]
    command += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    command += [f"--LabApp.user_settings_dir={settings / 'user'}", f"--LabApp.workspaces_dir={settings / 'workspaces'}"]
    quiet = settings / "user" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    quiet.parent.mkdir(parents=True, exist_ok=True)
    quiet.write_text('{"fetchNews": "false", "checkForUpdates": false}')  # no question about news over the page
    own = {
        name: str(settings / name.lower()) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    }
    environ = {**os.environ, **own, "IPYTHONDIR": str(settings / "ipython")}
    with open(settings / "server.log", "w") as log:
        server = subprocess.Popen([*command, *extra], stdout=log, stderr=log, env=environ, start_new_session=True)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(url, server, settings / "server.log")
        yield url
    finally:
        server.send_signal(signal.SIGTERM)  # it ends its kernels first
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:
            server.kill()


def _wait(url, server, log, seconds=60):
    end = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(f"{url}/api", timeout=2):
                return
        except (OSError, urllib.error.URLError):
            if server.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()[-3000:]}") from None
            time.sleep(0.1)


class Errors(list):
    """What went wrong on a page, as texts. `ours` leaves out what comes with JupyterLab itself.

    Uncaught page errors all count, wherever they come from. A console error is JupyterLab's own only if it is in
    NOT_OURS: what a notebook with nothing of this course in it may show as well.
    """

    NOT_OURS = (
        "Failed to load resource",  # a server without a network, or without the optional language servers
        "Could not get server extensions",
        "[lsp]",
    )

    @property
    def ours(self) -> list[str]:
        return [text for text in self if not any(known in text for known in self.NOT_OURS)]


def watch(page) -> Errors:
    """Collect what goes wrong on `page` from now on."""
    errors = Errors()
    page.on("pageerror", lambda error: errors.append(f"page error: {error}"))
    page.on("console", lambda message: errors.append(f"console: {message.text}") if message.type == "error" else None)
    return errors


def open_notebook(page, url, name):
    """Open a notebook alone on the page and wait until its kernel answers."""
    page.goto(f"{url}/doc/tree/{name}?reset", wait_until="domcontentloaded")
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
    ready = """
        const panel = window.jupyterapp.shell.currentWidget;
        await panel.context.ready;
        await panel.sessionContext.ready;
        await panel.sessionContext.session.kernel.info;
    """
    _within(page, ready, 90, "the kernel did not start")


def run_all(page, seconds=480):
    """Run → Run All Cells; returns when the kernel has answered for the last of them.

    The command itself returns at the first error, even one that a cell's tag allows.
    """
    page.evaluate("void window.jupyterapp.commands.execute('notebook:run-all-cells')")
    script = """
        const model = window.jupyterapp.shell.currentWidget.content.model;
        const code = () => Array.from(model.cells).filter(c => c.type === 'code' && c.sharedModel.source.trim());
        const open = () => code().filter(c => c.executionState !== 'idle' || !c.executionCount);
        while (open().length) await new Promise(resolve => setTimeout(resolve, 50));
    """
    _within(page, script, seconds, "Run All did not come to its end")


def scroll_to_widget(page, number) -> bool:
    """Bring the `number`th cell with a widget into view (JupyterLab draws only what is near); False without one."""
    return page.evaluate(
        """async (number) => {
            const content = window.jupyterapp.shell.currentWidget.content;
            const shows = c => c.type === 'code' && JSON.stringify(c.outputs.toJSON()).includes('widget-view+json');
            const found = Array.from(content.model.cells).map((c, i) => shows(c) ? i : -1).filter(i => i >= 0);
            if (number >= found.length) return false;
            content.activeCellIndex = found[number];
            await content.scrollToItem(found[number], 'start');
            return true;
        }""",
        number,
    )


def _within(page, script, seconds, otherwise):
    """Run an asynchronous script on the page; playwright itself would wait for it without end."""
    page.evaluate(
        f"""([seconds, otherwise]) => Promise.race([
            (async () => {{ {script} }})(),
            new Promise((_, reject) => setTimeout(() => reject(new Error(otherwise)), 1000 * seconds)),
        ])""",
        [seconds, f"{otherwise} within {seconds} s"],
    )


def cells(page) -> list[dict]:
    """The code cells of the open notebook as they stand in its model: source, count, tags, outputs."""
    return page.evaluate(
        """() => window.jupyterapp.shell.currentWidget.content.model.toJSON().cells
              .filter(cell => cell.cell_type === 'code' && [].concat(cell.source).join('').trim())
              .map(cell => ({source: [].concat(cell.source).join(''), count: cell.execution_count,
                             tags: cell.metadata.tags || [], outputs: cell.outputs}))"""
    )
