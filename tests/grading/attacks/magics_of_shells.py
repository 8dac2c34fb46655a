"""Cells that are no Python: %%bash, %%html, %%javascript, %%script, a shell escape, a background job, %sx, %load_ext.

Each runs a program or a page outside of whatever a grader wrapped around Python. Here they run as enclosed as Python
does, and cells that are none of Python's cost the honest answer nothing.
"""

from tests.grading.attacks import Attack, answers

CELLS = [
    "%%bash\nrm -rf ./no-such-folder-of-this-attack\nsleep 1\nexit 3",
    "%%html\n<script>alert('XSS')</script>",
    "%%javascript\nalert('XSS')\nJupyter.notebook.kernel.restart()",
    "%%script bash --bg\nsleep 300",
    "!rm -rf ./no-such-folder-of-this-attack\nfound = !ls /\nx = %sx ls",
    "%load_ext no_such_extension",
    "%alias_magic check time\n%reset_selective -f ^check$",
    "%%no_such_magic\nwords",
    "?? check",
]
ATTACK = Attack(cells=answers(), extra=[("week1-log_softmax-check", source) for source in CELLS])
