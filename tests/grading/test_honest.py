"""Right answers get full points however they are written, wherever they stand, and whatever program saved them.

Every learner here answers all of weeks 0 and 1 rightly, and goes the whole way of grading, in one sandbox.
"""

import ast
import builtins
import functools
import itertools
import re
from pathlib import Path

import nbformat
import pytest

from autograde import marking, release, source
from autograde.bank import load_bank
from autograde.executor import Patience
from autograde.exercise import find, of_week, weeks
from autograde.sandbox import Sandbox
from tests.grading import foreign
from tests.grading.foreign import name_of

ROOT = Path(__file__).resolve().parents[2]
EARLY = ("week0", "week1")  # all habits and programs are tried on these
LATER = [week for week in weeks() if week not in EARLY]  # and every right answer on these too


def released(*chosen):
    return {path.stem: path.read_text() for week in chosen for path in sorted(ROOT.glob(f"course/{week}_*/*.ipynb"))}


def seeds(*chosen):
    return {one.id: 2**40 + 1000 * k for k, one in enumerate(one for week in chosen for one in of_week(week))}


RELEASES, SEEDS = released(*EARLY), seeds(*EARLY)
LEAST = 5  # right answers of each exercise beside the reference


def cell_id(exercise_id):
    return exercise_id.replace(".", "-")


@functools.cache
def references():
    """{cell's id: the reference as it stands in its cell}."""
    cells = [cell for py in release.sources(ROOT) for cell in source.read(py) if cell.role == "exercise"]
    return {cell.grade_id: source.solved(cell.source) for cell in cells}


@functools.cache
def bank():
    """{exercise's id: its right answers in the bank, each as a learner would type it}."""
    found = {exercise.id: [] for week in weeks() for exercise in of_week(week)}
    for entry in [entry for week in weeks() for entry in load_bank(ROOT / "tests" / "bank", week) if entry.right]:
        found[entry.exercise_id].append(typed(entry))
    return found


def typed(entry) -> str:
    """A bank's function as a cell: the imports and helpers that it leans on, and itself under the exercise's name."""
    path, name = entry.file, entry.answer.__name__
    answers, helpers = _top_level(path)
    chosen, waiting = [answers[name]], [answers[name]]
    for node in waiting:
        used = [helpers.get(part.id) for part in ast.walk(node) if isinstance(part, ast.Name)]
        waiting += (new := [found for found in dict.fromkeys(used) if found and found not in chosen])
        chosen += new
    lines, parts = path.read_text().split("\n"), []
    for node in sorted(chosen, key=lambda node: node.lineno):
        first = min([node.lineno, *(mark.lineno for mark in getattr(node, "decorator_list", ()))])
        parts.append("\n".join(lines[first - 1 : node.end_lineno]))
    return re.sub(rf"\b{name}\b", find(entry.exercise_id).name, "\n\n".join(parts))


@functools.cache
def _top_level(path):
    """→ ({name: an answer of the bank, without its mark}, {name: another statement that defines it})."""
    answers, helpers = {}, {}
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            helpers |= {(alias.asname or alias.name).partition(".")[0]: node for alias in node.names}
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            marks = [mark for mark in node.decorator_list if ast.unparse(mark).startswith(("right(", "wrong("))]
            node.decorator_list = [mark for mark in node.decorator_list if mark not in marks]
            (answers if marks else helpers)[node.name] = node
        elif isinstance(node, ast.Assign):
            names = [part.id for target in node.targets for part in ast.walk(target) if isinstance(part, ast.Name)]
            helpers |= dict.fromkeys(names, node)
    return answers, helpers


# --- five right answers of each exercise ------------------------------------------------------------------------------


