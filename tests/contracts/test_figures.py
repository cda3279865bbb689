# SPDX-License-Identifier: Apache-2.0
"""What every figure keeps: synthetic input in, a drawable Figure out, nothing else touched."""

import io
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure

import disent.figures
from disent.figures.examples import SettingExamples
from disent.figures.side_by_side import Panel

STEPS = pd.DataFrame({"step": [1, 2], "loss": [3.0, 2.0], "rate": [1.0, 1.5], "rate_0": [1.0, 1.5]})
RAMP = STEPS.assign(capacity=[0.5, 1.0])
RUNS = pd.DataFrame(
    {
        "objective": ["AnnealedVAE", "BetaVAE", "BetaVAE"],
        "strength": [5.0, 1.0, 4.0],
        "setting": ["C 5", "beta 1", "beta 4"],
        "mig": [0.3, 0.1, 0.2],
        **{key: [5.0, 20.0, 10.0] for key in ("rate", "evaluated.rate")},
        **{key: [100.0, 20.0, 50.0] for key in ("distortion", "evaluated.distortion")},
        "evaluated.mutual_information": [4.9, 12.0, 9.5],
    }
)
CORRELATIONS = pd.DataFrame(np.eye(2), ["mig", "sap"], ["mig", "sap"])
NORMAL = torch.randn(50, 2, generator=torch.Generator().manual_seed(0))
REGIMES = ["active", "passive"]


def arguments(name: str, channels: int) -> tuple[tuple, dict]:
    """What to call a member with; a new member gets one line here."""
    images = torch.rand(2, 3, channels, 64, 64, generator=torch.Generator().manual_seed(0))
    return {
        "capacity_ramp": ((RAMP,), {"factors": {0: "pos_x"}}),
        "codes_over_prior": ((NORMAL, NORMAL[:9] + 1), {"labels": torch.arange(50) % 4 - 1}),
        "clouds": (({"VAE": NORMAL[None]},), {"names": ["pixel 0"]}),
        "curves": ((STEPS,), {}),
        "examples_of_settings": (
            (images[0], [SettingExamples("beta 4", 9, 20, images[0], images[1], images[0, 0])]),
            {},
        ),
        "image_grid": ((images,), {"title": "title"}),
        "information_bounds": ((RUNS,), {"entropy": 13.47}),
        "information_matrix": (([[0.5, 0.1]], [1.0], ["shape"]), {"rates": [1.0, 0.0]}),
        "interpolation": ((images,), {"ends": images[:, :2]}),
        "jacobian_alignment": ((NORMAL[:2].abs().clamp(max=1),), {"chance": 0.9}),
        "latent_pairs": ((NORMAL, torch.tensor([2.0, 0.0])), {"factor": torch.arange(50)}),
        "manifold": ((images[:, :2],), {"quantiles": torch.tensor([-1.0, 1]), "latents": (0, 1)}),
        "polarised_regime": ((NORMAL, NORMAL - 3, REGIMES), {}),
        "posteriors_over_prior": ((NORMAL, NORMAL.exp()), {}),
        "rank_correlation_matrix": ((CORRELATIONS,), {"runs": 9}),
        "rate_distortion_plane": ((RUNS,), {"entropy": 13.47}),
        "reconstructions": ((images[0], images[1]), {}),
        "samples": ((images[0],), {}),
        "score_against_strength": ((RUNS, "mig"), {"baselines": {"chance": 0.0}}),
        "side_by_side": (([Panel("beta 4", images, ["z0", "z1"])],), {"rows": ["x", "y"]}),
        "traversals": ((images,), {"values": torch.linspace(-2, 2, 3), "labels": ["z0", "z1"]}),
        "variance_bars": (({"mig": {"objective": 0.2, "strength": 0.5, "seed": 0.3}},), {}),
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
