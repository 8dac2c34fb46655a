"""Which cells an answer leans on, told from names: the rest of a lesson, its demos above all, need not run to grade it.

A cell that the learner left alone, or edited only, runs if a name that it defines is used by an answer or by a cell
that runs. What a learner added runs always.
"""

import ast
import functools
import re
import symtable


def to_grade(cells) -> list[bool]:
    """For each (source, role) of a notebook's code cells, whether grading has to run it; checks are not run."""
    always = [role in ("answer", "own") for _, role in cells]
    return _closure(cells, always)


def for_answer(cells, name: str) -> list[bool]:
    """Likewise, where only the answer that defines `name` is wanted."""
    return _closure(cells, [False] * len(cells), {name})


def _closure(cells, chosen, wanted=frozenset()):
    chosen, wanted = list(chosen), set(wanted)
    of_cells = [_names(source) if role != "check" else (frozenset(), frozenset()) for source, role in cells]
    for (_, uses), taken in zip(of_cells, chosen, strict=True):
        wanted |= uses if taken else set()
    grown = True
    while grown:
        grown = False
        for number, (defined, uses) in enumerate(of_cells):
            if not chosen[number] and cells[number][1] != "check" and (defined is None or defined & wanted):
                chosen[number] = grown = True
                wanted |= uses
    return chosen


@functools.lru_cache(maxsize=512)
def _names(code):
    """(names that a cell defines, names that it uses); (None, nothing) for what is no Python, magics apart."""
    for text in (code, _without_magics(code)):
        try:
            top = symtable.symtable(text, "cell", "exec")
            break
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    else:
        return None, frozenset()
    if "import *" in code:
        return None, frozenset()  # it may define anything
    tables = [top]
    for table in tables:
        tables += table.get_children()
    defined = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
    symbols = [(table, symbol) for table in tables for symbol in table.get_symbols()]
    uses = {s.get_name() for table, s in symbols if (s.is_referenced() if table is top else s.is_global())}
    if text != code and not defined:
        return None, frozenset(uses)  # a magic alone is there for what it does
    return frozenset(defined), frozenset(uses | _added_to(text))


def _added_to(code):
    """Names that a cell changes by +=, which the table of symbols takes for plain assignments."""
    changed = (node.target for node in ast.walk(ast.parse(code)) if isinstance(node, ast.AugAssign))
    return {target.id for target in changed if isinstance(target, ast.Name)}


def without_package(code, message):
    """The cell without its imports of what a ModuleNotFoundError names; None where it has none."""
    missing = re.fullmatch(r"No module named '([\w.]+)'", message)
    try:
        body = ast.parse(_without_magics(code)).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    lines, found = code.split("\n"), False
    for node in body:
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else names
        if missing and any(f"{name}.".startswith(f"{missing[1]}.") for name in names):
            lines[node.lineno - 1 : node.end_lineno] = ["pass"] + [""] * (node.end_lineno - node.lineno)
            found = True
    return "\n".join(lines) if found else None


def _without_magics(code):
    """The cell without lines that only IPython understands; a cell magic claims the whole of it."""
    return "\n".join("pass" if line.lstrip()[:1] in ("%", "!", "?") else line for line in code.split("\n"))
