"""The stored outputs of the answers hold scripts in every form that a page may run, and a picture that is a script.

Formgrader and the feedback show a submission's outputs, and formgrader's page may change grades. Here of an output only
text and PNG pictures are kept.
"""

from tests.grading.attacks import Attack, answers

EVIL = "<script>alert('XSS')</script><img src=x onerror=alert('XSS')>"
DATA = {
    "text/html": EVIL,
    "image/svg+xml": f"<svg xmlns='http://www.w3.org/2000/svg' onload=\"alert('XSS')\">{EVIL}</svg>",
    "application/javascript": "alert('XSS')",
    "text/markdown": f"[x](javascript:alert('XSS')) {EVIL}",
    "text/latex": "$\\href{javascript:alert('XSS')}{x}$",
    "application/vnd.jupyter.widget-view+json": {"model_id": EVIL, "version_major": 2},
    "application/pdf": "JVBERi0=",
    "image/png": f'x" onerror="alert(\'XSS\')">{EVIL}',
    "image/jpeg": 'x" onerror="alert(1)"',
    "text/plain": [EVIL, "\x1b]8;;javascript:alert(1)\x07link\x1b]8;;\x07"],
}


def _edit(book):
    for cell in book["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = [
                {"output_type": "display_data", "metadata": {"image/png": {"width": EVIL}}, "data": DATA},
                {"output_type": "error", "ename": EVIL, "evalue": EVIL, "traceback": [EVIL]},
                {"output_type": "stream", "name": EVIL, "text": [EVIL]},
                {"output_type": EVIL, "data": EVIL},
            ]
    return book


ATTACK = Attack(cells=answers(), edit=_edit)
