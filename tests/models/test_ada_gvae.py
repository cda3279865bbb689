# SPDX-License-Identifier: Apache-2.0
"""Weak supervision by pairs: which latents are shared, what they become, and the loss of a pair."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from disent.data import Digits, FactorDataModule
from disent.data.base import Batch
from disent.gaussian import DiagonalGaussian
from disent.models import VAE, AdaGVAE, AdaMLVAE, GroupVAE
from disent.models.pairs import alike, average, product
from disent.networks import MLP
from tests.tiny import Squares

D = 4


def small(c: int, d: int, o: int, **numbers: Any) -> MLP:
    return MLP(c, d, o, hidden=[16], **numbers)


SMALL: dict[str, Any] = {"network": small, "latent_dim": D, "size": (8, 8)}


def gaussian(mean: list[list[float]], variance: list[list[float]]) -> DiagonalGaussian:
    return DiagonalGaussian(torch.tensor(mean), torch.tensor(variance).log())


def pair(n: int = 6, seed: int = 0) -> tuple[Batch, dict[str, Tensor]]:
    generator = torch.Generator().manual_seed(seed)
    x, other = torch.rand(2, n, 1, 8, 8, generator=generator)
    factors, changed = torch.randint(0, 2, (2, n, 3), generator=generator)
    first, second = torch.randn(2, n, D, generator=generator)
    return Batch(x, factors, Batch(other, changed)), {"posterior": first, "second": second}


# means apart by 0, 1, 3, 2 and unit variances: divergences 0, 1/2, 9/2, 2; the middle is 9/4
ONE = gaussian([[0.0, 1.0, 3.0, 2.0]], [[1.0] * 4])
OTHER = gaussian([[0.0] * 4], [[1.0] * 4])


@pytest.mark.parametrize(
    ("changed", "shared"),
    [
        (None, [True, True, False, True]),
        (1, [True, True, False, True]),
        (2, [True, True, False, False]),
        (3, [True, False, False, False]),
    ],
)
def test_the_choice_by_hand(changed, shared):
    assert alike(ONE, OTHER, changed).tolist() == [shared]
    assert alike(OTHER, ONE, changed).tolist() == [shared]


def test_the_choice_is_made_for_each_pair_by_the_divergence_from_the_second():
    # variances 1 and 4: KL(1 || 4) = (1/4 - 1 + ln 4) / 2 = 0.318, KL(4 || 1) = (3 - ln 4) / 2 =
    # 0.807; beside it a mean apart by 1.1: 0.605 -> the middle is 0.302 one way, 0.403 the other
    one = gaussian([[0.0, 0.0, 1.1], [0.0, 0.0, 0.01]], [[1.0, 1.0, 1.0]] * 2)
    other = gaussian([[0.0] * 3] * 2, [[1.0, 4.0, 1.0]] * 2)
    assert alike(one, other).tolist() == [[True, False, False], [True, False, True]]
    assert alike(other, one).tolist() == [[True, False, False], [True, False, True]]
    wider = gaussian([[0.0, 0.0, 0.95]], [[1.0, 1.0, 1.0]])  # 0.451 and the middle of 0.807: 0.403
    assert alike(gaussian([[0.0] * 3], [[1.0, 4.0, 1.0]]), wider).tolist() == [[True, False, False]]
    wider = gaussian([[0.0, 0.0, 0.85]], [[1.0, 1.0, 1.0]])  # 0.361
    assert alike(gaussian([[0.0] * 3], [[1.0, 4.0, 1.0]]), wider).tolist() == [[True, False, True]]


def test_all_latents_of_a_picture_beside_itself_are_shared():
    mean, logvar = torch.randn(2, 500, 10, generator=torch.Generator().manual_seed(0))
    q = DiagonalGaussian(mean, logvar)
    assert alike(q, q).all()


def test_average_and_product_by_hand():
    one, other = gaussian([[1.0, 0.0]], [[1.0, 4.0]]), gaussian([[3.0, 6.0]], [[3.0, 2.0]])
    joint = average(one, other)
    torch.testing.assert_close(joint.mean, torch.tensor([[2.0, 3.0]]))
    torch.testing.assert_close(joint.logvar.exp(), torch.tensor([[2.0, 3.0]]))
    # precisions 1 + 1/3 and 1/4 + 1/2; means (1 + 3/3) / (4/3) = 3/2 and (0 + 6/2) / (3/4) = 4
    joint = product(one, other)
    torch.testing.assert_close(joint.mean, torch.tensor([[1.5, 4.0]]))
    torch.testing.assert_close(joint.logvar.exp(), torch.tensor([[3 / 4, 4 / 3]]))


def test_the_product_of_the_densities_is_the_product_but_for_a_factor():
    mean, logvar = torch.randn(2, 2, 5, 3, generator=torch.Generator().manual_seed(1)).double()
    one, other = (DiagonalGaussian(m, v) for m, v in zip(mean, logvar, strict=True))
    z = torch.randn(9, 5, 3, generator=torch.Generator().manual_seed(2)).double()
    gap = one.log_prob(z) + other.log_prob(z) - product(one, other).log_prob(z)
    torch.testing.assert_close(gap, gap[:1].expand(9, 5))


def by_numpy(model: AdaGVAE, batch: Batch, noise: dict[str, Tensor]) -> tuple[float, float]:
    """The mean loss and the mean number of shared latents, a pair and a latent at a time."""
    assert batch.other is not None
    pictures, beta = (batch.x, batch.other.x), float(model.objective.beta)  # type: ignore[arg-type]
    with torch.no_grad():
        posteriors = [[part.double().numpy() for part in model.encode(x)] for x in pictures]  # type: ignore[union-attr]
    drawn = [noise[name].double().numpy() for name in ("posterior", "second")]
    losses, counts = [], []
    for i in range(len(batch.x)):
        (m1, v1), (m2, v2) = ((mean[i], np.exp(logvar[i])) for mean, logvar in posteriors)
        apart = 0.5 * (v1 / v2 + (m1 - m2) ** 2 / v2 - 1 - np.log(v1 / v2))
        if isinstance(model, GroupVAE):
            assert batch.factors is not None
            assert batch.other.factors is not None
            same = (batch.factors[i] == batch.other.factors[i]).tolist()
            shared = np.array([*same, *[False] * (D - len(same))])
        elif model.known:
            assert model.changed_factors is not None
            shared = np.isin(np.arange(D), np.argsort(apart)[: D - model.changed_factors])
        else:
            shared = apart < (apart.max() + apart.min()) / 2
        if isinstance(model, AdaMLVAE) or getattr(model, "joined", "") == "product":
            v = 1 / (1 / v1 + 1 / v2)
            m = v * (m1 / v1 + m2 / v2)
        else:
            v, m = (v1 + v2) / 2, (m1 + m2) / 2
        counts.append(shared.sum())
        for x, (mean, variance), e in zip(pictures, ((m1, v1), (m2, v2)), drawn, strict=True):
            mean, variance = np.where(shared, m, mean), np.where(shared, v, variance)
            z = torch.from_numpy(mean + np.sqrt(variance) * e[i])[None].float()
            with torch.no_grad():
                p = model.decode(z).sigmoid().double().numpy().ravel()
            seen = x[i].double().numpy().ravel()
            distortion = -(seen * np.log(p) + (1 - seen) * np.log(1 - p)).sum()
            rate = 0.5 * (mean**2 + variance - 1 - np.log(variance)).sum()
            losses.append(distortion + beta * rate)
    return float(np.mean(losses)), float(np.mean(counts))


MADE = {
    "AdaGVAE": lambda: AdaGVAE(**SMALL),
    "AdaGVAE, beta 3": lambda: AdaGVAE(3.0, **SMALL),
    "AdaGVAE, k known": lambda: AdaGVAE(1.0, 2, True, **SMALL),
    "AdaMLVAE": lambda: AdaMLVAE(**SMALL),
    "GroupVAE": lambda: GroupVAE(**SMALL),
    "GroupVAE, product": lambda: GroupVAE("product", 2.0, **SMALL),
}


@pytest.mark.parametrize("name", MADE)
def test_the_loss_of_pairs_by_numpy(name):
    model, (batch, noise) = MADE[name](), pair()
    loss, told = model.step_loss(batch, noise, 0)
    wanted, shared = by_numpy(model, batch, noise)
    assert float(loss.detach()) == pytest.approx(wanted, rel=1e-5)
    assert float(told["shared_latents"].mean()) == pytest.approx(shared)
    assert 0 < shared < D
    assert told["distortion"].shape == (12,)
    assert told["rate"].shape == (12, D)


@pytest.mark.parametrize("name", MADE)
def test_both_pictures_have_a_gradient_and_the_choice_has_none(name):
    model, (batch, noise) = MADE[name](), pair()
    assert batch.other is not None
    x, other = batch.x.clone().requires_grad_(), batch.other.x.clone().requires_grad_()
    given = Batch(x, batch.factors, Batch(other, batch.other.factors))
    model.step_loss(given, noise, 0)[0].backward()
    assert all(g is not None and (g.flatten(1).norm(dim=1) > 0).all() for g in (x.grad, other.grad))
    # the same with the choice given from outside
    one, second = model.encode(batch.x), model.encode(batch.other.x)
    assert isinstance(one, DiagonalGaussian)
    assert isinstance(second, DiagonalGaussian)
    fixed, wanted = model.shared(one, second, batch), x.grad
    assert wanted is not None
    assert not fixed.requires_grad
    model.shared = lambda *_: fixed  # type: ignore[method-assign]
    again = batch.x.clone().requires_grad_()
    model.step_loss(given._replace(x=again), noise, 0)[0].backward()
    assert again.grad is not None
    assert torch.equal(again.grad, wanted)


def test_a_pair_of_the_same_picture_is_a_vae_of_it():
    batch, noise = pair()
    twice = Batch(batch.x, batch.factors, Batch(batch.x, batch.factors))
    noise["second"] = noise["posterior"]
    alone, told = VAE(**SMALL).step_loss(batch, noise, 0)
    loss, of_pairs = AdaGVAE(**SMALL).step_loss(twice, noise, 0)
    assert (of_pairs["shared_latents"] == D).all()
    torch.testing.assert_close(loss, alone)
    # the product of a density with itself: half the variance
    model = AdaMLVAE(**SMALL)
    q = model.encode(batch.x)
    assert isinstance(q, DiagonalGaussian)
    halved = DiagonalGaussian(q.mean, q.logvar - np.log(2))
    rate = model.step_loss(twice, noise, 0)[1]["rate"]
    torch.testing.assert_close(rate, halved.kl().repeat(2, 1))
    torch.testing.assert_close(told["rate"], q.kl())


def test_labels_choose_the_latents_of_their_factors():
    model = GroupVAE(**SMALL)
    batch = Batch(torch.zeros(2, 1, 8, 8), torch.tensor([[0, 5, 2], [1, 1, 1]]))
    other = Batch(batch.x, torch.tensor([[0, 4, 2], [0, 0, 0]]))
    shared = model.shared(OTHER, OTHER, batch._replace(other=other))
    assert shared.tolist() == [[True, False, True, False], [False] * 4]


@pytest.mark.parametrize("changed", [1, 2, None])
def test_the_loader_draws_the_pairs_that_the_model_asks_for(changed):
    model = GroupVAE(changed_factors=changed, network=small)
    batch = FactorDataModule(Squares(), 64).loader_for(model).at(0)
    assert batch.other is not None
    assert batch.factors is not None
    differing = (batch.factors != batch.other.factors).sum(1)  # of three; drawn anew, some stay
    assert differing.max() == (changed or 2)
    assert differing.min() == 0


BROKEN = {
    "no pairs": (
        lambda: AdaGVAE(**SMALL).step_loss(Batch(torch.zeros(2, 1, 8, 8)), {}, 0),
        "AdaGVAE learns from pairs of pictures, but a batch without pairs came",
    ),
    "no labels": (
        lambda: GroupVAE(**SMALL).step_loss(
            Batch(torch.zeros(2, 1, 8, 8), None, Batch(torch.zeros(2, 1, 8, 8))), {}, 0
        ),
        "GroupVAE wants the factors of both pictures",
    ),
    "no grid": (
        lambda: AdaGVAE(**SMALL).check_data(Digits()),
        "want a whole grid of factors, but Digits is none",
    ),
    "too many factors change": (
        lambda: AdaGVAE(changed_factors=4, **SMALL).check_data(Squares()),
        "differ in 4 factors, but there are 3",
    ),
    "more factors than latents": (
        lambda: GroupVAE(network=small, latent_dim=2).check_data(Squares()),
        "each of 3 factors wants a latent of its own, but latent_dim is 2",
    ),
    "all covariances": (
        lambda: AdaMLVAE(posterior="full", **SMALL),
        "the posterior is full: take --model.posterior diagonal",
    ),
    "none changes": (
        lambda: AdaGVAE(changed_factors=0, **SMALL),
        "changed_factors must be >= 1, got 0",
    ),
    "known but drawn": (
        lambda: AdaGVAE(changed_factors=None, known=True, **SMALL),
        "below the 4 latents, but they are None",
    ),
    "known but all": (
        lambda: AdaGVAE(changed_factors=4, known=True, **SMALL),
        "below the 4 latents, but they are 4",
    ),
    "joined otherwise": (
        lambda: GroupVAE("mixture", **SMALL),  # type: ignore[arg-type]
        "joined must be 'average' or 'product', got 'mixture'",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_cannot_be_is_refused_in_one_line(name):
    act, message = BROKEN[name]
    with pytest.raises(ValueError, match=message) as error:
        act()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("member", [AdaGVAE, AdaMLVAE, GroupVAE])
def test_of_a_grid_that_is_taken_the_pairs_differ_in_one_factor(member):
    model = member(**SMALL)
    model.check_data(Squares())
    batch = FactorDataModule(Squares(), 32).loader_for(model).at(0)
    assert batch.other is not None
    index = [Squares().grid.factors(_rows(x)) for x in (batch.x, batch.other.x)]
    assert ((index[0] != index[1]).sum(1) <= 1).all()
    assert (index[0] != index[1]).any()


def _rows(x: Tensor) -> Tensor:
    """Which pictures these are, found by their pixels."""
    every = Squares().batch(torch.arange(len(Squares()))).flatten(1)
    return torch.cdist(x.flatten(1), every).argmin(1)
