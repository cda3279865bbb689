# SPDX-License-Identifier: Apache-2.0
"""What the traversal picture holds: values above, labels at the left, the range in words."""

import numpy as np
import pytest
import torch

from disent.figures import traversals

IMAGES = torch.rand(2, 3, 1, 64, 64, generator=torch.Generator().manual_seed(0))
LABELS = ["z3   3.1 nats\npos_x 0.62", "z0   0.02 nats\ninactive"]


def test_one_latent_a_row_and_one_value_a_column():
    figure = traversals(IMAGES, values=torch.tensor([-1.5, 0, 1.5]), labels=LABELS, note="from 7")
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == LABELS
    columns = [label.get_text() for label in axes.get_xticklabels()]
    assert columns == ["\N{MINUS SIGN}1.5", "0", "+1.5"]
    np.testing.assert_array_equal(
        np.asarray(axes.images[0].get_array())[66:, 132:], IMAGES[1, 2, 0]
    )


def test_title_states_the_range_and_note_is_shown():
    figure = traversals(IMAGES, values=torch.linspace(-2, 2, 3), labels=LABELS, note="from 7")
    title, note = (text.get_text().replace("\n", " ") for text in figure.texts)
    assert "from \N{MINUS SIGN}2 to +2 standard deviations of the prior" in title
    assert note == "from 7"


@pytest.mark.parametrize(
    ("values", "labels", "message"),
    [
        (torch.zeros(4), LABELS, "one value a column"),
        (torch.zeros(3, 1), LABELS, "one value a column"),
        (torch.zeros(3), LABELS[:1], "1 labels for 2 rows"),
    ],
)
def test_refuses_what_does_not_fit(values, labels, message):
    with pytest.raises(ValueError, match=message):
        traversals(IMAGES, values=values, labels=labels)