class Normal(ast.NodeTransformer):
    """Code without what changes nothing: names by number, constants by kind, sums in one order, no words."""

    def __init__(self, tree):
        imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
        kept = {(alias.asname or alias.name).partition(".")[0] for node in imports for alias in node.names}
        self.names = {name: name for name in kept | set(dir(builtins))}

    def number(self, name):
        return self.names.setdefault(name, f"name {len(self.names)}")

    def visit(self, node):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            if ast.get_docstring(node) is not None:
                node.body = node.body[1:] or [ast.Pass()]
            node.name = self.number(node.name)
        if isinstance(node, ast.FunctionDef):
            node.returns = None
        if isinstance(node, ast.arg):
            node.arg, node.annotation = self.number(node.arg), None
        if isinstance(node, ast.Name):
            node.id = self.number(node.id)
        if isinstance(node, ast.Constant):
            return ast.Constant(type(node.value).__name__)
        self.generic_visit(node)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mult):
            node.left, node.right = sorted((node.left, node.right), key=ast.dump)
        return node


def shape(text) -> str:
    """The syntax tree of an answer, such that two in disguise have the same."""
    tree = ast.parse(text)
    normal = Normal(tree)
    tree.body = [node for node in tree.body if not isinstance(node, ast.Import | ast.ImportFrom)]
    return ast.dump(normal.visit(tree))


def test_the_same_in_disguise_has_one_shape():
    one = 'import torch\ndef f(x, y=1):\n    """Says."""\n    return torch.sin(x) * 2 + y'
    other = "import torch\ndef g(value: int, offset: int = 3) -> int:\n    return offset + 5 * torch.sin(value)"
    assert shape(one) == shape(other) != shape(one.replace("sin", "cos"))
    assert shape("def f(x):\n    return max(x)") != shape("def f(x):\n    return min(x)")


@pytest.mark.parametrize("exercise_id", [*SEEDS, *seeds(*LATER)])
def test_five_right_answers_that_are_not_the_same_in_disguise(exercise_id):
    answers = bank()[exercise_id]
    assert len(answers) >= LEAST
    assert len({shape(text) for text in [*answers, references()[cell_id(exercise_id)]]}) == len(answers) + 1


# --- the way of grading -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(marking.modules(RELEASES.values())) as started:
        yield started


@pytest.fixture(scope="module")
def graded(sandbox):
    """graded({notebook's name: bytes}) → its result."""

    def grade(submitted, patience=None):
        task = marking.Task("ada", "weeks", submitted, RELEASES, SEEDS, patience=patience or Patience())
        return marking.mark(task, sandbox)

    return grade


def verdicts(result):
    return {key: verdict for book in result["notebooks"].values() for key, verdict in book["checks"].items()}


def full_points(result, faulty=False, of=SEEDS):
    """Everything right, nobody accused, and no cell failed but the learner's own ones where they are `faulty`."""
    assert result["status"] == "graded", result["detail"]
    missed = {key: (v["score"], v["told"]) for key, v in verdicts(result).items() if v["score"] != 1}
    failed = [cell for book in result["notebooks"].values() for cell in book["cells"] if cell["error"]]
    assert missed == {}, failed
    assert verdicts(result).keys() == of.keys()
    assert [cell for cell in failed if not faulty or cell["id"].startswith("week")] == []
    assert result["flags"] == []


def notebooks(answers=None, of=RELEASES):
    """{name: the release with all its answers}, to be changed as a learner would."""
    return {name: foreign.notebook(text, answers or references()) for name, text in of.items()}


def handed_in(made):
    return {name: nbformat.writes(one).encode() for name, one in made.items()}


@pytest.mark.parametrize("number", range(8))
def test_every_right_answer_of_the_bank(graded, number):
    """The k-th answer of each exercise, all in one learner's notebooks."""
    assert max(len(bank()[key]) for key in SEEDS) <= 8
    full_points(graded(handed_in(notebooks(answers_number(number)))))


def answers_number(number):
    return {cell_id(key): found[number % len(found)] for key, found in bank().items() if found}


