# SPDX-License-Identifier: Apache-2.0
"""What every prior keeps: a pure function of noise, a density that belongs to its samples."""

import pytest
import torch

import disent.priors
from disent.priors.base import Prior

MEMBERS = [getattr(disent.priors, name) for name in disent.priors.__all__]
N = 100_000
EDGE, CELLS, FINE = 5.0, 40, 800  # of the plane that is cut into CELLS^2 and FINE^2 squares


def noise(prior: Prior, n: int = N) -> torch.Tensor:
    return torch.randn(n, prior.draws, generator=torch.Generator().manual_seed(0))


def density(prior: Prior) -> torch.Tensor:
    """The probability of each of CELLS^2 squares, by the midpoints of FINE^2 squares."""
    step = 2 * EDGE / FINE
    middles = (torch.arange(FINE, dtype=torch.float64) + 0.5) * step - EDGE
    try:
        logs = prior.double().log_prob(torch.cartesian_prod(middles, middles))
    except NotImplementedError:
        pytest.skip("it states no density")
    parts = FINE // CELLS
    fine = (logs.exp() * step**2).view(CELLS, parts, CELLS, parts)
    return fine.sum((1, 3)).flatten()


@pytest.mark.parametrize("member", MEMBERS)
class TestPrior:
    def test_is_a_prior_with_a_docstring_that_names_its_source(self, member):
        assert issubclass(member, Prior)
        assert "et al." in str(member.__doc__) or "&" in str(member.__doc__)
        assert "latent_dim: " in str(member.__doc__)

    def test_a_sample_is_a_pure_function_of_its_noise(self, member):
        prior, state = member(latent_dim=2), torch.random.get_rng_state()
        given = noise(prior, 100)
        first = prior.sample(given)
        assert torch.equal(first, prior.sample(given))
        assert torch.equal(torch.random.get_rng_state(), state)
        assert torch.equal(prior.sample(given[7:8]), first[7:8])  # of its own row alone
        assert not torch.equal(first, prior.sample(given.flip(0)))

    def test_a_sample_has_its_shape_and_is_finite(self, member):
        prior = member(latent_dim=2)
        rare = torch.tensor([[-40.0], [-8.0], [0.0], [8.0], [40.0]]).expand(-1, prior.draws)
        for given in (noise(prior), rare):
            z = prior.sample(given)
            assert z.shape == (len(given), 2)
            assert z.dtype == torch.float32
            assert z.isfinite().all()

    def test_works_under_vmap(self, member):
        prior = member(latent_dim=2)
        given = noise(prior, 30).view(3, 10, -1)
        stacked = torch.func.vmap(prior.sample)(given)
        torch.testing.assert_close(stacked.flatten(0, 1), prior.sample(given.flatten(0, 1)))

    def test_settings_are_no_part_of_a_checkpoint(self, member):
        assert member(latent_dim=2).state_dict() == {}
        assert not list(member(latent_dim=2).parameters())

    def test_no_latents_are_refused(self, member):
        with pytest.raises(ValueError, match="latent_dim must be >= 1, got 0"):
            member(latent_dim=0)

    def test_the_density_is_finite_or_said_to_be_missing(self, member):
        prior, z = member(latent_dim=2), torch.tensor([[0.0, 0.0], [3.0, -4.0], [0.5, 0.1]])
        try:
            logs = prior.log_prob(z)
        except NotImplementedError as error:
            assert str(error) == f"{member.__name__} has no density in closed form."  # noqa: PT017
            return
        assert logs.shape == (3,)
        assert logs.isfinite().all()

    def test_the_density_integrates_to_one(self, member):
        assert float(density(member(latent_dim=2)).sum()) == pytest.approx(1, abs=1e-5)

    def test_samples_are_as_frequent_as_the_density_says(self, member):
        prior = member(latent_dim=2)
        expected = density(prior) * N
        z = prior.double().sample(noise(prior).double())
        place = ((z + EDGE) / (2 * EDGE / CELLS)).long()
        inside = (z.abs() < EDGE).all(1)
        found = (place[inside] @ torch.tensor([CELLS, 1])).bincount(minlength=CELLS**2).double()
        often = expected > 10
        chi = ((found - expected).square() / expected)[often].sum()
        cells = int(often.sum())
        assert cells > 100
        # chi-square of as many cells: mean `cells`, standard deviation sqrt(2 cells)
        assert abs(float(chi) - cells) < 4 * (2 * cells) ** 0.5
        assert found[~often].sum() == pytest.approx(expected[~often].sum(), abs=100)
