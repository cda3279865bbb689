# SPDX-License-Identifier: Apache-2.0
"""The importance-weighted log-likelihood where log p(x) is known: of linear-Gaussian models."""

import json
import math
from itertools import pairwise
from typing import Any

import pytest
import torch
from jaxtyping import Int, UInt8
from torch import Tensor
from torch.distributions import MultivariateNormal, kl_divergence

from disent import metrics
from disent.cli.main import main
from disent.data.base import PictureDataset
from disent.evaluation import Options, evaluate, log_weights_of
from disent.evaluation.likelihood import drawn_pictures, likelihood_entries
from disent.evaluation.log_weights import NoDensity
from disent.evaluation.pca import PixelPCA
from disent.likelihoods import FixedGaussian
from disent.metrics.bounds import BoundViolated, check_log_likelihood
from disent.metrics.log_likelihood import importance_bounds
from disent.models import VAE, AutoEncoder, ConditionalVAE
from disent.models.base import Model
from disent.networks import Linear
from disent.priors import SwissRoll
from disent.report.terminal import print_scores
from disent.runs import RunDir
from tests.cli.small import QUIET, fit
from tests.tiny import Squares

SIZE, D, SIGMA = (4, 5), 3, 0.05
PIXELS = SIZE[0] * SIZE[1]
# columns that are no multiples of each other, nor orthogonal
W = 0.15 * torch.randn(PIXELS, D, generator=torch.Generator().manual_seed(1)).double()
MEAN = torch.linspace(0.4, 0.6, PIXELS).double()
EXACT = MultivariateNormal(MEAN, W @ W.T + SIGMA**2 * torch.eye(PIXELS).double())
# the true posterior: N(A (x - mean), S) with S = (I + W^T W / sigma^2)^-1 and A = S W^T / sigma^2
S = torch.linalg.inv(torch.eye(D).double() + W.T @ W / SIGMA**2)
A = S @ W.T / SIGMA**2


class Drawn(PictureDataset):
    """48 pictures that the model might have drawn, to the nearest of 256 grey levels."""

    channels, size = 1, SIZE

    def __init__(self) -> None:
        generator = torch.Generator().manual_seed(2)
        z, noise = (torch.randn(48, n, generator=generator).double() for n in (D, PIXELS))
        pictures = (MEAN + z @ W.T + SIGMA * noise).clamp(0, 1)
        self.pictures = (255 * pictures).round().to(torch.uint8).view(48, 1, *SIZE)

    @property
    def fingerprint(self) -> str:
        return "drawn-of-the-tests"

    def __len__(self) -> int:
        return 48

    def images(self, index: Int[Tensor, "b"]) -> UInt8[Tensor, "b c h w"]:
        return self.pictures[index]


DATA, ROWS = Drawn(), torch.arange(48)
TRUTH = EXACT.log_prob(DATA.batch(ROWS).flatten(1).double())


def linear(
    covariance: Tensor = S, *, posterior: Any = "full", shift: float = 0.0, seed: int = 0
) -> VAE:
    """The model of W, whose posterior is N(A (x - mean) + shift, covariance), or its diagonal."""
    model = VAE(
        network=Linear, likelihood=FixedGaussian(SIGMA), latent_dim=D, size=SIZE,
        posterior=posterior, seed=seed,
    )  # fmt: skip
    lower = torch.linalg.cholesky(covariance)
    numbers = [lower.diagonal().log(), lower[1, :1], lower[2, :2]]
    if posterior == "diagonal":
        numbers = [covariance.diagonal().log()]
    spread = torch.cat(numbers)
    values = {
        "decoder.0.weight": W,
        "decoder.0.bias": MEAN,
        "encoder.1.weight": torch.cat([A, torch.zeros(len(spread), PIXELS).double()]),
        "encoder.1.bias": torch.cat([shift - A @ MEAN, spread]),
    }
    model.load_state_dict({f"network.{name}": value for name, value in values.items()})
    return model


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
        expected = -model.distortion(batch.x, z, batch.factors).double()
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


@pytest.fixture(scope="module")
def record():
    options = Options(["log_likelihood"], samples=200, pictures=40, repeats=2, seed=5)
    blank = VAE(network=Linear, likelihood=FixedGaussian(SIGMA), latent_dim=D, size=SIZE)
    return evaluate(linear(1.5 * S), blank, DATA, options)[0]


