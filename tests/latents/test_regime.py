# SPDX-License-Identifier: Apache-2.0
import pytest
import torch

from disent.latents.regime import passive_share, regimes


def test_a_latent_that_says_nothing_is_passive_and_a_mixed_one_is_passive_at_times():
    """z0: the prior everywhere; z1: a code everywhere; z2: a code for one picture in two."""
    means = torch.tensor([[0.0, 2.0, 0.0], [0.1, -1.0, 1.5]] * 10)
    logvars = torch.tensor([[0.0, -5.0, 0.0], [0.05, -4.0, -5.0]] * 10)
    assert passive_share(means, logvars).tolist() == [1.0, 0.0, 0.5]
    assert regimes(means, logvars) == ("passive", "active", "mixed")


def test_a_code_that_moves_is_not_passive_though_its_variance_is_the_priors():
    assert regimes(torch.tensor([[2.0], [-2.0]]), torch.zeros(2, 1)) == ("active",)


def test_what_does_not_fit_is_an_error():
    with pytest.raises(ValueError, match="one row a picture"):
        regimes(torch.zeros(2, 3), torch.zeros(2, 2))
    with pytest.raises(ValueError, match="NaN or infinite"):
        regimes(torch.full((2, 1), torch.nan), torch.zeros(2, 1))
