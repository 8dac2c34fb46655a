"""The notebook's metadata asks for another kernel: a shell, with a language of its own and a path into the system.

nbclient starts the kernel that a notebook names, and a kernelspec is a command line. Here the metadata are the
release's.
"""

from tests.grading.attacks import Attack, answers


def _edit(book):
    book["metadata"] = {
        "kernelspec": {
            "name": "../../../../tmp/evil",
            "display_name": "<script>alert(1)</script>",
            "language": "bash",
        },
        "language_info": {"name": "bash", "file_extension": ".sh", "codemirror_mode": "<script>"},
        "jupytext": {"text_representation": {"extension": ".py"}},
        "nbgrader": {"__altered": True},
        "papermill": {"parameters": {"seed": 0}},
    }
    return book


ATTACK = Attack(cells=answers(), edit=_edit)