@pytest.mark.parametrize("week", LATER)
def test_every_right_answer_of_a_later_week(week):
    """The same, with kernels that have this week's libraries, and once with the references."""
    of, keys = released(week), seeds(week)
    with Sandbox(marking.modules(of.values())) as sandbox:
        for answers in [None, *map(answers_number, range(max(len(bank()[key]) for key in keys)))]:
            task = marking.Task("ada", week, handed_in(notebooks(answers, of)), of, keys, patience=Patience())
            full_points(marking.mark(task, sandbox), of=keys)


# Answers that are no plain functions: whatever can be called is an answer.
CALLABLES = {
    "week0-practice": "practice = lambda values: (values**2).mean()",
    "week0-center_rows": """
from functools import partial
def shifted(x, dim): return x - x.mean(dim, keepdim=True)
center_rows = partial(shifted, dim=1)""",
    "week0-pairwise_differences": """
class Table:
    def __call__(self, a, b): return a.reshape(-1, 1) - b
pairwise_differences = Table()""",
    "week0-gradient_of": """
class Slopes:
    @staticmethod
    def at(f, x): return torch.func.grad(f)(x)
gradient_of = Slopes.at""",
    "week0-missing_grads": """
class missing_grads(list):
    def __init__(self, model):
        super().__init__(n for n, p in model.named_parameters() if p.requires_grad and p.grad is None)""",
    "week1-log_softmax": """
@torch.jit.script
def log_softmax(logits):
    shifted = logits - logits.max(dim=-1, keepdim=True)[0]
    return shifted - shifted.exp().sum(dim=-1, keepdim=True).log()""",
    "week1-cross_entropy": """
class CrossEntropy(torch.nn.Module):
    def forward(self, logits, targets, ignore_index=-100):
        keep = targets != ignore_index
        return -log_softmax(logits[keep]).gather(-1, targets[keep][:, None]).mean()
cross_entropy = CrossEntropy().eval()""",
    "week1-next_token_pairs": """
from dataclasses import dataclass
@dataclass
class Shift:
    by: int = 1
    def pairs(self, ids, mask, ignore_index=-100):
        return ids[:, :-self.by], ids[:, self.by:].where(mask[:, self.by:] > 0, ignore_index)
next_token_pairs = Shift().pairs""",
    "week1-initial_loss": """
import functools
@functools.cache
def initial_loss(vocab_size): return math.log(vocab_size)""",
    "week1-cross_entropy_backward": """
@torch.inference_mode()
def cross_entropy_backward(logits, targets, ignore_index=-100):
    n, p = (targets != ignore_index).sum(), torch.softmax(logits, -1)
    p[torch.arange(len(targets)), targets.where(targets != ignore_index, 0)] -= 1
    return p.where((targets != ignore_index)[:, None], 0.0) / n""",
    "week1-perplexity": """
import contextlib
@torch.no_grad()
def perplexity(*args, **kwargs):
    losses, token_counts = args
    with contextlib.suppress(ZeroDivisionError):
        return math.exp(sum(l * n for l, n in zip(losses.tolist(), token_counts.tolist()) if n) / sum(token_counts))""",
    "week1-bits_per_byte": """
def timed(function):
    import functools, time
    @functools.wraps(function)
    def wrapper(*args):
        began = time.perf_counter()
        try: return function(*args)
        finally: print(f"{time.perf_counter() - began:.3f} s")
    return wrapper
@timed
def bits_per_byte(mean_loss: float, n_tokens: int, n_bytes: int, /) -> float:
    return mean_loss / math.log(2) * n_tokens / n_bytes""",
    "week1-sample": """
class sample:
    def __new__(cls, logits, temperature, top_k, generator):
        self = super().__new__(cls)
        self.scores = logits if top_k is None else self.cut(logits, min(top_k, logits.shape[1]))
        return self.draw(temperature, generator)
    def cut(self, logits, k): return logits.masked_fill(logits < logits.topk(k)[0][:, -1:], float("-inf"))
    def draw(self, t, rng):
        if t == 0: return self.scores.argmax(1)
        return torch.multinomial((self.scores / t).softmax(1), 1, generator=rng)[:, 0]""",
    "week1-ema": """
import numpy as np
import pandas as pd
def ema(values, beta):
    return pd.Series(np.asarray(values)).ewm(alpha=1 - beta, adjust=True).mean().to_numpy()""",
    "week1-read_curve": """
from types import SimpleNamespace
def read_curve(steps, losses):
    import pandas as pd
    log = pd.DataFrame({"loss": losses}, index=steps)
    after = log.loc[log.loss.idxmax():]
    back = after[after.loss <= losses[0]].index
    facts = SimpleNamespace(spike=log.loss.max() - losses[0], best_step=log.loss.idxmin())
    facts.warmup_end = facts.decay_start = None
    facts.recovered_at = back[0] if len(back) else None
    facts.tail_slope = 100 * (log.loss.iloc[-1] - log.loss.iloc[-3]) / (steps[-1] - steps[-3])
    return vars(facts)""",
    "week1-loss_floor": """
def loss_floor(input_ids, labels, _memo={}):
    groups = defaultdict(list)
    for ids, row in zip(input_ids.tolist(), labels.tolist()):
        for t in range(1, len(ids)):
            if row[t] != -100: groups[tuple(ids[:t])].append(row[t])
    nats = [-math.log(g.count(y) / len(g)) for g in groups.values() for y in g]
    return torch.tensor(nats).mean()""",
}


