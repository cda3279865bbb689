# SPDX-License-Identifier: Apache-2.0
"""What the picture grids hold: each picture at its place, crisp, labelled; bad input refused."""

import numpy as np
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from disent.figures import image_grid, interpolation, reconstructions, samples


def pictures(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0))


def mosaic(figure: Figure) -> np.ndarray:
    (image,) = figure.axes[0].images
    return np.asarray(image.get_array())


def row_labels(figure: Figure) -> list[str]:
    return [label.get_text() for label in figure.axes[0].get_yticklabels()]


def column_labels(figure: Figure) -> list[str]:
    return [label.get_text() for label in figure.axes[0].get_xticklabels()]


def tile(figure: Figure, row: int, column: int, size: int = 64) -> np.ndarray:
    y, x = row * (size + 2), column * (size + 2)
    return mosaic(figure)[y : y + size, x : x + size]


def test_grey_pictures_lie_row_by_row_with_white_between():
    images = pictures(2, 3, 1, 64, 64)
    figure = image_grid(images)
    assert mosaic(figure).shape == (2 * 64 + 2, 3 * 64 + 2 * 2)
    for row in range(2):
        for column in range(3):
            np.testing.assert_array_equal(tile(figure, row, column), images[row, column, 0])
    assert (mosaic(figure)[64:66] == 1).all()
    assert figure.axes[0].images[0].get_clim() == (0, 1)
    assert figure.axes[0].images[0].get_cmap().name == "gray"


def test_colour_pictures_keep_their_channels():
    images = pictures(1, 2, 3, 64, 64)
    figure = image_grid(images)
    assert mosaic(figure).shape == (64, 130, 3)
    np.testing.assert_array_equal(tile(figure, 0, 1), images[0, 1].movedim(0, -1))


@pytest.mark.parametrize(("size", "scale"), [(64, 2), (20, 7), (128, 1)])
def test_every_pixel_fills_a_square_of_screen_pixels(size, scale):
    figure = image_grid(pictures(2, 2, 1, size, size).round(), title="t", row_labels=["a\nb", "c"])
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    screen = np.asarray(canvas.buffer_rgba())[..., 0]
    expected = (np.kron(mosaic(figure), np.ones((scale, scale))) * 255).astype(np.uint8)
    height, width = expected.shape
    box = figure.axes[0].get_window_extent()
    top, left = screen.shape[0] - round(box.y1), round(box.x0)
    np.testing.assert_array_equal(screen[top : top + height, left : left + width], expected)


def test_labels_stand_at_the_middle_of_their_rows_and_columns():
    figure = image_grid(pictures(2, 3, 1, 4, 4), row_labels=["p", "q"], column_labels="xyz")
    axes = figure.axes[0]
    assert row_labels(figure) == ["p", "q"]
    assert column_labels(figure) == ["x", "y", "z"]
    np.testing.assert_allclose(axes.get_yticks(), [1.5, 7.5])
    np.testing.assert_allclose(axes.get_xticks(), [1.5, 7.5, 13.5])


def test_text_stays_inside_the_figure():
    figure = image_grid(
        pictures(2, 2, 1, 64, 64),
        row_labels=["z10   10.3 nats\norientation 0.62", "a"],
        column_labels=["\N{MINUS SIGN}2", "2"],
        title="A title that is much too long for two small pictures, and so takes more lines",
        note="A note that is much too long for two small pictures, and so takes more lines. " * 3,
    )
    figure.canvas.draw()
    width, height = figure.canvas.get_width_height()
    texts = [*figure.texts, *figure.axes[0].get_yticklabels(), *figure.axes[0].get_xticklabels()]
    boxes = [text.get_window_extent() for text in texts]
    assert len(boxes) == 6
    for box in boxes:
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= width
        assert box.y1 <= height
    picture = figure.axes[0].get_window_extent()
    for box in boxes[:2]:  # neither title nor note lies on the pictures
        assert box.y0 >= picture.y1 or box.y1 <= picture.y0


