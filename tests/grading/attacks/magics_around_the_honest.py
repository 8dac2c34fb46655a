"""The honest answer stands under %%time, its neighbours under %%capture, %matplotlib and %config.

To a parser of Python such a cell is a syntax error, and a tool that asks which names a cell defines finds none. Here
the honest answer is found all the same.
"""

from tests.grading.attacks import RIGHT, WRONG, Attack, answers

ATTACK = Attack(
    kind="broken",
    cells=answers(
        initial_loss="%%time\n" + RIGHT["initial_loss"],
        log_softmax="%%capture out\n" + WRONG["log_softmax"],
        cross_entropy="%matplotlib inline\n%config InlineBackend.figure_format = 'svg'\n" + WRONG["cross_entropy"],
    ),
    extra=[("week1-log_softmax", "%%timeit -n1 -r1\nsum(range(10))"), ("week1-initial_loss", "%reset -f out")],
)
