"""The notebook begins with the byte order mark that Windows editors put before UTF-8, and its lines end in CR LF.

json.loads of a text refuses the mark, and a source with CR LF is equal to no other. Here the honest answer counts.
"""

import json

from tests.grading.attacks import Attack, answers


def _edit(book):
    for cell in book["cells"]:
        cell["source"] = cell["source"].replace("\n", "\r\n") if isinstance(cell["source"], str) else cell["source"]
    return json.dumps(book, indent=1).replace("\n", "\r\n").encode("utf-8-sig")


ATTACK = Attack(kind="broken", cells=answers(), edit=_edit)