def test_whatever_can_be_called_is_an_answer(graded):
    assert CALLABLES.keys() == references().keys() & set(map(cell_id, SEEDS))
    full_points(graded(handed_in(notebooks(CALLABLES))))


# --- programs and rearrangements --------------------------------------------------------------------------------------


@pytest.mark.parametrize("save", (*foreign.PROGRAMS, *foreign.BYTES), ids=lambda save: save.__name__)
def test_whatever_program_saved_it(graded, save):
    full_points(graded({name: save(made) for name, made in notebooks().items()}))


@pytest.mark.parametrize("save", foreign.REARRANGED, ids=lambda save: save.__name__)
def test_however_the_cells_are_arranged(graded, save):
    full_points(graded({name: save(made) for name, made in notebooks().items()}))


# --- habits -----------------------------------------------------------------------------------------------------------


def add(made, place, *sources):
    made.cells[place:place] = [nbformat.v4.new_code_cell(text.strip("\n")) for text in sources]


def answers_of(made):
    return [cell for cell in made.cells if foreign.is_answer(cell)]


def imports_of(made):
    """The lesson's import cell."""
    return next(cell for cell in made.cells if re.search("^import torch$", cell.source, re.MULTILINE))


def after_imports(made):
    return made.cells.index(imports_of(made)) + 1


