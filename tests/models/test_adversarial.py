# SPDX-License-Identifier: Apache-2.0
"""What adversarial models share: two losses, by hand, and the part of a prior that a class gets."""

import math

import pytest
import torch

from disent.models.adversarial import fooling, telling
from disent.models.parts import of_part
from disent.priors import GaussianMixture, SwissRoll

NOISE = torch.randn(5000, 3, generator=torch.Generator().manual_seed(0))


def test_a_discriminator_that_guesses_costs_ln_2_and_a_sure_one_nothing():
    none = torch.zeros(4)
    loss, told = telling(none, none)
    assert loss.item() == pytest.approx(math.log(2))
    assert fooling(none).item() == pytest.approx(math.log(2))
    loss, told = telling(torch.full((4,), 30.0), torch.full((4,), -30.0))
    assert loss.item() == pytest.approx(0, abs=1e-6)
    assert told["discriminator_accuracy"].item() == 1
    # one of four samples and three of four codes taken for the other kind; -log 0.9 and -log 0.1
    odd = math.log(9.0)
    loss, told = telling(torch.tensor([odd, odd, odd, -odd]), torch.tensor([odd, odd, odd, -odd]))
    assert told["discriminator_accuracy"].item() == pytest.approx((3 / 4 + 1 / 4) / 2)
    assert loss.item() == pytest.approx(-(math.log(0.9) + math.log(0.1)) / 2, abs=1e-6)
    assert fooling(torch.tensor([odd])).item() == pytest.approx(-math.log(0.9), abs=1e-6)


@pytest.mark.parametrize(("classes", "each"), [(10, 1), (5, 2), (2, 5)])
def test_a_class_draws_from_its_own_petals_alone(classes, each):
    prior = GaussianMixture()
    for k in range(classes):
        noise = of_part(NOISE, torch.full((5000,), k), classes)
        petals = prior.component(noise)
        assert petals.unique().tolist() == list(range(k * each, (k + 1) * each))
        assert torch.equal(noise[:, 1:], NOISE[:, 1:])  # the place on the petal stays
    assert torch.equal(of_part(NOISE, torch.full((5000,), -1), classes), NOISE)
    mixed = of_part(NOISE, torch.arange(5000) % classes, classes)
    assert (prior.component(mixed) // each).tolist() == [i % classes for i in range(5000)]
    counts = prior.component(mixed).bincount(minlength=10)  # together they are the prior
    assert counts.min() > 400
    assert counts.max() < 600


def test_a_class_draws_from_its_own_stretch_of_the_band():
    """t^2 grows evenly along the band, and (4.5^2 - 1.5^2) pi^2 = 18 pi^2 in all."""
    prior = SwissRoll(blur=0)
    for k in range(10):
        z = prior.sample(of_part(NOISE, torch.full((5000,), k), 10))
        share = ((z.norm(dim=1) * prior.stop / 2).square() - prior.start**2) / (18 * math.pi**2)
        assert k / 10 < share.min() < k / 10 + 0.001
        assert k / 10 + 0.099 < share.max() < k / 10 + 0.1
        assert share.mean().item() == pytest.approx(k / 10 + 0.05, abs=0.002)


def test_numbers_far_out_stay_in_their_part():
    far = torch.tensor([[-40.0, 0, 0], [40.0, 0, 0], [-5.6, 0, 0], [5.6, 0, 0]])
    for k in range(10):
        inside = of_part(far, torch.full((4,), k), 10)
        assert inside.isfinite().all()
        assert GaussianMixture().component(inside).tolist() == [k] * 4
