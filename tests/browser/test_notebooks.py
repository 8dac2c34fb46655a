"""Every notebook as a learner meets it: JupyterLab in Chromium, Run All, each demo's sliders moved by keyboard."""

import shutil

import nbformat
import pytest

from autograde import browser as jupyter
from autograde import release

PICTURE = "img.widget-image"
PANEL = ".jp-Notebook .jp-Cell.jp-mod-active .jp-OutputArea"
NOTEBOOKS = [f"{py.parent.name}/{py.stem}" for py in release.sources()]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs_to_its_end_and_every_demo_follows_the_keyboard(repository, lab_server, page, tmp_path, name):
    file = repository / "course" / f"{name}.ipynb"
    shutil.copy(file, tmp_path)
    jupyter.open_notebook(page, lab_server(tmp_path), file.name)
    jupyter.run_all(page)
    code = jupyter.cells(page)
    assert all(cell["count"] for cell in code), [cell["source"][:80] for cell in code if not cell["count"]]
    failed = [cell for cell in code if any(out["output_type"] == "error" for out in cell["outputs"])]
    assert not [cell["source"][:200] for cell in failed if "raises-exception" not in cell["tags"]]
    checks = [cell for cell in code if cell["source"].startswith("check(")]
    assert checks and all("Not answered yet" in str(cell["outputs"]) for cell in checks)
    demos = sum("demos." in cell["source"] and "widget-view+json" in str(cell["outputs"]) for cell in code)
    assert move_sliders(page) == demos
    assert page.errors.ours == []


def move_sliders(page) -> int:
    """Moves the first slider of every picture with one; returns the number of such pictures."""
    moved, number = 0, 0
    while jupyter.scroll_to_widget(page, number):
        number += 1
        panel = page.locator(PANEL)
        panel.locator(".widget-box, .widget-image, .jupyter-widgets").first.wait_for()
        if panel.locator(PICTURE).count():
            move(page, panel)
            moved += 1
    return moved


def move(page, panel):
    """Presses keys on the panel's first slider: its value and the picture change, and words say what is seen.

    A run in progress changes the picture by itself, so the picture has to rest first.
    """
    picture = panel.locator(PICTURE).first.element_handle()
    page.wait_for_function("picture => picture.complete && picture.naturalWidth > 0", arg=picture)
    rests(page, picture)
    before = picture.get_attribute("src"), picture.get_attribute("title")
    slider = panel.locator("[role=slider]").first  # JupyterLab takes the arrow keys of a list for its own
    value = value_of(slider)
    slider.focus()
    for key in ("ArrowRight", "ArrowLeft", "ArrowLeft"):  # from either end, one of them leads away
        page.keyboard.press(key)
        page.wait_for_timeout(100)
        if value_of(slider) != value:
            break
    assert value_of(slider) != value, "the control does not follow the keyboard"
    page.wait_for_function(
        "([picture, src]) => picture.src !== src && picture.naturalWidth > 0", arg=[picture, before[0]]
    )
    page.wait_for_function("([picture, words]) => picture.title !== words", arg=[picture, before[1]])
    assert picture.get_attribute("title"), "the picture says in words what it shows"  # an ipywidgets Image has no alt


def rests(page, picture, seconds=60):
    """Waits until the picture has been the same for two seconds."""
    for _ in range(seconds // 2):
        src = picture.get_attribute("src")
        page.wait_for_timeout(2000)
        if picture.get_attribute("src") == src:
            return
    raise AssertionError(f"the picture still changes after {seconds} s")


def value_of(slider):
    return slider.get_attribute("aria-valuenow"), slider.get_attribute("aria-valuetext")


@pytest.fixture
def broken(tmp_path):
    """A syntax error in an exercise's cell, which carries the tag that the build gives every such cell."""
    exercise = nbformat.v4.new_code_cell(
        "def log_softmax(logits)\n    return logits", metadata={"tags": ["raises-exception"]}
    )
    sources = ['check("week1.log_softmax", log_softmax)', "print('the end')"]
    rest = [nbformat.v4.new_code_cell(source) for source in sources]
    first = nbformat.v4.new_code_cell("from autograde import check")
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=[first, exercise, *rest], metadata=kernel), tmp_path / "broken.ipynb")
    return tmp_path


def test_run_all_goes_on_past_a_syntax_error(broken, lab_server, page):
    jupyter.open_notebook(page, lab_server(broken), "broken.ipynb")
    jupyter.run_all(page)
    _, exercise, check, last = jupyter.cells(page)
    assert exercise["outputs"][0]["ename"] == "SyntaxError"
    assert "`log_softmax` is not defined" in str(check["outputs"]) and "Not answered yet" in str(check["outputs"])
    assert last["outputs"][0]["text"] == "the end\n" or last["outputs"][0]["text"] == ["the end\n"]
    assert page.errors.ours == []
