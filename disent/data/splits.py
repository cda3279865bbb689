# SPDX-License-Identifier: Apache-2.0
"""Held-out combinations of factors, by a condition such as "12 <= pos_x < 20", or by name."""

import ast
import difflib
import operator
from collections.abc import Mapping

import torch
from jaxtyping import Bool
from torch import Tensor

from disent.data.base import FactorDataset, PictureDataset
from disent.data.named_splits import is_name, named_split
from disent.grid import FactorGrid

ARITHMETIC = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
COMPARISONS = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
LARGEST = 2**31  # a product of two numbers up to here cannot overflow int64
LANGUAGE = (
    "A condition is made of factor names, whole numbers, + - * // %, comparisons, in and not in "
    "tuples or lists, and, or, not."
)


def held_out(grid: FactorGrid, predicate: str) -> Bool[Tensor, "n"]:
    """Which points of the grid a condition on the factors' values holds out, by flat index.

    Values are counted from 0. With the 32 positions of dSprites, training goes without the middle
    of pos_x by "12 <= pos_x < 20", and without its right end by "pos_x >= 24". Conditions combine:
    "shape == 2 and pos_x > 15", "not (shape == 0 or scale % 2 == 1)", "orientation in (0, 1, 2)".
    The text is parsed and never executed; every part of it is worked out at every point, so that
    `and` does not shield a division by zero on its right.

    Splits of the field have names, "montero:recombination_to_range" or "schott:extrapolation":
    disent.data.named_splits.named_split says which and what they hold out.

    Args:
        grid: The factors and their values.
        predicate: The condition, in Python's notation, or the name of a split.
    Raises:
        ValueError: The text is no condition on these factors, or holds out nothing or everything;
            or there is no split of that name.
    Example:
        >>> held_out(FactorGrid(("shape", "scale"), (2, 3)), "shape == 1 and scale < 2").tolist()
        [False, False, False, True, True, False]
    """
    if is_name(predicate):
        found = named_split(grid, predicate)
        if not isinstance(found, str):
            return found
        predicate = found
    # one axis per factor; whatever combines two factors broadcasts to the grid
    values = {
        name: torch.arange(size).view([-1 if k == axis else 1 for k in range(len(grid.sizes))])
        for axis, (name, size) in enumerate(zip(grid.names, grid.sizes, strict=True))
    }
    ends = {name: (0, size - 1) for name, size in zip(grid.names, grid.sizes, strict=True)}
    return _mask(values, grid.sizes, ends, predicate)


def _mask(
    values: Mapping[str, Tensor],
    shape: tuple[int, ...],
    ends: Mapping[str, tuple[int, int]],
    predicate: str,
) -> Bool[Tensor, "n"]:
    """Where a condition on named values holds, with one row for each place of `shape`."""
    text = " ".join(predicate.split())  # a YAML block brings line ends
    try:
        holds = _Condition(values, text).condition(_parse(text))
    except RecursionError:
        raise ValueError(
            f"{_short(text)} is nested too deeply. Write a flatter condition."
        ) from None
    mask = holds.expand(shape).reshape(-1)
    if not mask.any() or mask.all():
        what = "everything: no picture is left to train on" if mask.all() else "nothing"
        sizes = ", ".join(f"{name} {low}..{high}" for name, (low, high) in ends.items())
        raise ValueError(
            f"{_short(text)} holds out {what}. The values run: {sizes}. "
            "Change the condition, or leave it away to train on the whole grid."
        )
    return mask


def _parse(text: str) -> ast.expr:
    try:
        return ast.parse(text, mode="eval").body
    except SyntaxError as error:
        # an unexpected end is reported at the start of a line that is not there
        place = error.offset - 1 if error.offset and error.lineno == 1 else len(text)
        raise _complaint(text, place, error.msg) from None
    except (ValueError, MemoryError) as error:  # null characters; too many brackets
        raise ValueError(f"{_short(text)} cannot be read: {error}. {LANGUAGE}") from None


def _complaint(text: str, column: int, why: str) -> ValueError:
    return ValueError(
        f"held_out cannot be read: {why}\n    {text}\n    {' ' * column}^\n{LANGUAGE}"
    )


def _short(text: str) -> str:
    return f'held_out "{text if len(text) <= 200 else text[:200] + " ..."}"'


