"""Small mistakes made on purpose: variations of a reference solution's syntax tree, one change each.

A good set of cases takes points from every one of them that does not happen to mean the same.
"""

import ast
import copy
from collections.abc import Iterator

_OPERATORS = {
    ast.Add: [ast.Sub],
    ast.Sub: [ast.Add],
    ast.Mult: [ast.Div],
    ast.Div: [ast.Mult, ast.FloorDiv],
    ast.FloorDiv: [ast.Div],
    ast.Mod: [ast.FloorDiv],
    ast.Pow: [ast.Mult],
    ast.MatMult: [ast.Mult],
    ast.BitAnd: [ast.BitOr],
    ast.BitOr: [ast.BitAnd],
}
_COMPARISONS = {
    ast.Eq: [ast.NotEq],
    ast.NotEq: [ast.Eq],
    ast.Lt: [ast.LtE, ast.Gt],
    ast.LtE: [ast.Lt, ast.GtE],
    ast.Gt: [ast.GtE, ast.Lt],
    ast.GtE: [ast.Gt, ast.LtE],
    ast.Is: [ast.IsNot],
    ast.IsNot: [ast.Is],
    ast.In: [ast.NotIn],
    ast.NotIn: [ast.In],
}
_NAMES = {
    "mean": ["sum"],
    "sum": ["mean"],
    "max": ["min"],
    "min": ["max"],
    "amax": ["amin"],
    "amin": ["amax"],
    "argmax": ["argmin"],
    "argmin": ["argmax"],
    "any": ["all"],
    "all": ["any"],
    "log": ["log2", "exp"],
    "exp": ["expm1", "exp2"],
    "sqrt": ["square"],
}


def mutants(source: str, name: str) -> Iterator[tuple[str, str]]:
    """(description, source of the changed definition) for each single change of `name` in `source`."""
    original = _function(source, name)
    seen, lines = {ast.unparse(original)}, source.splitlines()
    for index, node in enumerate(ast.walk(original)):
        for number, (what, _) in enumerate(_changes(node)):
            tree = copy.deepcopy(original)
            target = next(n for i, n in enumerate(ast.walk(tree)) if i == index)
            _, change = list(_changes(target))[number]
            tree = _replace(tree, target, change())
            text = ast.unparse(ast.fix_missing_locations(tree))
            if text not in seen:
                seen.add(text)
                line = getattr(node, "lineno", original.lineno)
                where = "" if _self_evident(node) else f"   in `{lines[line - 1].strip()}`"
                yield f"line {line - original.lineno + 1}: {what}{where}", text


