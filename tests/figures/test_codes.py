# SPDX-License-Identifier: Apache-2.0
"""Codes over their prior: every point where it belongs, every class in a colour of its own."""

from typing import Any

import numpy as np
import pytest
import torch

from disent.figures import codes_over_prior

CODES = torch.tensor([[0.0, 1.0], [0.5, 1.5], [1.0, 1.0], [-2.0, 0.0], [-4.0, 0.0]])
SAMPLES = torch.tensor([[3.0, 0.0], [0.0, -3.0]])


def drawn(*given: Any, **more: Any) -> Any:
    return codes_over_prior(*given, **more)


def points(axes, layer):
    return np.asarray(axes.collections[layer].get_offsets())


def test_samples_stand_at_the_left_and_under_the_codes_in_one_range():
    figure = drawn(CODES, SAMPLES, note="a note")
    left, right = figure.axes
    np.testing.assert_array_equal(points(left, 0), SAMPLES)
    np.testing.assert_array_equal(points(right, 0), SAMPLES)
    np.testing.assert_array_equal(points(right, 1), CODES)
    limits = pytest.approx((-4.2, 4.2))  # 1.05 times the largest number
    assert left.get_xlim() == left.get_ylim() == right.get_xlim() == right.get_ylim() == limits
    assert "a note" in [text.get_text() for text in figure.texts]


def test_a_class_has_one_colour_and_its_number_at_the_median_of_its_codes():
    labels = torch.tensor([7, 7, 7, 2, -1])
    figure = drawn(CODES, SAMPLES, labels=labels, label_name="digit")
    right = figure.axes[1]
    assert right.get_title(loc="left") == "Codes of pictures, coloured by digit"
    colours = [tuple(colour) for colour in right.collections[1].get_facecolors().tolist()]
    assert colours[0] == colours[1] == colours[2]
    assert len(set(colours)) == 3
    assert colours[4] == pytest.approx((0.8, 0.8, 0.8, 1))  # not known: grey
    assert {t.get_text(): t.get_position() for t in right.texts} == {
        "2": (-2, 0),
        "7": (0.5, 1.0),
    }


def test_many_classes_go_from_dark_to_bright_without_numbers():
    labels = torch.tensor([0, 3, 6, 9, 12])
    right = drawn(CODES, SAMPLES, labels=labels).axes[1]
    brightness = right.collections[1].get_facecolors()[:, :3].sum(1)
    assert (np.diff(brightness) > 0).all()
    assert not right.texts


@pytest.mark.parametrize(
    ("codes", "samples", "labels", "words"),
    [
        (torch.zeros(3, 3), SAMPLES, None, r"codes has shape \[3, 3\]"),
        (CODES, torch.zeros(0, 2), None, r"samples has shape \[0, 2\]"),
        (CODES, SAMPLES, torch.zeros(4), r"labels has shape \[4\] for 5 pictures"),
        (CODES * torch.nan, SAMPLES, None, "codes"),
    ],
)
def test_what_does_not_fit_is_an_error(codes, samples, labels, words):
    with pytest.raises(ValueError, match=words):
        codes_over_prior(codes, samples, labels=labels)
