# SPDX-License-Identifier: Apache-2.0
"""What every figure keeps: synthetic input in, a drawable Figure out, nothing else touched."""

import io
import subprocess
import sys

import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure

import disent.figures

STEPS = pd.DataFrame({"step": [1, 2], "loss": [3.0, 2.0], "rate": [1.0, 1.5], "rate_0": [1.0, 1.5]})


def arguments(name: str, channels: int) -> tuple[tuple, dict]:
    """What to call a member with; a new member gets one line here."""
    images = torch.rand(2, 3, channels, 64, 64, generator=torch.Generator().manual_seed(0))
    return {
        "curves": ((STEPS,), {}),
        "image_grid": ((images,), {"title": "title"}),
        "interpolation": ((images,), {"ends": images[:, :2]}),
        "reconstructions": ((images[0], images[1]), {}),
        "samples": ((images[0],), {}),
        "traversals": ((images,), {"values": torch.linspace(-2, 2, 3), "labels": ["z0", "z1"]}),
    }[name]


def png(figure: Figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", disent.figures.__all__)
class TestFigure:
    def test_draws_the_same_figure_every_time(self, name, channels):
        positional, named = arguments(name, channels)
        figure = getattr(disent.figures, name)(*positional, **named)
        again = getattr(disent.figures, name)(*positional, **named)
        assert isinstance(figure, Figure)
        assert figure is not again
        assert figure.axes
        assert png(figure) == png(again)

    def test_changes_neither_its_input_nor_the_random_state(self, name, channels):
        positional, named = arguments(name, channels)
        before = [value.clone() for value in positional if isinstance(value, torch.Tensor)]
        state = torch.get_rng_state()
        getattr(disent.figures, name)(*positional, **named)
        assert torch.equal(torch.get_rng_state(), state)
        after = [value for value in positional if isinstance(value, torch.Tensor)]
        assert all(map(torch.equal, before, after))

    def test_says_what_it_is(self, name, channels):
        positional, named = arguments(name, channels)
        figure = getattr(disent.figures, name)(*positional, **named)
        texts = [text.get_text() for text in figure.texts]
        assert any([*texts, *(axes.get_title(loc="left") for axes in figure.axes)])


def test_the_room_stands_alone():
    """No window, no global figure, no training, no models, no logger."""
    unwanted = ["matplotlib.pyplot", "lightning", "wandb", "disent.models", "disent.data"]
    program = f"import sys, disent.figures; print([m for m in {unwanted} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