# Cells of the learner's own, in front of every answer. Each must run.
OWN_CELLS = {
    "plots inline": [
        "%matplotlib inline\nimport numpy as np",
        "%matplotlib widget\nkept = 1",
        "%config InlineBackend.figure_format = 'retina'",
        "from IPython import get_ipython\nget_ipython().run_line_magic('matplotlib', 'notebook')",
        "import matplotlib.pyplot as plt\nfor _ in range(25):\n    plt.figure()\n    plt.plot([1, 2])\nplt.show()",
    ],
    "magics": [
        "%load_ext autoreload\n%autoreload 2",
        "!ls\nfiles = !ls /\n%cd /tmp\n%env COLOUR=1\n!pip --version",
        "%timeit -n 2 -r 1 sum(range(10))\n%time sum(range(10))",
        "%%time\nkept = 3",
        "%%capture said\nprint(1)",
        "%%bash\necho hello",
        "%%html\n<b>!</b>",
        "%%writefile my_notes.py\ndef twice(x):\n    return 2 * x",
        "from my_notes import twice\ntwice(2)",
        "torch.softmax?\nhelp(torch.softmax)\n%who\n%history",
        "%autosave 60\nkept = 4",
    ],
    "shows": [
        "from IPython.display import HTML, Markdown, display\ndisplay(Markdown('*hello*'), HTML('<b>!</b>'))",
        "import ipywidgets\n@ipywidgets.interact(x=(0, 3))\ndef show(x=1):\n    return x\nipywidgets.Text()",
        "from tqdm.auto import tqdm, trange\nfor _ in tqdm(range(3)):\n    pass\nfor _ in trange(2):\n    pass",
        "from tqdm.notebook import tqdm\nlist(tqdm([1, 2]))",
        "import pandas as pd\npd.DataFrame({'a': [1, 2]})",
        "demos",
    ],
    "programs": [
        "from __future__ import annotations\nimport asyncio",
        "await asyncio.sleep(0)\nasync def later():\n    return 1\nawait later()",
        "def ask():\n    return input('How many? ')",
        "if __name__ == '__main__':\n    print('main')",
        "import threading, time\nthreading.Thread(target=time.sleep, args=(1,), daemon=True).start()",
        "import multiprocessing\nwith multiprocessing.Pool(2) as pool:\n    pool.map(abs, [1, 2])",
        "import logging\nlogging.basicConfig(level=logging.DEBUG)\nlogging.getLogger().info('here')",
        "check('week1.ema', None)\nfrom autograde import check as verify",
        "# TODO: ask about broadcasting",
    ],
    "seeds": ["import random, numpy as np\ntorch.manual_seed(0)\nrandom.seed(0)\nnp.random.seed(0)"],
    "float64": ["torch.set_default_dtype(torch.float64)"],
    "no gradients": ["torch.set_grad_enabled(False)"],
    "torch's settings": [
        "torch.use_deterministic_algorithms(True)\ntorch.set_num_threads(1)\ntorch.set_printoptions(3)",
        "torch.set_float32_matmul_precision('high')",
        "torch.Tensor.__repr__ = lambda self, **_: f'a tensor of shape {tuple(self.shape)}'",
    ],
    "strictness": ["import numpy as np, warnings\nnp.seterr(all='raise')\nwarnings.simplefilter('error')"],
    "names of arguments": ["logits = targets = values = losses = x = f = a = b = 3\nbeta = steps = generator = None"],
    "names of builtins": ["id = input = type = 3\nprint = lambda *words: None"],
}
# Likewise, and each stops with an error, which costs nothing.
FAULTY_CELLS = [
    "1 / 0",
    "def broken(:\n    pass",
    "for epoch in range(3):",
    "raise NotImplementedError()",
    "from google.colab import drive\ndrive.mount('/content/drive')",
    "name = input('Your name? ')",
    "import sys\nsys.exit()",
    "exit()",
    "breakpoint()",
    "import urllib.request\nurllib.request.urlopen('https://example.com', timeout=1)",
    "%load_ext nb_black",
    "%no_such_magic",
]


@pytest.mark.parametrize("name", OWN_CELLS)
def test_cells_of_the_learners_own(graded, name):
    made = notebooks()
    for one in made.values():
        add(one, after_imports(one), *OWN_CELLS[name])
    full_points(graded(handed_in(made)))


def test_cells_of_the_learners_own_that_fail(graded):
    made = notebooks()
    for one in made.values():
        add(one, after_imports(one), *FAULTY_CELLS)
    full_points(graded(handed_in(made)), faulty=True)


def test_a_cell_that_was_stopped_by_hand(graded):
    made = notebooks()
    add(made["week0_warm_up"], after_imports(made["week0_warm_up"]), "while True:\n    pass")
    full_points(graded(handed_in(made), Patience(cell=0.5)), faulty=True)


