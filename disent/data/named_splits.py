# SPDX-License-Identifier: Apache-2.0
"""The field's held-out combinations by name, such as "montero:recombination_to_range"."""

import difflib
import re

import torch
from jaxtyping import Bool

from disent.grid import FactorGrid
from disent.streams import Stream

NAMES = (
    "montero:interpolation",
    "montero:recombination_to_element",
    "montero:recombination_to_range",
    "montero:extrapolation",
    "schott:random",
    "schott:composition",
    "schott:interpolation",
    "schott:extrapolation",
)
FORM = re.compile(r"[\w -]*:[\w -]*")
DSPRITES = (("shape", 3), ("scale", 6), ("orientation", 40), ("pos_x", 32), ("pos_y", 32))
SHAPES3D = (
    *(("floor_hue", 10), ("wall_hue", 10), ("object_hue", 10)),
    *(("scale", 8), ("shape", 4), ("orientation", 15)),
)
PUBLISHED = {  # in values counted from 0; see `named_split`
    (DSPRITES, "montero:recombination_to_element"): "shape == 1 and scale >= 2 and "
    "14 <= orientation <= 25 and pos_x >= 21 and pos_y >= 21",
    (DSPRITES, "montero:recombination_to_range"): "shape == 0 and pos_x >= 16",
    (DSPRITES, "montero:extrapolation"): "pos_x >= 16",
    (SHAPES3D, "montero:recombination_to_element"): "floor_hue >= 8 and wall_hue >= 8 and "
    "object_hue >= 8 and scale >= 5 and shape == 1 and orientation >= 12",
    (SHAPES3D, "montero:recombination_to_range"): "shape == 3 and object_hue >= 5",
    (SHAPES3D, "montero:extrapolation"): "floor_hue >= 5",
}
TRAINED = 0.3  # share of the grid that is trained on in the splits of Schott et al.
SEED = 0  # of schott:random
# a factor with one of these words in its name has kinds as values, which nothing lies between
KINDS = {"shape", "category", "instance", "model", "type", "label", "pixel"}


def is_name(text: str) -> bool:
    """Whether a text is meant as a name: two words about a colon, or the second alone."""
    text = text.strip()
    return bool(FORM.fullmatch(text)) or text in {name.split(":")[1] for name in NAMES}


def named_split(grid: FactorGrid, name: str) -> str | Bool[torch.Tensor, "n"]:
    """What a split holds out: a condition on the factors' values, or for schott:random the points.

    The splits of Montero et al. are those of their published code on dSprites and 3D Shapes, and on
    grids with the same factors:

        montero:recombination_to_element    one corner of the grid: on dSprites ellipses of scale
                                            above 0.6, between 120 and 240 degrees, with both
                                            positions above 0.66; on 3D Shapes cylinders of hues of
                                            at least 0.8, scale 1.1, turned by more than 20 degrees
        montero:recombination_to_range      a value of one factor with a range of another: squares
                                            in the right half; capsules of object hue >= 0.5
        montero:extrapolation               a range of one factor: the right half; floor hue >= 0.5

    Other papers quote other bounds of the corner. Their paper shows interpolation without training
    on it; for it, and on grids of other factors, general rules stand in: of every factor with at
    least two values,

        montero:interpolation               every factor in its middle third
        montero:recombination_to_element    every factor in its last third
        montero:recombination_to_range      value 0 of the factor with fewest values, with the upper
                                            half of the one with most
        montero:extrapolation               the upper half of the factor with most values

    where the middle third is of the values from n // 3 to n - n // 3 - 1, if there are at least
    three, the last third begins at n - n // 3, or is the last value, and the first factor of as
    many values counts.

    The splits of Schott et al. train on about 30 % of the grid and hold out the rest. Which points
    theirs are is known from their files alone; these follow the same ideas by rules of their own:

        schott:random           points drawn with seed 0
        schott:composition      every value is trained on, its combinations are not: factors are
                                cut into thirds, and combinations are trained on whose thirds add up
                                to a multiple of 3: a third of the grid, not 30 %
        schott:interpolation    of every graded factor, values between those that are trained on,
                                which are evenly spread and hold both ends
        schott:extrapolation    of every graded factor, the values above those that are trained on

    Factors are graded that have at least three values and are no kinds, such as shape. As many
    values of each are trained on as bring the share of all nearest to 30 %.

    Raises:
        ValueError: There is no such split, or not of this grid.
    References:
        Montero et al. (2021), "The role of Disentanglement in Generalisation",
        https://openreview.net/forum?id=qbH974jKUVy; https://github.com/mmrl/disent-and-gen.
        Schott et al. (2022), "Visual Representation Learning Does Not Generalize Strongly Within
        the Same Domain", https://arxiv.org/abs/2107.08221; files:
        https://github.com/bethgelab/InDomainGeneralizationBenchmark.
    Example:
        >>> grid = FactorGrid(("shape", "pos_x"), (3, 10))
        >>> named_split(grid, "montero:recombination_to_range")
        'shape == 0 and pos_x >= 5'
        >>> named_split(grid, "schott:extrapolation")
        'pos_x >= 3'
    """
    name = " ".join(name.split())
    if name not in NAMES:
        near = difflib.get_close_matches(name, NAMES, n=1)
        guess = f"Did you mean {near[0]}? " if near else ""
        raise ValueError(
            f'held_out "{name}" is no split. {guess}The splits: {", ".join(NAMES)}; or say a '
            'condition, such as "12 <= pos_x < 20".'
        )
    if name == "schott:random":
        order = Stream(SEED, name).permutation(0, len(grid))
        mask = torch.ones(len(grid), dtype=torch.bool)
        mask[order[: round(TRAINED * len(grid))]] = False
        return mask
    factors = tuple(zip(grid.names, grid.sizes, strict=True))
    found = PUBLISHED.get((factors, name)) or RULES[name](
        [(factor, size) for factor, size in factors if size > 1]
    )
    if not found:
        sizes = ", ".join(f"{factor} {size}" for factor, size in factors)
        raise ValueError(
            f"{name} does not exist of a grid of {sizes}: it takes factors of more values, or more "
            "of them. Say a condition instead."
        )
    return found


