"""Week 1 as a learner meets it: JupyterLab in Chromium, Run All, a slider moved by keyboard."""

import shutil

import nbformat
import pytest

from autograde import browser as jupyter

PICTURE = "img.widget-image"


def test_week_1_runs_to_its_end_and_a_slider_moves_the_picture(repository, lab_server, page, tmp_path):
    release = sorted((repository / "course").glob("week1_*/*.ipynb"))
    assert release, "build the release first: python -m autograde build"
    for file in release:
        shutil.copy(file, tmp_path)
    url = lab_server(tmp_path)
    moved = 0
    for file in release:
        jupyter.open_notebook(page, url, file.name)
        jupyter.run_all(page)
        code = jupyter.cells(page)
        assert all(cell["count"] for cell in code), [cell["source"][:80] for cell in code if not cell["count"]]
        failed = [cell for cell in code if any(out["output_type"] == "error" for out in cell["outputs"])]
        assert not [cell["source"][:200] for cell in failed if "raises-exception" not in cell["tags"]]
        checks = [cell for cell in code if cell["source"].startswith("check(")]
        assert checks and all("Not answered yet" in str(cell["outputs"]) for cell in checks)
        moved += move_first_slider(page)
    assert moved
    assert page.errors.ours == []


def move_first_slider(page) -> int:
    """Four presses of an arrow key on the first slider beside a picture change that picture; 0 where there is none."""
    number = 0
    while jupyter.scroll_to_widget(page, number):
        panel = page.locator(".jp-Notebook .jp-Cell.jp-mod-active .jp-OutputArea")
        panel.locator(".widget-box, .widget-image, .jupyter-widgets").first.wait_for()
        if panel.locator(PICTURE).count() and panel.locator("[role=slider]").count():
            break
        number += 1
    else:
        return 0
    picture, handle = panel.locator(PICTURE).first.element_handle(), panel.locator("[role=slider]").first
    page.wait_for_function("picture => picture.complete && picture.naturalWidth > 0", arg=picture)
    before = picture.get_attribute("src")
    handle.focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("([picture, src]) => picture.src !== src && picture.naturalWidth > 0", arg=[picture, before])
    words = picture.get_attribute("alt") or picture.get_attribute("title")  # ipywidgets' Image has a title, and no alt
    assert words, "the picture says in words what it shows"
    return 1


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
