"""nbgrader's formgrader in Chromium: its buttons generate, grade and give feedback on this layout."""

import re

from tests.grading.small import LESSON, WEEK, hand_in, make_course


def press(page, selector):
    """Click one of formgrader's buttons and wait for its word → the log that it shows."""
    page.locator(f"{selector} a").first.click()
    dialog = page.locator("#success-modal, #error-modal").first
    dialog.wait_for(timeout=180_000)
    said = dialog.inner_text()
    assert dialog.get_attribute("id") == "success-modal", said
    dialog.locator(".close, button").first.click()
    dialog.wait_for(state="detached")
    return said


def test_its_buttons_generate_grade_and_give_feedback(lab_server, page, tmp_path, monkeypatch):
    source = make_course(tmp_path)
    monkeypatch.chdir(tmp_path)  # nbgrader reads its configuration where the server starts
    url = lab_server(tmp_path)
    page.goto(f"{url}/formgrader/manage_assignments")
    assert page.locator("td.name", has_text=WEEK).count() or page.wait_for_selector(f"td.name:has-text('{WEEK}')")

    source.write_text(LESSON.replace("# # A small week", "# # A small week, revised"))  # while the server runs
    press(page, "td.assign")
    release = (tmp_path / "course" / WEEK / "small.ipynb").read_text(encoding="utf-8")
    assert "revised" in release and "BEGIN SOLUTION" not in release

    answer = re.search(r'exercise="week1.initial_loss"\n(.*?)\n\n\n', LESSON, re.S)[1]
    hand_in(tmp_path, "ada", {"week1-initial_loss": re.sub(r" *### .*\n?", "", answer)})
    page.goto(f"{url}/formgrader/manage_submissions/{WEEK}")
    press(page, "td.autograde")
    press(page, "td.generate-feedback")
    assert "Right:" in (tmp_path / "feedback" / "ada" / WEEK / "small.html").read_text(encoding="utf-8")

    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{tmp_path / 'gradebook.db'}", "training-dynamics") as gradebook:
        submission = gradebook.find_submission(WEEK, "ada")
        assert 0 < submission.score < submission.max_score
        shown = f"{submission.score:g} / {submission.max_score:g}"
    assert shown in page.locator("td.score").first.inner_text()
    page.screenshot(path=tmp_path / "formgrader.png")
