"""An editor on Windows saved the notebook as UTF-16, with a byte order mark.

Every byte is there, and a reader that insists on UTF-8 sees none of it. JSON's standard knows UTF-16, and Python's
reader detects it: here the honest answer counts.
"""

import json

from tests.grading.attacks import Attack, answers

ATTACK = Attack(kind="broken", cells=answers(), edit=lambda book: json.dumps(book, indent=1).encode("utf-16"))
