# SPDX-License-Identifier: Apache-2.0
"""Many runs in one figure: rows and titles at their places, and no text over another."""

import itertools

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from disent.figures.side_by_side import Panel, side_by_side

ROWS = ["shape", "scale", "orientation", "pos_x", "horizontal_axis"]
TITLES = [
    "BetaVAE, beta 4, seed 0",
    "AnnealedVAE, gamma 1000, network Locatello2019, C 12.5, seed 10",
    "a_run_whose_name_nobody_has_broken_into_words-seed123456789",
]


def panels(number: int, columns: int = 5, size: int = 64) -> list[Panel]:
    images = torch.rand(5, columns, 1, size, size, generator=torch.Generator().manual_seed(0))
    labels = ["z3\n0.83", "\N{MINUS SIGN}z10\n0.02", "none", "z1\nr 0.97", "z5\n1.00"]
    return [Panel(TITLES[place % 3], images, labels) for place in range(number)]


def boxes(figure: Figure) -> list[Bbox]:
    """Of every text that is drawn."""
    figure.draw_without_rendering()
    texts = [*figure.texts]
    for axes in figure.axes:
        texts += [*axes.texts, *axes.get_yticklabels(), *axes.get_xticklabels()]
    return [text.get_window_extent() for text in texts if text.get_text()]


@pytest.mark.parametrize(
    ("number", "columns", "size"),
    [(1, 5, 64), (3, 5, 64), (7, 5, 64), (20, 5, 64), (1, 2, 8), (7, 2, 8), (3, 9, 28)],
)
def test_no_text_lies_over_another_over_pictures_or_outside(number, columns, size):
    drawn = panels(number, columns, size)
    figure = side_by_side(drawn, rows=ROWS, title="Traversals " * 9, note="a note " * 40)
    found = boxes(figure)
    assert len(found) == number * 5 + number + 2 + 5 * -(-number // 4)
    for one, other in itertools.combinations(found, 2):
        assert Bbox.intersection(one, other) is None, (one, other)
    for box in found:
        assert min(box.x0, box.y0) >= 0
        assert box.x1 <= figure.bbox.width
        assert box.y1 <= figure.bbox.height
        for axes in figure.axes:
            assert Bbox.intersection(box, axes.get_window_extent()) is None


def test_rows_are_named_once_a_line_and_pictures_are_as_given():
    drawn = panels(5)
    figure = side_by_side(drawn, rows=ROWS)
    named = [[text.get_text() for text in axes.texts] for axes in figure.axes]
    assert named == [ROWS, [], [], [], ROWS]
    shown = np.asarray(figure.axes[4].images[0].get_array())
    np.testing.assert_array_equal(shown[66:130, 66:130], drawn[4].images[1, 1, 0])
    assert [t.get_text() for t in figure.axes[4].get_yticklabels()] == list(drawn[4].labels)


@pytest.mark.parametrize(
    ("given", "rows", "told"),
    [
        ([], [], "one shape for all runs"),
        ([*panels(1), *panels(1, 4)], ROWS, "one shape for all runs"),
        (panels(1), ROWS[:4], r"\[4, 5\] names and labels for 5 rows"),
    ],
)
def test_what_does_not_fit_is_refused(given, rows, told):
    with pytest.raises(ValueError, match=told):
        side_by_side(given, rows=rows)