Factors = list[tuple[str, int]]


def _middle(factors: Factors) -> str:
    return " and ".join(f"{n // 3} <= {f} < {n - n // 3}" for f, n in factors if n > 2)


def _corner(factors: Factors) -> str:
    return " and ".join(f"{f} >= {n - max(n // 3, 1)}" for f, n in factors)


def _upper_half(factors: Factors) -> str:
    if not factors:
        return ""
    factor, size = max(factors, key=lambda each: each[1])
    return f"{factor} >= {(size + 1) // 2}"


def _with_range(factors: Factors) -> str:
    if len(factors) < 2:
        return ""
    first = min(factors, key=lambda each: each[1])
    return f"{first[0]} == 0 and {_upper_half([each for each in factors if each != first])}"


def _thirds(factors: Factors) -> str:
    if len(factors) < 2 or max(n for _, n in factors) < 3:
        return ""
    return f"({' + '.join(f'{f} * 3 // {n}' for f, n in factors)}) % 3 != 0"


def _above(factors: Factors) -> str:
    return " or ".join(f"{f} >= {kept}" for f, _, kept in _graded(factors, least=1))


def _between(factors: Factors) -> str:
    parts = []
    for factor, size, kept in _graded(factors, least=2):
        values = [round(i * (size - 1) / (kept - 1)) for i in range(kept)]
        parts.append(f"{factor} not in ({', '.join(map(str, values))})")
    return " or ".join(parts)


def _graded(factors: Factors, least: int) -> list[tuple[str, int, int]]:
    """Graded factors, their sizes, and how many values of each are trained on.

    The same share of the values of each, the one whose product over factors is nearest to TRAINED.
    """
    graded = [(f, n) for f, n in factors if n > 2 and not KINDS & set(f.split("_"))]

    def kept(share: float) -> list[int]:
        return [min(max(round(share * n), least), n - 1) for _, n in graded]

    def away(share: float) -> float:
        product = 1.0
        for (_, n), k in zip(graded, kept(share), strict=True):
            product *= k / n
        return abs(product - TRAINED)

    best = min((step / 1000 for step in range(1, 1000)), key=away)
    return [(f, n, k) for (f, n), k in zip(graded, kept(best), strict=True)]


RULES = {
    "montero:interpolation": _middle,
    "montero:recombination_to_element": _corner,
    "montero:recombination_to_range": _with_range,
    "montero:extrapolation": _upper_half,
    "schott:composition": _thirds,
    "schott:interpolation": _between,
    "schott:extrapolation": _above,
}