def test_a_cell_that_restarts_the_kernel(graded):
    """A habit from Colab, after an installation: nothing that an answer leans on is lost with it."""
    made = notebooks()
    add(made["week0_warm_up"], after_imports(made["week0_warm_up"]), "import os\nos.kill(os.getpid(), 9)")
    full_points(graded(handed_in(made)), faulty=True)


# What a learner leaves in the cell of an answer: {0} is the answer, {1} its name.
IN_THE_ANSWER = (
    "import math\nimport torch\nimport numpy as np\nfrom torch import nn\n\n{0}",
    "%%time\n{0}",
    "%%capture\n{0}",
    "{0}\n\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.title('a plot')\nplt.show()",
    "!ls\n{0}\n%timeit -n 1 -r 1 pass",
    "%matplotlib inline\n{0}",
    "{0}\n\ntry:\n    {1}()\nexcept Exception as error:\n    print(error)",
    "{0}\n\nif __name__ == '__main__':\n    print({1})",
    "{0}\n\ncheck('week', {1})",
    "import asyncio\n{0}\nawait asyncio.sleep(0)",
    "{0}\n\ndisplay({1})\n{1}",
    "def {1}(*args):\n    raise NotImplementedError()\n\n\n{0}",
    "# YOUR CODE HERE\n# was: raise NotImplementedError()\n{0}\n    # done\n",
    "torch.manual_seed(0)\ntorch.set_default_dtype(torch.float64)\n{0}",
    "β = λ = 0.9\nif True:\n    pass\n{0}",
    "from __future__ import annotations\n{0}\n\nassert callable({1}), 'no function'",
    "{0}\n\n{1}_again = {1}\ndel {1}\n{1} = {1}_again",
)


@pytest.mark.parametrize("shift", range(0, len(IN_THE_ANSWER), 5))
def test_what_stands_beside_an_answer(graded, shift):
    """Each answer has another of these beside it."""
    made, left = notebooks(), itertools.cycle(IN_THE_ANSWER[shift:] + IN_THE_ANSWER[:shift])
    for cell in [cell for one in made.values() for cell in answers_of(one)]:
        cell.source = next(left).format(cell.source, name_of(cell))
    full_points(graded(handed_in(made)))


def test_an_error_after_an_answer_in_its_cell(graded):
    """The answer stands before it: all points, and the error is told."""
    made = notebooks()
    for cell in [cell for one in made.values() for cell in answers_of(one)]:
        cell.source += "\n\n1 / 0"
    result = graded(handed_in(made))
    assert {verdict["score"] for verdict in verdicts(result).values()} == {1.0}
    told = [cell for book in result["notebooks"].values() for cell in book["cells"]]
    assert {cell["id"] for cell in told} == set(map(cell_id, SEEDS))


def test_a_compiled_answer(graded):
    made = notebooks()
    cell = made["week0_warm_up"].cells[foreign.place(made["week0_warm_up"], "week0-practice")]
    cell.source = "@torch.compile\n" + cell.source
    full_points(graded(handed_in(made)))


PACKAGE = "import seaborn as sns\n"


def test_a_package_that_is_not_here(graded):
    """It is there on Colab; what else its cell imports or defines is not lost with it."""
    made = notebooks()
    for one in made.values():
        for number, upper, lower in list(foreign.halves(one))[::-1]:
            one.cells[number].source = PACKAGE + lower
            add(one, number, PACKAGE + upper)
        imports_of(one).source = PACKAGE + imports_of(one).source
    result = graded(handed_in(made))
    assert {key: verdict["told"] for key, verdict in verdicts(result).items() if verdict["score"] < 1} == {}


NOISE = """
    import warnings
    from tqdm.auto import tqdm
    from IPython.display import display
    import matplotlib.pyplot as plt
    print("called with", args)
    warnings.warn("careful")
    display(args)
    plt.plot([1, 2])
    for _ in tqdm(range(2), desc="working"):
        pass
    return kept(*args)"""


