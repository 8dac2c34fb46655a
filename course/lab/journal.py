"""A learner's own record: predictions, answers and self-assessments, in `journal.json` beside the notebook.

Everything is written the moment it is given, by way of a second file, so that a crash loses nothing. Nothing is written
where there is nothing to keep, nor while a notebook is graded (NBGRADER_EXECUTION). Week 8 reads it, and nobody
else.
"""

import hashlib
import html
import json
import math
import os
import random
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

from IPython import get_ipython
from IPython.display import display

from course.lab import files

NAME = "journal.json"
NOBODY = "anonymous"
_LOCK = threading.Lock()  # widget callbacks arrive on other threads


def file(folder=None) -> Path:
    """The journal of the notebook that runs in `folder` (default: the working folder)."""
    return Path(folder or ".").resolve() / NAME


def read(folder=None) -> dict:
    """The journal as a dict, empty if there is none. One that cannot be read is set aside, never lost."""
    path = file(folder)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return found if isinstance(found, dict) else {}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        aside = path.with_name(f"journal-unreadable-{datetime.now():%Y%m%d-%H%M%S}.json")
        try:
            path.replace(aside)
            print(f"{path.name} could not be read; it is kept as {aside.name}, and a new one begins.", file=sys.stderr)
        except OSError:
            pass
        return {}


def change(section: str, key: str, new, folder=None) -> bool:
    """Puts `new(old)` in place of what stands under section and key ({} if nothing does); False if it could not."""
    if os.environ.get("NBGRADER_EXECUTION"):
        return False
    with _LOCK:
        book, path = read(folder), file(folder)
        shelf = book.setdefault(section, {})
        shelf[key] = new(shelf.get(key, {}))
        try:
            files.write_text(path, json.dumps(book, indent=1, ensure_ascii=False, default=str) + "\n")
        except OSError as error:
            print(f"Your answer is not saved: {path} cannot be written ({error.strerror}).", file=sys.stderr)
            return False
    return True


def write(section: str, key: str, entry: dict, folder=None) -> bool:
    """Puts `entry`, with the time, in the place of what stands under section and key."""
    return change(section, key, lambda _: entry | now(), folder)


def now() -> dict:
    return {"time": datetime.now(UTC).isoformat(timespec="seconds")}


def everything(folder=None) -> dict[str, dict]:
    """All journals of this learner, {folder name: journal}: that of `folder` and of the week folders beside it."""
    here = Path(folder or ".").resolve()
    books = {one.name: read(one) for one in sorted(here.parent.glob("week*_*")) if (one / NAME).is_file()}
    return books | ({here.name: read(here)} if file(here).is_file() else {})


def learner(folder=None) -> str:
    """The name or id that the learner gave, in any week; 'anonymous' without one."""
    for book in everything(folder).values():
        if name := book.get("learner", {}).get("name", {}).get("value"):
            return name
    return NOBODY


def sign(name: str = "") -> str:
    """Keeps the learner's name or id, which decides the numbers in their questions, and returns it."""
    name = str(name or "").strip()
    if name:
        write("learner", "name", {"value": name})
    return name or learner()


def draw(*parts) -> random.Random:
    """A random stream of its own for these words, the same on every machine."""
    return random.Random(int.from_bytes(hashlib.sha256("/".join(map(str, parts)).encode()).digest()[:8]))


def show(words: str, *, bold: str = "", colour: str = "inherit") -> None:
    """Displays a line or two, the same words in html and in plain text."""
    e, text = html.escape, "\n".join(filter(None, [bold, words]))
    if get_ipython() is None:
        print(text)
        return
    head = f"<b>{e(bold)}</b><br>" if bold else ""
    body = e(words)
    display(
        {
            "text/plain": text,
            "text/html": f"<div role='status' style='color:{colour};border-left:4px solid #0072B2;"
            f"padding:2px 12px;margin:4px 0;white-space:pre-wrap'>{head}{body}</div>",
        },
        raw=True,
    )


def number(value, unit: str = "") -> str:
    """A number as people write it, '5.557 nats'; a dict line by line; other values as they are."""
    if isinstance(value, dict):
        return "\n".join(f"{key}: {number(one)}" for key, one in value.items())
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    text = (
        f"{value:,}"
        if isinstance(value, int)
        else f"{value:.4g}"
        if abs(value) < 1e6 or not math.isfinite(value)
        else f"{value:.3g}"
    )
    return f"{text} {unit}".strip()


def commit(question: str, prediction, measure=None, unit: str = "") -> None:
    """Stores `prediction`, then calls `measure()` and shows both side by side.

    `prediction` is a number or a word; None means that you don't want to say. `measure` is a function without
    arguments: it runs after the prediction is stored, so the prediction comes first; without it the prediction is
    only kept. Your first prediction counts and is kept; later ones are added.
    """
    if hasattr(prediction, "item"):
        prediction = prediction.item()
    earlier = read().get("predictions", {}).get(question, [])
    if prediction is not None and [prediction] != [one.get("prediction") for one in earlier[-1:]]:
        change("predictions", question, lambda old: [*old, {"prediction": prediction} | now()])
    said = f"predicted  {number(prediction, unit)}"
    if prediction is None:
        said = "predicted  nothing. A guess, even a poor one, makes the number stick: write one next time."
    elif earlier and earlier[0].get("prediction") != prediction:
        said += f", at first {number(earlier[0]['prediction'], unit)}, which is kept"
    if measure is None:
        show(said, bold=question)
    elif (measured := _measured(question, measure)) is not _NOTHING:
        show(f"{said}\nmeasured   {number(measured, unit)}{_off(prediction, measured)}", bold=question)


def attempt(title: str, measure) -> None:
    """Shows under `title` what `measure()` returns. If that needs an answer which is still blank, or fails, it says so
    in one line, and the notebook goes on."""
    if (measured := _measured(title, measure)) is not _NOTHING:
        show(number(measured), bold=title)


_NOTHING = object()


def _measured(title, measure):
    try:
        found = measure()
    except NotImplementedError:
        said = "This uses an answer of yours that is still blank. Write that one, then run this cell again."
    except NameError as error:
        said = f"{error}. Run the cells above first, or mend the one that failed."
    except Exception as error:  # an answer that is not right yet: its check says more
        said = f"An answer that this uses fails: {type(error).__name__}: {error}"
    else:
        return found.item() if hasattr(found, "item") and getattr(found, "numel", lambda: 1)() == 1 else found
    show(said, bold=title)
    return _NOTHING


def _off(predicted, measured):
    numbers = all(isinstance(x, (int, float)) and not isinstance(x, bool) for x in (predicted, measured))
    if numbers and math.isfinite(predicted - measured):
        return f"   ({abs(predicted - measured):.3g} off)"
    return ""
