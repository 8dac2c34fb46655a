"""Fixtures for tests in Chromium: `lab_server(folder)`, and `page` with what went wrong on it in `page.errors`."""

import contextlib

import pytest

from autograde import browser as jupyter


@pytest.fixture
def lab_server(tmp_path_factory):
    """`lab_server(folder)`: JupyterLab on a folder, with its own port and settings, stopped after the test."""
    with contextlib.ExitStack() as stack:
        yield lambda folder, extra=(): stack.enter_context(
            jupyter.serve(folder, tmp_path_factory.mktemp("jupyterlab"), extra)
        )


@pytest.fixture(scope="session")
def browser():
    if jupyter.CHROMIUM is None:
        pytest.skip("no Chromium here: apt-get install chromium")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=jupyter.CHROMIUM, args=jupyter.CHROMIUM_ARGS)
        yield running
        running.close()


@pytest.fixture
def page(browser):
    """A new page; `page.errors` collects its page and console errors, `page.errors.ours` those of this course."""
    context = browser.new_context(viewport={"width": 1200, "height": 1300})
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.errors = jupyter.watch(page)
    yield page
    context.close()
