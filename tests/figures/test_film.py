# SPDX-License-Identifier: Apache-2.0
"""A film: as many frames as scenes, the pictures as they were, bars and time as long as said."""

import numpy as np
import pytest
import torch
from PIL import Image

from disent.figures.film import Film, Scene


def scene(step: int, channels: int = 1, rows: int = 2) -> Scene:
    pictures = torch.zeros(rows, 3, channels, 64, 64, dtype=torch.uint8)
    pictures[0, 0] = 200
    return Scene(step, pictures, [f"z{row}\npos_x 0.{step}" for row in range(rows)], [1.0, 0.5])


@pytest.mark.parametrize("channels", [1, 3])
def test_a_gif_has_a_frame_for_each_scene(tmp_path, channels):
    film = Film([scene(step, channels) for step in (0, 500, 1000)], ["-2", "0", "+2"], "a note")
    film.savefig(tmp_path / "film.gif")
    with Image.open(tmp_path / "film.gif") as written:
        assert getattr(written, "n_frames", 1) == 3
        assert written.info["loop"] == 0
        stays = []
        for number in range(3):
            written.seek(number)
            stays.append(written.info["duration"])
    assert stays == [600, 600, 2000]
    assert film._repr_html_().startswith('<img src="data:image/gif;base64,')


def test_pictures_are_drawn_as_they_are_and_time_goes_on():
    first, last = Film([scene(0), scene(1000)], ["a", "b", "c"]).images()
    levels = np.asarray(last)
    assert (levels == 200).sum() >= 64 * 64
    assert (levels == 0).sum() >= 5 * 64 * 64
    dark = [int((np.asarray(image)[:40] < 60).sum()) for image in (first, last)]
    assert dark[1] > dark[0] + 300  # the line of time is filled


def test_nothing_is_cut_off_at_the_edge():
    long = Scene(123_456_789, scene(0).pictures, ["z10\nhorizontal_axis 0.99"] * 2, [0.0, 1.0])
    (image,) = Film([long], ["a", "b", "c"], "words " * 40).images()
    levels = np.asarray(image)
    for edge in (levels[0], levels[-1], levels[:, 0], levels[:, -1]):
        assert (edge == 255).all()


def test_small_pictures_are_enlarged():
    small = Scene(1, torch.zeros(2, 3, 1, 8, 8, dtype=torch.uint8), ["a", "b"], [0, 0])
    (image,) = Film([small], ["", "", ""]).images()
    assert (np.asarray(image) == 0).sum() >= 6 * 64 * 64


@pytest.mark.parametrize(
    ("scenes", "columns", "told"),
    [
        ([], 3, "at least one scene"),
        ([scene(0), Scene(1, torch.zeros(1, 3, 1, 64, 64), ["a"], [0])], 3, "one shape"),
        ([scene(0)], 2, "2 labels for 3 columns"),
        ([Scene(1, torch.zeros(2, 3, 1, 64, 64), ["a"], [0, 1])], 3, "labels and bars for 2 rows"),
        ([Scene(1, torch.zeros(2, 3, 2, 64, 64), ["a", "b"], [0, 1])], 3, "got 2 channels"),
    ],
)
def test_what_does_not_fit_is_refused(scenes, columns, told):
    with pytest.raises(ValueError, match=told):
        Film(scenes, [""] * columns)
