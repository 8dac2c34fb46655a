"""An AST transformer turns each call of `check` into the number 100.0, after every textual look at the cell.

The text of the check cell is untouched, so a grader that only compares sources sees nothing. Here no verdict is taken
from the tree that the kernel runs.
"""

from tests.grading.attacks import Attack, answers

CELL = """
import ast

class FullPoints(ast.NodeTransformer):
    def visit_Call(self, node):
        named = isinstance(node.func, ast.Name) and node.func.id == "check"
        return ast.copy_location(ast.Constant(100.0), node) if named else self.generic_visit(node)

get_ipython().ast_transformers.insert(0, FullPoints())
"""
ATTACK = Attack(cells=answers(), extra=[(None, CELL)])