def test_reconstructions_stand_under_their_originals():
    originals, decoded = pictures(3, 1, 64, 64), 0.5 * pictures(3, 1, 64, 64)
    figure = reconstructions(originals, decoded, columns=2)
    assert row_labels(figure) == ["original", "reconstruction"] * 2
    np.testing.assert_array_equal(tile(figure, 0, 1), originals[1, 0])
    np.testing.assert_array_equal(tile(figure, 1, 1), decoded[1, 0])
    second_pair = mosaic(figure)[2 * 66 + 6 :]  # the gap between pairs is wider by three gaps
    np.testing.assert_array_equal(second_pair[:64, :64], originals[2, 0])
    np.testing.assert_array_equal(second_pair[66:, :64], decoded[2, 0])
    assert (second_pair[:, 66:] == 1).all()


def test_samples_fill_the_last_row_with_white():
    images = pictures(5, 1, 64, 64)
    figure = samples(images, columns=4, note="seed 0")
    assert mosaic(figure).shape == (130, 4 * 66 - 2)
    np.testing.assert_array_equal(tile(figure, 1, 0), images[4, 0])
    assert (tile(figure, 1, 1) == 1).all()
    assert [text.get_text() for text in figure.texts] == ["Samples from the prior", "seed 0"]


def test_few_samples_make_a_narrow_figure():
    assert mosaic(samples(pictures(2, 1, 64, 64))).shape == (64, 130)


def test_interpolation_stands_between_its_two_pictures():
    images, ends = pictures(2, 3, 1, 64, 64), 0.5 * pictures(2, 2, 1, 64, 64)
    figure = interpolation(images, ends=ends)
    assert column_labels(figure) == ["from", "0", "0.5", "1", "to"]
    np.testing.assert_array_equal(tile(figure, 1, 0), ends[1, 0, 0])
    np.testing.assert_array_equal(tile(figure, 1, 2), images[1, 1, 0])
    np.testing.assert_array_equal(tile(figure, 1, 4), ends[1, 1, 0])
    assert column_labels(interpolation(images)) == ["0", "0.5", "1"]


def test_an_interpolation_stands_above_the_blend_of_its_two_pictures():
    images, ends = pictures(2, 3, 1, 64, 64), 0.5 * pictures(2, 2, 1, 64, 64)
    figure = interpolation(images, ends=ends, blend=True)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == [
        "code",
        "pixels",
    ] * 2
    np.testing.assert_array_equal(tile(figure, 0, 2), images[0, 1, 0])
    np.testing.assert_allclose(tile(figure, 1, 2), (ends[0, 0, 0] + ends[0, 1, 0]) / 2, atol=1e-6)
    np.testing.assert_allclose(tile(figure, 1, 3), ends[0, 1, 0], atol=1e-6)


REFUSED = {
    "logits": (lambda: image_grid(pictures(1, 1, 1, 4, 4) * 9), r"not logits"),
    "negative": (lambda: image_grid(pictures(1, 1, 1, 4, 4) - 0.5), r"\[0, 1\]"),
    "NaN": (lambda: image_grid(pictures(1, 1, 1, 4, 4) / 0 * 0), r"NaN or infinite"),
    "two channels": (lambda: image_grid(pictures(1, 1, 2, 4, 4)), r"RGB"),
    "four axes": (lambda: image_grid(pictures(1, 1, 4, 4)), r"rows, columns"),
    "empty": (lambda: image_grid(pictures(0, 1, 1, 4, 4)), r"at least one picture"),
    "no samples": (lambda: samples(pictures(0, 1, 4, 4)), r"At least one picture"),
    "no columns": (lambda: samples(pictures(2, 1, 4, 4), columns=0), r"columns=0"),
    "labels": (lambda: image_grid(pictures(2, 1, 1, 4, 4), row_labels=["a"]), r"1 row labels"),
    "other pairs": (
        lambda: reconstructions(pictures(2, 1, 4, 4), pictures(3, 1, 4, 4)),
        r"must be the same picture",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refuses(name):
    call, message = REFUSED[name]
    with pytest.raises(ValueError, match=message):
        call()
