# SPDX-License-Identifier: Apache-2.0
"""Animations: what is written is what was given, frame by frame, and bad frames are refused."""

from base64 import b64encode

import numpy as np
import pytest
import torch
from PIL import Image

from disent.figures.animation import Animation


def test_a_gif_holds_the_frames_in_order_and_goes_round(tmp_path):
    frames = torch.zeros(3, 1, 8, 8)
    for step in range(3):
        frames[step, 0, :, step] = 1.0
    Animation(frames, seconds=0.2).savefig(tmp_path / "walk.gif")
    with Image.open(tmp_path / "walk.gif") as written:
        assert (getattr(written, "n_frames", 1), written.size) == (3, (320, 320))
        assert (written.info["duration"], written.info["loop"]) == (200, 0)
        for step in range(3):
            written.seek(step)
            shown = np.asarray(written.convert("L"))[::40, ::40] / 255
            np.testing.assert_array_equal(shown, frames[step, 0].numpy())
    written = b64encode((tmp_path / "walk.gif").read_bytes()).decode()
    assert written in Animation(frames, seconds=0.2)._repr_html_()


@pytest.mark.parametrize(
    ("frames", "seconds", "told"),
    [
        (torch.zeros(3, 2, 8, 8), 0.1, r"shape \[3, 2, 8, 8\]"),
        (torch.zeros(0, 1, 8, 8), 0.1, r"shape \[0, 1, 8, 8\]"),
        (torch.full((2, 1, 8, 8), 1.5), 0.1, "1.5"),
        (torch.full((2, 1, 8, 8), torch.nan), 0.1, "NaN"),
        (torch.zeros(2, 1, 8, 8), 0.0, "0.02 seconds"),
    ],
)
def test_bad_frames_are_refused(frames, seconds, told):
    with pytest.raises(ValueError, match=told):
        Animation(frames, seconds)