def test_an_evaluation_holds_the_bound_beside_elbo_naive_untrained_and_pca(record):
    scores = record["scores"]
    assert list(scores) == [
        "log_likelihood", "log_likelihood.elbo", "log_likelihood.naive",
    ]  # fmt: skip
    best, elbo, naive = scores.values()
    rows = drawn_pictures(48, Options(pictures=40, seed=5))
    truth, spread = float(TRUTH[rows].mean()), float(TRUTH[rows].std() / 40**0.5)
    assert best["value"] == pytest.approx(truth, abs=0.02)
    assert best["error"] == pytest.approx(spread, rel=0.1)
    assert naive["value"] < elbo["value"] < best["value"]
    assert best["untrained"] < truth - 100
    assert best["pca"] == pytest.approx(truth, abs=8)  # fitted to the very 48 pictures
    assert best["chance"] is None
    assert "chance" in best["reasons"]
    assert list(best["bounds"]) == ["1", "10", "100", "200"]
    assert best["bounds"]["1"] == pytest.approx(elbo["value"])
    assert best["bounds"]["200"] == pytest.approx(best["value"])
    assert naive["of_these"] == best["of_these"] == pytest.approx(best["value"])  # all of them


def test_an_entry_says_all_that_it_depends_on(record):
    for name, entry in record["scores"].items():
        assert entry["settings"] == {"samples": 200, "pictures": 40, "seed": 5}, name
        assert entry["variant"] == "disent.metrics.log_likelihood.log_likelihood"
        assert (entry["points"], entry["repeats"], entry["seed"]) == (40, 2, 5)
        assert entry["fingerprint"] == "drawn-of-the-tests"
        assert 0 < entry["spread"] < entry["error"]
    assert json.loads(json.dumps(record, allow_nan=False)) == record


def test_probabilities_are_not_compared_with_densities():
    model = VAE(network=Linear, latent_dim=2)
    options = Options(["log_likelihood"], samples=3, pictures=10)
    entry = likelihood_entries(model, model, Squares(), options)["log_likelihood"]
    assert entry["pca"] is None
    assert "a density of pixels" in entry["reasons"]["pca"]
    assert entry["value"] == pytest.approx(-4096 * math.log(2), rel=0.2)  # every pixel a coin


def test_pictures_are_drawn_once_each_by_the_seed():
    few = drawn_pictures(1000, Options(pictures=30))
    assert len(few.unique()) == 30
    assert torch.equal(few, drawn_pictures(1000, Options(pictures=30)))
    assert not torch.equal(few, drawn_pictures(1000, Options(pictures=30, seed=1)))
    assert torch.equal(drawn_pictures(20, Options(pictures=30)).sort()[0], torch.arange(20))


@pytest.mark.parametrize("samples", [0, 3])
def test_groups_that_cannot_be_are_refused(samples):
    with pytest.raises(ValueError, match=f"got {samples} samples and log_weights of shape"):
        importance_bounds(torch.zeros(4, 2), samples)
    with pytest.raises(ValueError, match="got samples=0"):
        log_weights_of(linear(), DATA, ROWS, 0)


def test_all_leaves_out_what_costs_minutes():
    assert set(Options(["all"]).metrics) == set(metrics.__all__) - {"log_likelihood"}
    assert set(Options(["all", "log_likelihood"]).metrics) == set(metrics.__all__)


def test_no_model_is_better_than_the_entropy():
    check_log_likelihood(-2.0, 2.0)
    check_log_likelihood(-1.7, 2.0, standard_error=0.1)
    with pytest.raises(BoundViolated, match="lies above minus the entropy"):
        check_log_likelihood(-1.5, 2.0, standard_error=0.1)


def test_it_is_printed_with_its_error_and_how_it_grew(record, capsys):
    print_scores("runs/a", record)
    printed = capsys.readouterr().out
    assert "By samples: 1: " in printed
    assert (
        f"of 40 of them, whose own value is {record['scores']['log_likelihood']['value']:.2f}"
        in (" ".join(printed.split()))
    )
    lines = [line.split() for line in printed.splitlines()]
    assert ["score", "value", "+-", "error", "untrained", "PCA"] in lines
    assert any(line[:1] == ["log_likelihood.naive"] and len(line) == 4 for line in lines)


def test_the_command_scores_a_run(tmp_path, capsys):
    assert fit(tmp_path, "--run", "a", *QUIET) == 0
    run = str(tmp_path / "a")
    assert main(["evaluate", run, "--metrics", "log_likelihood", "--samples", "0"]) == 1
    assert "got samples=0, pictures=1024. log_likelihood wants at" in capsys.readouterr().err
    options = ["--samples", "20", "--pictures", "30", "--device", "cpu"]
    assert main(["evaluate", run, "--metrics", "mig,log_likelihood", *options]) == 0
    scores = RunDir(run).read_scores()["scores"]
    assert set(scores) == {
        "mig", "log_likelihood", "log_likelihood.elbo", "log_likelihood.naive",
    }  # fmt: skip
    best = scores["log_likelihood"]
    assert scores["log_likelihood.elbo"]["value"] < best["value"] < -math.log(128)
    assert (best["points"], best["settings"]["samples"]) == (30, 20)
    # evaluated again with fewer samples, nothing of the first time stays
    assert main(["evaluate", run, "--metrics", "log_likelihood", "--samples", "2"]) == 0
    again = RunDir(run).read_scores()["scores"]
    assert {e["settings"].get("samples") for n, e in again.items() if n != "mig"} == {2}
