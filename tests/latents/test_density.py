# SPDX-License-Identifier: Apache-2.0
"""Densities of codes against those they were drawn from, and the picture that shows them."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch.distributions import MultivariateNormal

from disent.latents.density import KINDS, CodeDensity, held_out_densities
from disent.latents.fitted import codes_to_fit, components_for
from disent.latents.fitted_samples import fitted_samples
from disent.latents.pictures import draw_pictures
from disent.models import VAE, AutoEncoder, DenoisingAutoEncoder
from disent.networks import Linear
from disent.streams import Stream
from tests.bars import BarModel, Bars
from tests.latents.test_pictures import labels, note, shown

COVARIANCE = torch.tensor([[4.0, 1.8, 0], [1.8, 1, 0], [0, 0, 100]]).double()
MEAN = torch.tensor([1.0, -2, 30]).double()
GAUSSIAN = MultivariateNormal(MEAN, COVARIANCE)
NOISE = Stream(0, "codes of the tests").normal(0, (20_000, 3))
CODES = (MEAN + NOISE.double() @ torch.linalg.cholesky(COVARIANCE).T).float()
# two clouds at -5 and 5 of the first latent, three quarters of the codes in the second
SIDE = torch.where(torch.arange(20_000) % 4 == 0, -5.0, 5.0)
CLOUDS = 0.5 * NOISE + torch.stack([SIDE, 0 * SIDE, 0 * SIDE], 1)


def covariance(density: CodeDensity) -> torch.Tensor:
    return density.cholesky[0] @ density.cholesky[0].T


def test_a_full_gaussian_has_mean_and_covariance_of_the_codes():
    density = CodeDensity.fit(CODES, "full")
    torch.testing.assert_close(density.means[0], CODES.double().mean(0))
    torch.testing.assert_close(
        covariance(density), CODES.double().T.cov(correction=0), rtol=1e-4, atol=1e-4
    )


def test_a_diagonal_gaussian_has_their_variances_alone():
    found = covariance(CodeDensity.fit(CODES, "diagonal"))
    torch.testing.assert_close(found, torch.diag(CODES.double().var(0, correction=0)), rtol=1e-4,
                               atol=1e-9)  # fmt: skip


def test_a_mixture_finds_the_clouds():
    density = CodeDensity.fit(CLOUDS, "mixture", components=2)
    order = density.means[:, 0].argsort()
    torch.testing.assert_close(density.weights[order], torch.tensor([0.25, 0.75]).double(),
                               atol=0.01, rtol=0)  # fmt: skip
    wanted = torch.tensor([[-5.0, 0, 0], [5, 0, 0]]).double()
    torch.testing.assert_close(density.means[order], wanted, atol=0.05, rtol=0)
    spread = (density.cholesky @ density.cholesky.mT).diagonal(dim1=1, dim2=2).sqrt()
    torch.testing.assert_close(spread, torch.full((2, 3), 0.5).double(), atol=0.03, rtol=0)


def test_the_density_of_a_gaussian_is_that_of_torch():
    z = CODES[:100]
    full = CodeDensity(torch.ones(1), MEAN[None], torch.linalg.cholesky(COVARIANCE)[None])
    torch.testing.assert_close(full.log_prob(z), GAUSSIAN.log_prob(z.double()))
    # half of each of two far Gaussians: at the centre of one, log 1/2 less than it alone
    two = CodeDensity(
        torch.tensor([0.5, 0.5]), torch.tensor([[0.0, 0], [99, 0]]), torch.eye(2).expand(2, 2, 2)
    )
    expected = -math.log(2 * math.pi) - math.log(2)
    assert two.log_prob(torch.zeros(1, 2)).item() == pytest.approx(expected)


@pytest.mark.parametrize("kind", KINDS)
def test_samples_have_the_moments_of_the_codes(kind):
    density = CodeDensity.fit(CLOUDS, kind, components=2)
    assert density.draws == (4 if kind == "mixture" else 3)
    z = density.sample(Stream(0, "draws").normal(0, (20_000, density.draws)))
    assert z.dtype == torch.float32
    # deviation 4.36 of the first latent: standard error 0.03
    torch.testing.assert_close(z.mean(0), CLOUDS.mean(0), atol=0.12, rtol=0)
    torch.testing.assert_close(z.T.cov(), CLOUDS.T.cov(), atol=0.5, rtol=0)
    share = float((z[:, 0].abs() < 2).float().mean())  # nothing lies between the clouds
    assert (share < 0.001) == (kind == "mixture")


def test_a_sample_is_a_function_of_its_numbers():
    density = CodeDensity(
        torch.tensor([0.3, 0.7]), torch.tensor([[1.0], [5.0]]), torch.tensor([[[2.0]], [[3.0]]])
    )
    # the normal distribution function is below 0.3 at -1 and above it at 0
    noise = torch.tensor([[-1.0, 1], [0, 1], [9, -1]])
    assert density.component(noise).tolist() == [0, 1, 1]
    assert density.sample(noise).flatten().tolist() == [3, 8, 2]


def test_no_scale_of_a_latent_decides_what_a_mixture_finds():
    scale = torch.tensor([1e-3, 1, 1e3])
    first, second = (
        CodeDensity.fit(codes, "mixture", components=2) for codes in (CLOUDS, scale * CLOUDS)
    )
    torch.testing.assert_close(second.means, scale * first.means, rtol=1e-2, atol=1e-3)


def test_latents_that_never_vary_and_planes_have_densities_too():
    flat = torch.cat([CLOUDS, CLOUDS[:, :1], 0 * CLOUDS[:, :1] + 7], 1)
    for kind in KINDS:
        density = CodeDensity.fit(flat, kind, components=2)
        z = density.sample(Stream(0, "draws").normal(0, (100, density.draws)))
        assert density.log_prob(flat).isfinite().all()
        torch.testing.assert_close(z[:, 4], torch.full((100,), 7.0), atol=0.05, rtol=0)


def test_codes_kept_from_the_fit_tell_which_density_is_too_simple():
    known = held_out_densities(CODES, components=2)
    # the entropy of the true one; of the diagonal, -ln(1 - r^2) / 2 with r = 1.8 / 2 is lost
    entropy = float(GAUSSIAN.entropy())
    assert known["full"] == pytest.approx(-entropy, abs=0.05)
    assert known["full"] - known["diagonal"] == pytest.approx(-math.log(1 - 0.81) / 2, abs=0.03)
    assert known["mixture"] == pytest.approx(known["full"], abs=0.01)
    clouds = held_out_densities(CLOUDS, components=2)
    assert clouds["mixture"] > clouds["full"] + 1


def test_a_mixture_is_a_function_of_its_seed():
    first, again = (CodeDensity.fit(CODES[:500], "mixture", seed=3) for _ in range(2))
    assert torch.equal(first.means, again.means)


@pytest.mark.parametrize(
    ("codes", "kind", "components", "words"),
    [
        (CODES, "mixture", 1, 'a mixture of 1 came, .* is kind "full"'),
        (CODES, "gaussian", 10, "kind must be one of diagonal, full, mixture, got 'gaussian'"),
        (CODES[:19], "mixture", 10, "at least 20 rows is wanted for 10 Gaussians"),
        (CODES[:1], "full", 10, r"codes has shape \[1, 3\]"),
        (CODES[0], "full", 10, r"codes has shape \[3\]"),
        (CODES / 0, "full", 10, "NaN or infinite"),
    ],
)
def test_what_cannot_be_fitted_is_refused(codes, kind, components, words):
    with pytest.raises(ValueError, match=words):
        CodeDensity.fit(codes, kind, components=components)


def test_a_share_that_leaves_nothing_is_refused():
    with pytest.raises(ValueError, match=r"a share of 0\.2 of 2 codes is 0"):
        held_out_densities(CODES[:2])


def test_a_fitted_density_is_a_prior_that_a_model_can_take():
    model = VAE(network=Linear, latent_dim=3)
    before = model.state_dict().keys()
    model.prior = CodeDensity.fit(CLOUDS, "mixture", components=2)
    assert model.draws_of_prior == 4
    assert model.sample(5, generator=torch.Generator().manual_seed(0)).shape == (5, 1, 64, 64)
    assert model.state_dict().keys() == before


@pytest.mark.parametrize("member", [AutoEncoder, DenoisingAutoEncoder])
def test_models_without_a_prior_are_drawn_by_their_densities(member):
    assert VAE.follows_prior
    model = member(network=Linear, latent_dim=2, size=(28, 28))
    figure: Any = draw_pictures(model, Bars())["samples"]
    assert labels(figure) == [
        "diagonal\nGaussian", "", "Gaussian with\ncovariances", "", "mixture of 6", "",
    ]  # fmt: skip
    assert figure.texts[0].get_text() == "Samples of densities fitted to the codes"
    assert "fitted to the codes of all 60 pictures, and drawn from with seed 0" in note(figure)
    known = held_out_densities(codes_to_fit(model, Bars()), components=6)
    for kind in KINDS:
        assert f"{kind} {known[kind]:.2f}".replace("-", "\N{MINUS SIGN}") in note(figure)


def test_each_row_shows_codes_drawn_from_its_own_density():
    """Bars are at places 0 .. 5 with brightness 0 .. 9: the model draws the nearest such bar."""
    figure: Any = fitted_samples(BarModel(), Bars(), None, 0)
    codes = codes_to_fit(BarModel(), Bars())
    assert len(codes) == 60
    picture = shown(figure)
    for group, kind in enumerate(KINDS):
        density = CodeDensity.fit(codes, kind, components=components_for(codes))
        z = density.sample(Stream(0, f"samples of {kind}").normal(0, (16, density.draws)))
        # rows of 30 pixels, and six more between groups of two rows
        wanted = BarModel().picture(z[:1])[0, 0]
        np.testing.assert_array_equal(picture[66 * group :][:28, :28], wanted)
