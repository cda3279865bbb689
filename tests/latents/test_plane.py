# SPDX-License-Identifier: Apache-2.0
"""What is drawn of models of two latents: their codes over the prior, pictures along its shape."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from disent.data import Digits
from disent.gaussian import PointMass
from disent.latents.plane import plane_pictures, prior_discrepancies
from disent.priors import GaussianMixture, StandardNormal, SwissRoll


class Placed(nn.Module):
    """A model that codes a picture as (mean, 0), and draws its latents as shades of grey."""

    latent_dim, device = 2, torch.device("cpu")

    def __init__(self, prior: Any) -> None:
        super().__init__()
        self.prior, self.asked = prior, list[Tensor]()

    def encode(self, x: Tensor) -> PointMass:
        return PointMass(torch.stack([x.mean((1, 2, 3)), torch.zeros(len(x))], -1))

    def picture(self, z: Tensor) -> Tensor:
        self.asked.append(z)
        return torch.full((len(z), 1, 8, 8), 0.5)


def note(figure: Any) -> str:
    return figure.texts[0].get_text().replace("\n", " ")


def test_held_out_pictures_are_encoded_where_some_were_set_apart():
    figure = plane_pictures(Placed(StandardNormal(2)), Digits(), 3)["codes"]
    told = note(figure)
    assert "All 360 pictures that were set apart (seed 3)." in told
    shown = np.asarray(figure.axes[1].collections[1].get_offsets())
    test = Digits("test")
    means = test.batch(torch.arange(360)).mean((1, 2, 3))
    np.testing.assert_allclose(shown[:, 0], means, atol=1e-6)
    assert len({text.get_text() for text in figure.axes[1].texts}) == 10  # a number for each digit
    told = note(plane_pictures(Placed(StandardNormal(2)), Digits("train"), 0)["codes"])
    assert "1,000 random pictures of the dataset" in told


@pytest.mark.parametrize(
    ("prior", "stem"),
    [(StandardNormal(2), "manifold"), (GaussianMixture(), "petals"), (SwissRoll(), "roll")],
)
def test_pictures_are_drawn_along_the_shape_of_the_prior(prior, stem):
    model = Placed(prior)
    assert plane_pictures(model, Digits("test"), 0).keys() == {"codes", stem}
    (z,) = model.asked
    if stem == "roll":
        torch.testing.assert_close(z, prior.along(torch.linspace(0, 1, 60)))
    if stem == "petals":
        middle = z.unflatten(0, (10, 9))
        torch.testing.assert_close(middle[:, 4], prior.centres)
        # petal 0 lies along the first axis: from 1 - 2 * 0.35 to 1 + 2 * 0.35
        torch.testing.assert_close(middle[0, :, 0], torch.linspace(0.3, 1.7, 9))
        torch.testing.assert_close(middle[0, :, 1], torch.zeros(9))
    if stem == "manifold":
        assert z[0].tolist() == pytest.approx([-1.645, -1.645], abs=1e-3)  # 5 % of N(0, 1)
        assert z[1].tolist() == pytest.approx([-1.036, -1.645], abs=1e-3)  # the first to the right


def test_nothing_is_drawn_of_other_models():
    wide = Placed(StandardNormal(3))
    wide.latent_dim = 3
    bare = Placed(StandardNormal(2))
    del bare.prior
    assert plane_pictures(wide, Digits("test"), 0) == plane_pictures(bare, Digits("test"), 0) == {}


def test_samples_of_the_prior_lie_among_themselves_and_others_do_not():
    for prior in (StandardNormal(2), GaussianMixture(), SwissRoll()):
        noise = torch.randn(300, prior.draws, generator=torch.Generator().manual_seed(0))
        codes = prior.sample(noise)
        away, own = prior_discrepancies(prior, codes, 0)
        assert len(own) == 20
        assert own.mean().item() == pytest.approx(0, abs=0.001)
        assert own.min() - 0.001 < away < own.max() + 0.001
        assert prior_discrepancies(prior, codes + 1, 0)[0] > 10 * own.max()
        again, _ = prior_discrepancies(prior, codes, 0)
        assert torch.equal(away, again)
