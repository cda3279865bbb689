# SPDX-License-Identifier: Apache-2.0
"""Small faults in a source file, one at a time: what tests ought to notice."""

import ast
import copy
from collections.abc import Callable, Iterator
from typing import NamedTuple

SWAPS: dict[type, type] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.FloorDiv,
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip
NAMES = {"mean": "sum", "sum": "mean", "min": "max", "max": "min", "exp": "log", "log": "exp"}
NAMES |= {"minimum": "maximum", "maximum": "minimum", "var": "std", "std": "var"}


class Mutant(NamedTuple):
    """A source with one fault.

    Attributes:
        line: Where, in the source as it was.
        change: What, as "before -> after".
        source: The whole of it.
    """

    line: int
    change: str
    source: str


def mutants(source: str) -> list[Mutant]:
    """Every fault of the kinds above, numbers and signs among them, in the order of the file.

    Left alone are docstrings, annotations, what an error says, and imports.
    """
    tree = ast.parse(source)
    spared, found = _spared(tree), list[Mutant]()
    for number, node in enumerate(ast.walk(tree)):
        for change in () if number in spared else _changes(node):
            other = copy.deepcopy(tree)
            twin = next(n for i, n in enumerate(ast.walk(other)) if i == number)
            told = f"{ast.unparse(node)} -> {ast.unparse(change(twin))}"
            found.append(Mutant(getattr(node, "lineno", 0), told, ast.unparse(other)))
    return sorted(found, key=lambda mutant: mutant.line)


def _changes(node: ast.AST) -> Iterator[Callable[[ast.AST], ast.AST]]:
    """Ways to change a node in place; each returns what it has become."""
    if isinstance(node, ast.BinOp | ast.AugAssign | ast.BoolOp) and type(node.op) in SWAPS:
        yield _swap_operator
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPS:
        yield _swap_comparison
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not):
        yield _drop_sign
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float, bool):
        yield _shift
    elif (isinstance(node, ast.Attribute) and node.attr in NAMES) or (
        isinstance(node, ast.Name) and node.id in NAMES
    ):
        yield _rename


def _swap_operator(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.BinOp | ast.AugAssign | ast.BoolOp)
    node.op = SWAPS[type(node.op)]()
    return node


def _swap_comparison(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.Compare)
    node.ops[0] = SWAPS[type(node.ops[0])]()
    return node


def _drop_sign(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.UnaryOp)
    node.op = ast.UAdd() if isinstance(node.op, ast.USub) else ast.Not()
    if isinstance(node.op, ast.Not):  # not not x: as if the sign were not there
        node.operand = ast.UnaryOp(ast.Not(), node.operand)
    return node


def _shift(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.Constant)
    value = node.value
    assert isinstance(value, int | float)
    node.value = not value if isinstance(value, bool) else value + 1
    return node


def _rename(node: ast.AST) -> ast.AST:
    if isinstance(node, ast.Attribute):
        node.attr = NAMES[node.attr]
    elif isinstance(node, ast.Name):
        node.id = NAMES[node.id]
    return node


def _spared(tree: ast.AST) -> set[int]:
    """Numbers of the nodes that are only said, not computed with."""
    spoken: set[int] = set()
    for node in ast.walk(tree):
        inside: list[ast.AST | None] = []
        if isinstance(node, ast.Raise | ast.Import | ast.ImportFrom | ast.JoinedStr):
            inside = [node]
        elif isinstance(node, ast.AnnAssign | ast.arg):
            inside = [node.annotation]
        elif isinstance(node, ast.FunctionDef):
            inside = [node.returns, *node.decorator_list]
        spoken |= {id(part) for each in inside if each is not None for part in ast.walk(each)}
    return {number for number, node in enumerate(ast.walk(tree)) if id(node) in spoken}