def held_out_pictures(dataset: PictureDataset, predicate: str) -> Bool[Tensor, "n"]:
    """Which pictures of a dataset a condition holds out, by its factors, or its labels and marks.

    A missing label is -1. Errors and language as of `held_out`.
    """
    if isinstance(dataset, FactorDataset):
        return held_out(dataset.grid, predicate)
    if is_name(predicate):
        raise ValueError(
            f'held_out "{predicate}": the splits with a name are of whole grids of factors, but '
            f"{type(dataset).__name__} is none. Say a condition on its labels."
        )
    table, values = dataset.factors(torch.arange(len(dataset))), dataset.marks()
    if table is not None:
        values = dict(zip(dataset.names, table.T, strict=True)) | values
    if not values:
        raise ValueError(
            f"held_out is a condition on factors or labels, but {type(dataset).__name__} has none."
        )
    ends = {name: (int(column.min()), int(column.max())) for name, column in values.items()}
    return _mask(values, (len(dataset),), ends, predicate)


class _Condition:
    """Works out the nodes of one parsed condition at every point of a grid at once.

    Numbers and conditions are kept apart, so that no truth value of a number is ever guessed.
    """

    def __init__(self, values: Mapping[str, Tensor], text: str) -> None:
        self.text, self.values = text, values

    def condition(self, node: ast.expr) -> Tensor:
        """The node's truth at every point: bool, broadcastable to the grid."""
        match node:
            case ast.BoolOp(op=op, values=nodes):
                join = torch.logical_and if isinstance(op, ast.And) else torch.logical_or
                result = self.condition(nodes[0])
                for other in nodes[1:]:
                    result = join(result, self.condition(other))
                return result
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return ~self.condition(operand)
            case ast.Compare(left=left, ops=ops, comparators=comparators):
                result = torch.tensor(True)
                for op, right in zip(ops, comparators, strict=True):
                    result = result & self.comparison(op, left, right)
                    left = right
                return result
        raise self.error(node, "a condition is wanted here, such as pos_x > 3")

    def comparison(self, op: ast.cmpop, left: ast.expr, right: ast.expr) -> Tensor:
        """One link of a chain of comparisons."""
        if type(op) in COMPARISONS:
            return COMPARISONS[type(op)](self.number(left), self.number(right))
        if not isinstance(op, ast.In | ast.NotIn):
            raise self.error(right, "`is` does not compare numbers: write == or !=")
        if not isinstance(right, ast.Tuple | ast.List):
            raise self.error(right, "`in` wants a tuple or a list here, such as (0, 1) or (0,)")
        value, result = self.number(left), torch.tensor(False)
        for item in right.elts:
            result = result | (value == self.number(item))
        return ~result if isinstance(op, ast.NotIn) else result

    def number(self, node: ast.expr) -> Tensor:
        """The node's value at every point: int64, broadcastable to the grid."""
        match node:
            case ast.Name(id=name):
                return self.factor(node, name)
            case ast.Constant(value=value) if type(value) is int:
                if abs(value) > LARGEST:
                    raise self.error(node, f"numbers beyond {LARGEST:,} are not understood")
                return torch.tensor(value)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self.number(operand)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in ARITHMETIC:
                return self.arithmetic(node, op, self.number(left), self.number(right))
        raise self.error(node, "a factor or a whole number is wanted here")

    def arithmetic(self, node: ast.expr, op: ast.operator, left: Tensor, right: Tensor) -> Tensor:
        """left op right, refused where int64 would not give Python's answer."""
        if isinstance(op, ast.FloorDiv | ast.Mod) and bool((right == 0).any()):
            raise self.error(node, "this divides by zero at some point of the grid")
        result = ARITHMETIC[type(op)](left, right)
        if int(result.abs().max()) > LARGEST:
            raise self.error(node, f"this goes beyond {LARGEST:,}, which is not understood")
        return result

    def factor(self, node: ast.expr, name: str) -> Tensor:
        """The values of the factor called `name`."""
        if name not in self.values:
            near = difflib.get_close_matches(name, self.values, n=3, cutoff=0.5)
            guess = f"Did you mean {' or '.join(near)}? " if near else ""
            raise self.error(
                node, f"no factor is named {name}. {guess}The factors: {', '.join(self.values)}"
            )
        return self.values[name]

    def error(self, node: ast.expr, why: str) -> ValueError:
        """A complaint that points at `node`."""
        # ast counts bytes of UTF-8
        return _complaint(self.text, len(self.text.encode()[: node.col_offset].decode()), why)
