"""Made-up learners: their names, their habits, and what these make of a set of exercises."""

import ast
import inspect
import random
import textwrap
from dataclasses import dataclass

SEED = 2026
_GIVEN = "Amara Bela Chidi Dara Emil Farah Goran Hana Ivo Jun Kemal Lena Mina Noor Ola Priya".split()
_FAMILY = "Adler Brandt Costa Duarte Eriksen Fiala Grau Hoang Ito Joshi Keller Lund Mbeki Novak Okoye Petit".split()


@dataclass(frozen=True)
class Task:
    """An exercise as a made-up learner sees it; `wrong` are its misconceptions written out as cells."""

    name: str
    right: str
    wrong: tuple[str, ...]


def _right(tasks, rng):
    return [task.right for task in tasks]


def _noisy(tasks, rng):
    """Right, with a print and a warning in every call: neither may cost a point."""
    body = 'print("called")\n    __import__("warnings").warn("deprecated")\n    return kept(*args)'
    return [_wrapped(task, body) for task in tasks]


def _mistaken(number):
    def answers(tasks, rng):
        return [task.wrong[number % len(task.wrong)] if task.wrong else task.right for task in tasks]

    answers.__doc__ = f"Misconception {number + 1} of each exercise."
    return answers


def _hurried(tasks, rng):
    """The first half, then the bus came."""
    return [task.right if 2 * number < len(tasks) else None for number, task in enumerate(tasks)]


def _absent(tasks, rng):
    """The release, handed in as it is."""
    return [None] * len(tasks)


def _stumbling(tasks, rng):
    """A syntax error in one exercise, the rest right."""
    slip = rng.randrange(len(tasks))
    return [task.right.replace("):", ")", 1) if n == slip else task.right for n, task in enumerate(tasks)]


def _raising(tasks, rng):
    """A third of the answers raise."""
    return [_wrapped(task, "return undefined_name") if n % 3 == 0 else task.right for n, task in enumerate(tasks)]


def _forgetful(tasks, rng):
    """A return is missing here and there."""
    return [_wrapped(task, "kept(*args)") if n % 3 == 1 else task.right for n, task in enumerate(tasks)]


def _mixed(tasks, rng):
    """Some right, some mistaken, some blank."""
    return [rng.choice([task.right, task.right, rng.choice(task.wrong or (task.right,)), None]) for task in tasks]


HABITS = (_right, _noisy, _mistaken(0), _mixed, _hurried, _absent)
HABITS += (_stumbling, _mistaken(1), _raising, _forgetful, _mistaken(2), _mixed)


def students(n: int) -> list[str]:
    """The names of the class; the first twelve are the same in a class of twenty."""
    names = [f"{given}-{family}".lower() for given in _GIVEN for family in _FAMILY]
    random.Random(SEED).shuffle(names)
    return names[:n]


def _wrapped(task, body):
    """The right answer behind a function that does something else with it, as `kept`."""
    name = task.name
    return f"{task.right.rstrip()}\n\n\ndef {name}(*args, kept={name}):\n    {body}"


def written_out(function, name: str) -> str | None:
    """A module's function as a cell that stands alone and calls it `name`; None where its source cannot be cut out."""
    parts = []
    if not _collect(function, parts, set()):
        return None
    if function.__name__ == "<lambda>":
        parts[-1] = f"{name} = {parts[-1]}"
    elif function.__name__ != name:
        parts.append(f"{name} = {function.__name__}")
    return "\n\n".join(parts)


def _collect(function, parts, seen):
    """Append the sources of all that a function leans on in its module, and last its own → whether that worked."""
    text = _text(function) if inspect.isfunction(function) and not function.__closure__ else None
    if text is None:
        return False
    codes = [function.__code__]
    for code in codes:
        codes += [const for const in code.co_consts if inspect.iscode(const)]
    for name in sorted({name for code in codes for name in code.co_names} & set(function.__globals__) - seen):
        value = function.__globals__[name]
        seen.add(name)
        if inspect.ismodule(value):
            parts.append(f"import {value.__name__} as {name}")
        elif getattr(value, "__module__", None) != function.__module__ and hasattr(value, "__qualname__"):
            parts.append(f"from {value.__module__} import {value.__qualname__} as {name}")
        elif inspect.isfunction(value):
            if not _collect(value, parts, seen):
                return False
        elif isinstance(value, int | float | str | tuple | bool):
            parts.append(f"{name} = {value!r}")
        else:
            return False
    parts.append(text)
    return True


def _text(function):
    """A function's source; of a lambda the expression alone, and None where two stand on one line."""
    if function.__name__ != "<lambda>":
        return textwrap.dedent(inspect.getsource(function)).rstrip()
    lines, _ = inspect.findsource(function)
    tree = ast.parse("".join(lines))
    here = [n for n in ast.walk(tree) if isinstance(n, ast.Lambda) and n.lineno == function.__code__.co_firstlineno]
    return "(" + ast.get_source_segment("".join(lines), here[0]) + ")" if len(here) == 1 else None
