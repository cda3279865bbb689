# SPDX-License-Identifier: Apache-2.0
"""Pictures of a model whose codes are points, of 28 x 28 pixels that are no grid."""

from typing import Any

import numpy as np
import pytest
import torch

from disent.codes import CodeTable
from disent.latents.jacobian import local_directions
from disent.latents.pictures import draw_pictures
from disent.latents.regime import regimes
from disent.latents.traversal import Traversal, traverse
from tests.bars import BarModel, Bars, LabelledBars
from tests.latents.test_pictures import labels, note, shown


def test_latents_are_labelled_by_variance_and_move_within_their_own_code():
    drawn = draw_pictures(BarModel(), LabelledBars(), traversal=Traversal(limit=1, columns=3))
    figure: Any = drawn["traversals"]
    # brightness 0 .. 9 and place 0 .. 5: (n^2 - 1) / 12
    assert labels(figure) == [
        "z1   variance 8.25\nbrightness 1.00",
        "z0   variance 2.92\nplace 1.00",
    ]
    columns = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert columns == ["\N{MINUS SIGN}1", "0", "+1"]
    title = figure.texts[0].get_text().replace("\n", " ")
    assert "standard deviations of its own code" in title
    assert "counted from the mean of its code" in note(figure)
    # picture 0 lacks its brightness
    assert "at the code of picture 0 (place 0)" in note(figure)
    # the second row: places 2.5 - 1.7, 2.5 (rounded to even) and 2.5 + 1.7, in brightness 0
    at = [shown(figure)[30:58, column * 30 : column * 30 + 28] for column in range(3)]
    for tile, place in zip(at, (1, 2, 4), strict=True):
        np.testing.assert_array_equal(tile, Bars().batch(torch.tensor([place]))[0, 0])


def test_pictures_without_labels_are_drawn_without_factors():
    drawn = draw_pictures(BarModel(), Bars(), traversal=Traversal(index=59))
    assert labels(drawn["traversals"]) == ["z1   variance 8.25", "z0   variance 2.92"]
    assert "at the code of picture 59. Each row: variance of its code; from all 60" in note(
        drawn["traversals"]
    )
    assert "decoded from their codes" in note(drawn["reconstructions"])
    picture = shown(drawn["reconstructions"])
    np.testing.assert_array_equal(picture[:28], picture[30:58])
    table = CodeTable.encode(BarModel(), Bars())
    again = draw_pictures(BarModel(), Bars(), table=table)["traversals"]
    assert labels(again) == labels(drawn["traversals"])
    assert "from 60 pictures." in note(again)
    with pytest.raises(ValueError, match="flat indices run from 0 to 59"):
        draw_pictures(BarModel(), Bars(), traversal=Traversal(index=60))


def test_a_row_can_have_values_of_its_own():
    values = torch.tensor([[0.0, 5.0], [3.0, 9.0]])
    images = traverse(BarModel(), torch.tensor([2.0, 1.0]), [0, 1], values)
    at = Bars().batch(torch.tensor([6, 11, 20, 56]))  # place + 6 brightness
    assert torch.equal(images.flatten(0, 1), at)


def test_a_model_is_sampled_as_it_says():
    class Sampled(BarModel):
        draws_of_prior = 5

        def sample(self, n, *, noise):
            self.noise = noise
            return Bars().batch(torch.arange(n))

    model = Sampled()
    drawn = draw_pictures(model, Bars())["samples"]
    assert model.noise.shape == (40, 5)
    np.testing.assert_array_equal(shown(drawn)[:28, :28], Bars().batch(torch.tensor([0]))[0, 0])


def test_neighbours_and_regimes_that_are_not_there_are_named():
    with pytest.raises(ValueError, match="Bars is no grid of factors"):
        local_directions(Bars(), 0)
    table = CodeTable.encode(BarModel(), Bars())
    with pytest.raises(ValueError, match="no log-variances"):
        regimes(table.means, table.logvars)
