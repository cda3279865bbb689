# SPDX-License-Identifier: Apache-2.0
"""The importance-weighted log-likelihood where log p(x) is known: of linear-Gaussian models."""

from itertools import pairwise
from typing import Any

import pytest
import torch
from jaxtyping import Int
from torch import Tensor
from torch.distributions import MultivariateNormal, kl_divergence

from disent.evaluation import Options, log_weights_of
from disent.evaluation.likelihood import likelihood_entries
from disent.evaluation.log_weights import NoDensity
from disent.evaluation.pca import PixelPCA
from disent.likelihoods import FixedGaussian
from disent.metrics.log_likelihood import importance_bounds
from disent.models import VAE, AutoEncoder, ConditionalVAE
from disent.models.base import Model
from disent.networks import Linear
from disent.priors import SwissRoll
from tests.evaluation.linear_gaussian import (
    DATA,
    PIXELS,
    ROWS,
    TRUTH,
    D,
    S,
    linear,
)
from tests.tiny import Squares


def test_with_the_true_posterior_every_single_weight_is_the_likelihood():
    found = log_weights_of(linear(), DATA, ROWS, 20)
    assert found.dtype == torch.float64
    # of float32 pixels, each divided by 0.05
    torch.testing.assert_close(found, TRUTH[:, None].expand(-1, 20), atol=5e-3, rtol=0)


@pytest.fixture(scope="module")
def wrong():
    """5,000 samples from a posterior without covariances, too wide, and beside the true one."""
    model = linear(1.5 * S, posterior="diagonal", shift=0.02)
    return model, log_weights_of(model, DATA, ROWS, 5000)


def test_5000_samples_of_another_posterior_come_within_a_fiftieth_of_a_nat(wrong):
    bounds = importance_bounds(wrong[1], 5000)
    assert float(bounds.mean()) == pytest.approx(float(TRUTH.mean()), abs=0.02)
    assert (bounds - TRUTH).abs().max() < 0.05  # each picture's own


def test_the_bound_rises_from_the_elbo_to_the_likelihood(wrong):
    means = [float(importance_bounds(wrong[1], k).mean()) for k in (1, 5, 10, 50, 100, 500, 5000)]
    gaps = [later - earlier for earlier, later in pairwise(means)]
    # from the same samples, each bound is the mean over groups of that before it, by Jensen
    assert all(gap >= 0 for gap in gaps)
    assert means[-1] <= float(TRUTH.mean()) + 0.02
    # the ELBO's own gap is known: KL(q || p(z|x))
    q, p = torch.diag(1.5 * S.diagonal()), MultivariateNormal(torch.zeros(D).double(), S)
    gap = kl_divergence(MultivariateNormal(torch.full((D,), 0.02).double(), q), p)
    assert gap > 0.2
    assert float(TRUTH.mean()) - means[0] == pytest.approx(float(gap), abs=0.02)


def test_naive_monte_carlo_with_as_many_samples_errs_far_more(wrong):
    naive = log_weights_of(wrong[0], DATA, ROWS, 5000, from_prior=True)
    errors = [
        (importance_bounds(table, 5000) - TRUTH).square().mean().sqrt()
        for table in (wrong[1], naive)
    ]
    assert errors[1] > 30 * errors[0]  # 0.8 nats a picture
    assert float(importance_bounds(naive, 5000).mean()) < float(TRUTH.mean()) - 0.1


def test_samples_of_a_picture_depend_on_neither_the_others_nor_their_number():
    model = linear(2 * S)
    whole = log_weights_of(model, DATA, ROWS, 40, seed=3)
    part = log_weights_of(model, DATA, ROWS[[7, 5]], 2000, seed=3)
    torch.testing.assert_close(part[:, :40], whole[[7, 5]], atol=5e-3, rtol=0)
    assert not torch.allclose(log_weights_of(model, DATA, ROWS, 40, seed=4), whole, atol=0.1)


class Unknown(Squares):
    """The same pictures, of which nothing is known."""

    def factors(self, index: Int[Tensor, "b"]) -> Int[Tensor, "b k"]:
        return torch.full_like(super().factors(index), -1)


@pytest.mark.parametrize("from_prior", [False, True])
def test_a_conditional_model_is_given_the_factors_of_each_picture(from_prior):
    torch.manual_seed(0)
    model = ConditionalVAE(
        "pos_x", network=Linear, latent_dim=2, likelihood=FixedGaussian(1.0),
        factor_names=Squares.grid.names, factor_sizes=Squares.grid.sizes,
    )  # fmt: skip
    rows = torch.tensor([5, 77, 127])
    found = log_weights_of(model, Squares(), rows, 500, from_prior=from_prior)
    alone = [
        log_weights_of(model, Squares(), row[None], 500, from_prior=from_prior) for row in rows
    ]
    torch.testing.assert_close(found, torch.cat(alone), atol=1e-2, rtol=0)
    batch = Squares().at(rows)
    unknown = log_weights_of(model, Unknown(), rows, 500, from_prior=from_prior)
    assert (unknown - found).abs().mean() > 0.1
    # the whole by hand, of one sample of each
    with torch.no_grad():
        q = model.encode(batch.x, batch.factors)
        z = torch.stack([_noise(row, from_prior) for row in rows])
        z = z if from_prior else q.sample(z)
        expected = -model.given(batch.factors).distortion(batch.x, z).double()
        if not from_prior:
            expected += model.prior.log_prob(z.double()) - q.log_prob(z.double())  # type: ignore
    torch.testing.assert_close(found[:, 0], expected, atol=1e-2, rtol=0)


def _noise(row: Tensor, from_prior: bool) -> Tensor:
    from disent.streams import Stream

    name = "samples of the prior" if from_prior else "samples of posteriors"
    return Stream(0, name).normal(int(row), (500, 2))[0]


def without_density() -> Model:
    model = VAE(network=Linear, latent_dim=2)
    model.prior = SwissRoll()
    return model


@pytest.mark.parametrize(
    ("model", "lacks"),
    [
        (AutoEncoder(network=Linear), r"density of q\(z\|x\), but this posterior, PointMass,"),
        (without_density(), r"density of p\(z\), but this prior, SwissRoll, has none"),
    ],
)
def test_what_a_model_lacks_is_named(model, lacks):
    with pytest.raises(NoDensity, match=lacks):
        log_weights_of(model, Squares(), torch.arange(2), 5)
    (entry,) = likelihood_entries(model, model, Squares(), Options(["log_likelihood"])).values()
    assert entry["value"] is None
    assert "such as VAE, has all it wants" in entry["reason"]


def test_a_decoder_of_no_probability_is_named():
    class Draws(VAE):
        def distortion(self, x: Tensor, z: Tensor) -> Any:
            return None

    with pytest.raises(NoDensity, match=r"p\(x\|z\), but what this decoder gives is no probab"):
        log_weights_of(Draws(network=Linear), Squares(), torch.arange(2), 5)


def test_the_exact_density_of_pca():
    pca = PixelPCA.fit(DATA, D)
    x = DATA.batch(ROWS).flatten(1).double()
    values, directions = torch.linalg.eigh(x.T.cov(correction=0))
    rest = values[:-D].mean()
    top = directions[:, -D:] * (values[-D:] - rest).sqrt()
    exact = MultivariateNormal(x.mean(0), top @ top.T + rest * torch.eye(PIXELS).double())
    found = pca.log_prob(DATA.batch(ROWS))
    torch.testing.assert_close(found, exact.log_prob(x), atol=1e-2, rtol=0)