def test_answers_that_print_warn_plot_and_show_bars(graded):
    made = notebooks()
    for cell in [cell for one in made.values() for cell in answers_of(one)]:
        name = name_of(cell)
        cell.source += f"\n\n\ndef {name}(*args, kept={name}):{NOISE}"
    full_points(graded(handed_in(made)))


CHANGES = []


def change(function):
    CHANGES.append(function)
    return function


@change
def predicted(made):
    for cell in made.cells:
        cell.source = cell.source.replace("my_prediction = None", "my_prediction = 3.0")
        cell.source = cell.source.replace('learner=""', 'learner="Ada"').replace('"A": None', '"A": "base"')


@change
def predicted_and_stripped_to_nothing_but_text(made):
    """An edited cell without a name counts as the learner's own, and runs: the quickest lesson is enough here."""
    if any(cell.id == "week0-practice" for cell in made.cells):
        predicted(made)
        foreign.strip(made)


@change
def lesson_cells_broken(made):
    for cell in made.cells:
        if cell.cell_type == "code" and not foreign.is_answer(cell) and not foreign.is_check(cell):
            if cell is not imports_of(made) and cell.get("id") != "setup":
                cell.source = "oops(\n" + cell.source


@change
def import_cell_deleted(made):
    made.cells.remove(imports_of(made))


@change
def import_cell_extended(made):
    imports_of(made).source += "\nimport numpy as np\nimport matplotlib.pyplot as plt\n%matplotlib inline"


@change
def import_cell_begun_with_a_magic(made):
    imports_of(made).source = "%matplotlib inline\n" + imports_of(made).source


@change
def import_cell_made_text(made):
    imports_of(made).cell_type = "markdown"


@change
def lesson_cells_deleted(made):
    made.cells = [cell for cell in made.cells if foreign.is_answer(cell) or foreign.is_check(cell)]


@change
def all_but_the_answers_deleted(made):
    made.cells = answers_of(made)


@change
def texts_deleted(made):
    made.cells = [cell for cell in made.cells if cell.cell_type == "code"]


@change
def checks_deleted(made):
    made.cells = [cell for cell in made.cells if not foreign.is_check(cell)]


@change
def checks_run_again(made):
    for check in [cell for cell in made.cells if foreign.is_check(cell)]:
        place = made.cells.index(check)
        add(made, place + 1, check.source, check.source)
        add(made, place, check.source)


@change
def checks_copied(made):
    """With all their metadata."""
    for check in [cell for cell in made.cells if foreign.is_check(cell)]:
        copied = nbformat.from_dict({**check, "id": f"copy-of-{check.id}"[:64]})
        made.cells.insert(made.cells.index(check), copied)


@change
def checks_edited(made):
    for check in [cell for cell in made.cells if foreign.is_check(cell)]:
        check.source = f"print('Now:')\n{check.source}  # passes\n1 / 0"


@change
def answers_made_text(made):
    """By a slip of the keyboard: m makes Markdown of a cell, r raw text."""
    for number, cell in enumerate(answers_of(made)):
        cell.cell_type = ("markdown", "raw")[number % 2]


@change
def helpers_after_the_imports(made):
    halves = list(foreign.halves(made))
    for number, _, lower in halves:
        made.cells[number].source = lower
    add(made, after_imports(made), *(upper for _, upper, _ in halves))


@change
def helpers_right_before_the_answers(made):
    for number, upper, lower in list(foreign.halves(made))[::-1]:
        made.cells[number].source = lower
        add(made, number, upper)


@change
def helpers_between_answer_and_check(made):
    for number, upper, lower in list(foreign.halves(made))[::-1]:
        made.cells[number].source = lower
        add(made, number + 1, upper)


