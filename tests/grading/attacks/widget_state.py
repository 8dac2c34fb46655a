"""The notebook carries widgets' state with scripts in it, as an exporter embeds it, closed by '</script>' in a string.

nbconvert writes the state into a script tag of the page. Here no metadata of a submission reaches a page.
"""

from tests.grading.attacks import Attack, answers

EVIL = "</script><script>alert('XSS')</script><img src=x onerror=alert('XSS')>"


def _edit(book):
    model = {"model_module": EVIL, "model_name": "HTMLModel", "state": {"value": EVIL, "layout": EVIL}}
    state = {
        "application/vnd.jupyter.widget-state+json": {"version_major": 2, "version_minor": 0, "state": {EVIL: model}}
    }
    book["metadata"] |= {"widgets": state, "title": EVIL, "authors": [{"name": EVIL}], "celltoolbar": EVIL}
    return book


ATTACK = Attack(cells=answers(), edit=_edit)