def _function(source, name):
    """The definition of a function or class, without its docstring."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            if ast.get_docstring(node) is not None:
                node.body = node.body[1:]
            return node
    raise ValueError(f"the reference does not define {name}")


def _replace(tree, target, new):
    class Swap(ast.NodeTransformer):
        def visit(self, node):
            return new if node is target else self.generic_visit(node)

    return Swap().visit(tree)


def _with(node, **fields):
    """A shallow copy of a node with some fields changed."""
    changed = copy.copy(node)
    for field, value in fields.items():
        setattr(changed, field, value)
    return changed


def _changes(node):
    """(description, function that makes the replacement) for each way to change this one node."""
    for kind, changes in _CHANGES.items():
        if isinstance(node, kind):
            yield from changes(node)


def _self_evident(node):
    return not isinstance(node, ast.Constant | ast.UnaryOp | ast.Slice | ast.Tuple)


def _show(node):
    text = ast.unparse(node)
    return text if len(text) <= 60 else text[:57] + "..."


def _binary(node):
    for other in _OPERATORS.get(type(node.op), ()):
        new = _with(node, op=other())
        yield f"{_show(node)} → {_show(new)}", lambda new=new: new
    if isinstance(node.op, ast.Sub | ast.Div | ast.Pow | ast.MatMult):
        new = _with(node, left=node.right, right=node.left)
        yield f"{_show(node)} → {_show(new)}", lambda: new


def _augmented(node):
    for other in _OPERATORS.get(type(node.op), ()):
        new = _with(node, op=other())
        yield f"{_show(node)} → {_show(new)}", lambda new=new: new


def _compare(node):
    for other in _COMPARISONS.get(type(node.ops[0]), ()):
        new = _with(node, ops=[other(), *node.ops[1:]])
        yield f"{_show(node)} → {_show(new)}", lambda new=new: new


def _boolean(node):
    other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    new = _with(node, op=other)
    yield f"{_show(node)} → {_show(new)}", lambda: new
    for value in node.values:
        yield f"{_show(node)} → {_show(value)}", lambda value=value: value


def _unary(node):
    if isinstance(node.op, ast.USub | ast.Not | ast.Invert):
        yield f"{_show(node)} → {_show(node.operand)}", lambda: node.operand


def _constant(node):
    value = node.value
    if isinstance(value, bool):
        new = [not value]
    elif isinstance(value, int):
        new = [value + 1, value - 1]
    elif isinstance(value, float):
        new = [value + 1.0, 0.0]
    else:
        new = []
    for other in new:
        if other != value:
            yield f"{value!r} → {other!r}", lambda other=other: ast.Constant(other)


def _call(node):
    if len(node.args) >= 2 and not any(isinstance(arg, ast.Starred) for arg in node.args):
        new = _with(node, args=[node.args[1], node.args[0], *node.args[2:]])
        yield f"{_show(node)} → {_show(new)}", lambda new=new: new
    for keyword in node.keywords:
        new = _with(node, keywords=[k for k in node.keywords if k is not keyword])
        yield f"{_show(node)} without {keyword.arg}=", lambda new=new: new
    if isinstance(node.func, ast.Attribute) and not isinstance(node.func.value, ast.Name):
        yield f"{_show(node)} without .{node.func.attr}()", lambda: node.func.value
    elif isinstance(node.func, ast.Attribute) and not node.args:
        yield f"{_show(node)} without .{node.func.attr}()", lambda: node.func.value
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    for other in _NAMES.get(name, ()):
        field = {"attr": other} if isinstance(node.func, ast.Attribute) else {"id": other}
        new = _with(node, func=_with(node.func, **field))
        yield f"{_show(node)} → {_show(new)}", lambda new=new: new


def _slice(node):
    for end in ("lower", "upper"):
        if getattr(node, end) is not None:
            yield f"[{_show(node)}] without its {end} end", lambda end=end: _with(node, **{end: None})


def _tuple(node):
    if len(node.elts) == 2 and isinstance(node.ctx, ast.Load):
        new = _with(node, elts=node.elts[::-1])
        yield f"{_show(node)} → {_show(new)}", lambda: new


def _list(node):
    for place in range(len(node.elts) - 1):
        first, second = node.elts[place : place + 2]
        swapped = [*node.elts[:place], second, first, *node.elts[place + 2 :]]
        yield f"{_show(first)} and {_show(second)} swapped", lambda swapped=swapped: _with(node, elts=swapped)


def _condition(node):
    for value in (True, False):
        yield f"if {_show(node.test)} → if {value}", lambda value=value: _with(node, test=ast.Constant(value))


def _comprehension(node):
    if node.ifs:
        yield f"without `if {_show(node.ifs[0])}`", lambda: _with(node, ifs=[])


def _deleted(node):
    yield f"without `{_show(node)}`", lambda: ast.Pass()


_CHANGES = {
    ast.BinOp: _binary,
    ast.AugAssign: _augmented,
    ast.Compare: _compare,
    ast.BoolOp: _boolean,
    ast.UnaryOp: _unary,
    ast.Constant: _constant,
    ast.Call: _call,
    ast.Slice: _slice,
    ast.Tuple: _tuple,
    ast.List: _list,
    ast.If | ast.IfExp: _condition,
    ast.comprehension: _comprehension,
    ast.Assign | ast.AugAssign | ast.Expr | ast.For: _deleted,
}