@change
def answered_again_below(made):
    for answer in answers_of(made):
        place, right = made.cells.index(answer), answer.source
        answer.source = f"def {answer.id.partition('-')[2]}(*args):\n    return None"
        add(made, place + 1, right)


@change
def answered_in_a_cell_of_ones_own(made):
    """The cell for it is left as it was handed out."""
    for answer in answers_of(made):
        place, right = made.cells.index(answer), answer.source
        answer.source = right.partition("\n")[0] + "\n    # YOUR CODE HERE\n    raise NotImplementedError()"
        add(made, place + 1, right)


@change
def answer_cells_deleted_and_typed_anew(made):
    for answer in answers_of(made):
        place, right = made.cells.index(answer), answer.source
        made.cells.remove(answer)
        add(made, place, right)


@change
def answer_copied_above_as_a_backup(made):
    """With all its metadata; it holds an older try."""
    for answer in answers_of(made):
        older = f"def {answer.id.partition('-')[2]}(*args):\n    return None"
        copied = nbformat.from_dict({**answer, "source": older, "id": f"copy-of-{answer.id}"[:64]})
        made.cells.insert(made.cells.index(answer), copied)


@change
def names_used_up_after_their_checks(made):
    for check in [cell for cell in made.cells if foreign.is_check(cell)]:
        name = check.source.partition(", ")[2].rstrip(")\n")
        if name != "log_softmax":  # a later answer calls it
            add(made, made.cells.index(check) + 1, f"{name} = 3.0")


@change
def answers_compared_with_torch(made):
    for check in [cell for cell in made.cells if foreign.is_check(cell)]:
        add(made, made.cells.index(check) + 1, "print(torch.log_softmax(torch.randn(3, 4), -1), 'cross_entropy')")


@change
def scratch_before_the_answers(made):
    for answer in answers_of(made):
        scratch = "print(torch.nn.functional.cross_entropy(torch.randn(3, 4), torch.tensor([0, 1, 2])))"
        add(made, made.cells.index(answer), scratch)


@change
def plots_of_what_the_lesson_computed(made):
    if any(cell.source.startswith("steps = ") for cell in made.cells):
        add(made, foreign.place(made, "week1-loss_floor"), "import matplotlib.pyplot as plt\nplt.plot(steps, losses)")


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_however_the_notebook_was_changed(graded, change):
    made = notebooks()
    for one in made.values():
        change(one)
    full_points(graded(handed_in(made)), faulty=change in (lesson_cells_broken, checks_edited))


def test_a_half_finished_notebook(graded):
    """What is answered counts; the rest says that it is not answered."""
    made = notebooks({key: text for number, (key, text) in enumerate(references().items()) if number % 2 == 1})
    done = {cell.id for one in made.values() for cell in answers_of(one) if "NotImplementedError" not in cell.source}
    result = graded(handed_in(made))
    assert len(done) == 8
    for key, verdict in verdicts(result).items():
        expected = (1.0, "right") if cell_id(key) in done else (0.0, "blank")
        assert (verdict["score"], verdict["status"]) == expected, key
    assert result["flags"] == []


def test_a_flag_names_what_the_exercise_bans(graded):
    """An answer that was compared with the library in its own cell: a human looks, and sees what to look at."""
    made = notebooks()
    for cell in answers_of(made["week1_a_loss"]):
        cell.source += "\n\nprint(torch.log_softmax(torch.ones(2), -1), torch.sin(torch.ones(2)))"
    result = graded(handed_in(made))
    assert [flag.partition(",")[0] for flag in result["flags"]] == ["week1.log_softmax: its cell names log_softmax"]


def test_words_accuse_nobody(graded):
    """The name of an operator in a title, a key or a print is no call of it."""
    made = notebooks()
    for cell in answers_of(made["week1_a_loss"]):
        cell.source += "\n\nprint('log_softmax', 'cross_entropy', {'nll_loss': 1}, 'logsumexp')"
    full_points(graded(handed_in(made)))
