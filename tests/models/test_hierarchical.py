# SPDX-License-Identifier: Apache-2.0
"""Hierarchical VAEs: rates and densities against torch's own, free bits, warm-up, pictures."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from disent.data import Digits
from disent.data.base import Batch
from disent.latents.levels import closed_walk, level_pictures
from disent.models import HierarchicalVAE
from disent.models.base import Model, take_step
from disent.models.hierarchical import dealt
from disent.networks import MLP
from tests.latents.test_pictures import shown

X = torch.rand(6, 1, 4, 4, generator=torch.Generator().manual_seed(0))
NOISE = torch.randn(6, 5, generator=torch.Generator().manual_seed(1))


def small(**more: Any) -> HierarchicalVAE:
    def network(c: int, d: int, o: int, **numbers: Any) -> MLP:
        return MLP(c, d, o, hidden=[16], **numbers)

    options = {"latent_dim": 5, "levels": [2, 2, 1], "width": 8, "size": (4, 4), **more}
    return HierarchicalVAE(network=network, **options)


def told(model: Model, step: int = 0) -> tuple[Tensor, dict[str, Tensor]]:
    return model(Batch(X), NOISE, step)


def test_rates_are_those_of_the_latents_in_their_own_units():
    """Level by level, in z = m + s u: KL(N(m + s mean, s std) || N(m, s)), by torch."""
    model = small()
    rate = told(model)[1]["rate"]
    features, state, column = model.climb(X), None, 5
    for size, level, seen in zip(
        [1, 2, 2], reversed(list(model.ladder.levels)), reversed(features), strict=True
    ):
        level: Any
        joined = seen if state is None else torch.cat([seen, state], -1)
        mean, logvar = level.q(joined).chunk(2, -1)
        m, s = torch.zeros(6, size), torch.ones(6, size)
        if state is not None:
            m, log_s = level.p(state).chunk(2, -1)
            s = log_s.exp()
        q, p = Normal(m + s * mean, s * (0.5 * logvar).exp()), Normal(m, s)
        torch.testing.assert_close(rate[:, column - size : column], kl_divergence(q, p))
        u = mean + (0.5 * logvar).exp() * NOISE[:, column - size : column]
        z = m + s * u
        path = level.path(z if state is None else torch.cat([z, state], -1))
        state = path if state is None else state + path
        column -= size
    assert column == 0
    assert state is not None
    u = model.ladder.descend(features, NOISE)
    torch.testing.assert_close(u.state, state)
    torch.testing.assert_close(model.decode(u.latents), model.network.decode(state))


def test_the_density_is_that_of_the_noise_over_the_volume_that_it_becomes():
    model = small()
    q = model.encode(X[:1])
    z = q.sample(NOISE[:1])
    jacobian: Any = torch.autograd.functional.jacobian(lambda n: q.sample(n[None])[0], NOISE[0])
    wanted = Normal(0, 1).log_prob(NOISE[0]).sum() - torch.linalg.slogdet(jacobian)[1]
    torch.testing.assert_close(q.log_prob(z), wanted[None], atol=1e-4, rtol=1e-4)
    # what is drawn of a level moves those below it, and none above: level 1 comes first
    assert (jacobian[:2, 2:].abs() > 1e-6).any()
    assert jacobian[2:, :2].abs().max() == 0
    assert jacobian[4:, :4].abs().max() == 0


def test_the_mean_rate_is_that_of_many_draws():
    model = small()
    q, n = model.encode(X), 20_000
    noise = torch.randn(n, 6, 5, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        z = q.sample(noise)
        sampled = q.log_prob(z) - Normal(0, 1).log_prob(z).sum(-1)
        rate = model.ladder.descend(model.climb(X), noise).rate
        assert rate is not None
        kl = q.kl()
    torch.testing.assert_close(sampled.mean(0), rate.sum(-1).mean(0), atol=0.1, rtol=0.02)
    torch.testing.assert_close(kl[:, 4], rate[0, :, 4])  # of the top level, exact
    assert kl.sum(-1).mean() == pytest.approx(float(rate.sum(-1).mean()), rel=0.1)
    assert q.sample(noise[:2]).shape == (2, 6, 5)
    torch.testing.assert_close(q.mean, q.sample(torch.zeros(6, 5)))
    assert q.logvar is None


def test_the_loss_by_hand():
    model = small(beta=2.0)
    loss, parts = told(model)
    distortion = model.distortion(X, model.encode(X).sample(NOISE))
    torch.testing.assert_close(parts["distortion"], distortion)
    torch.testing.assert_close(loss, (distortion + 2 * parts["rate"].sum(-1)).mean())
    logged = model.report(loss, parts, 0)
    levels = [logged[f"rate_level_{i}"].item() for i in (1, 2, 3)]
    wanted = [parts["rate"][:, part].sum(-1).mean().item() for part in ([0, 1], [2, 3], [4])]
    assert levels == pytest.approx(wanted, rel=1e-5)
    assert logged["elbo"].item() == pytest.approx(-distortion.mean().item() - sum(levels), rel=1e-5)


def test_free_bits_are_charged_to_every_level_and_not_to_be_saved():
    own = told(small())[1]["rate"].mean(0)
    levels = [own[part].sum().item() for part in ([0, 1], [2, 3], [4])]
    free = sorted(levels)[1]  # the middle one of the three, and the lowest costs as much
    model = small(free_bits=free)
    loss, parts = told(model)
    charged = sum(max(level, free) for level in levels)
    assert (loss - parts["distortion"].mean()).item() == pytest.approx(charged, rel=1e-5)
    model = small(free_bits=1e6)
    loss, parts = told(model)
    (loss - parts["distortion"].mean()).backward()
    assert all(w.grad is None or w.grad.abs().max() < 1e-4 for w in model.parameters())


def test_the_weight_of_the_rate_rises_over_the_warm_up():
    model = small(beta=3.0, warm_up=4)
    weights = [told(model, step)[1]["rate_weight"].item() for step in (0, 1, 3, 9)]
    assert weights == pytest.approx([0.75, 1.5, 3.0, 3.0])
    assert told(small(beta=3.0))[1]["rate_weight"].item() == 3.0


def test_one_level_is_a_vae():
    model = small(levels=1)
    parts = told(model)[1]
    q = model.encode(X)
    standard = q.sample(torch.ones(6, 5)) - q.mean
    wanted = 0.5 * (q.mean.square() + standard.square() - 1 - 2 * standard.log())
    torch.testing.assert_close(parts["rate"], wanted, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(q.kl(), wanted, atol=1e-4, rtol=1e-4)


def test_latents_are_dealt_to_the_levels():
    assert dealt(10, 2) == [5, 5]
    assert dealt(3, 3) == [1, 1, 1]
    assert small(levels=2).levels == [3, 2]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"levels": 6}, "6 levels came for 5 latents"),
        ({"levels": 0}, "0 levels came for 5 latents"),
        ({"levels": [4, 2]}, r"levels is \[4, 2\].*give --model.latent_dim 6"),
        ({"levels": []}, r"levels is \[\]"),
        ({"levels": [5, 0]}, r"levels is \[5, 0\]"),
        ({"beta": -1.0}, "beta must be >= 0, got -1"),
        ({"free_bits": math.nan}, "free_bits must be >= 0, got nan"),
        ({"warm_up": -5}, "warm_up must be >= 0, got -5"),
        ({"lr": 0.0}, "got lr 0.0 and width 8"),
        ({"width": 0}, "and width 0"),
    ],
)
def test_impossible_settings_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        small(**options)


class TopAndRest:
    """Pictures of two pixels: on the left the top level, on the right the first latent below it."""

    levels = (2, 1)
    device = torch.device("cpu")

    def __init__(self) -> None:
        self.levels = [2, 1]

    def picture(self, z: Tensor) -> Tensor:
        return z[:, [2, 0]].sigmoid().view(-1, 1, 1, 2)


def test_rows_share_the_top_level_and_columns_what_is_below():
    figure: Any = level_pictures(TopAndRest(), 0)["top_level_held"]
    picture = shown(figure)  # tiles of 1 x 2, two pixels between them
    tops, below = picture[::3, ::4], picture[::3, 1::4]
    assert tops.shape == below.shape == (6, 8)
    assert np.ptp(tops, axis=1).max() == np.ptp(below, axis=0).max() == 0
    assert len(np.unique(tops)) == 6
    assert len(np.unique(below)) == 8
    assert "Of 2 levels, with 2 and 1 latents" in figure.texts[-1].get_text().replace("\n", " ")


def test_the_walk_moves_the_top_level_alone():
    walk: Any = level_pictures(TopAndRest(), 0)["top_level_walk"]
    assert walk.frames.shape == (80, 1, 3 * 2, 4 * 3)
    tops, below = walk.frames[:, 0, ::2, ::3], walk.frames[:, 0, ::2, 1::3]
    torch.testing.assert_close(tops, tops[:, :1, :1].expand_as(tops))
    assert len(tops[:, 0, 0].unique()) > 70
    torch.testing.assert_close(below, below[:1].expand_as(below))
    assert len(below[0].unique()) == 12
    wanted = closed_walk(0, 80, 1).sigmoid()[:, 0]
    torch.testing.assert_close(tops[:, 0, 0], wanted)


def test_a_walk_is_closed_smooth_and_a_draw_from_the_prior_at_each_moment():
    walk = torch.stack([closed_walk(seed, 40, 50) for seed in range(20)])  # 1,000 walks
    steps = (walk - walk.roll(1, 1)).square().mean(-1).mean(0)
    # E |z(t + 1) - z(t)|^2 = the mean over harmonics of 2 - 2 cos(2 pi k / 40); also at the seam
    wanted = sum(2 - 2 * math.cos(2 * math.pi * k / 40) for k in (1, 2, 3)) / 3
    torch.testing.assert_close(steps, torch.full((40,), wanted), rtol=0.15, atol=0)
    assert walk[:, 7].var() == pytest.approx(1, abs=0.15)  # standard error sqrt(2 / 1000)
    assert walk[:, 7].mean() == pytest.approx(0, abs=0.13)


def test_one_level_has_no_pictures_of_its_own():
    assert level_pictures(small(levels=1), 0) == {}


@pytest.fixture(scope="module", params=[0.0, 0.5])
def trained(request) -> tuple[float, dict[str, Tensor]]:
    """Free bits, and what the last steps on every 14th digit logged."""
    x = Digits().batch(torch.arange(0, 1797, 14))
    more: dict[str, Any] = {"latent_dim": 6, "levels": [4, 2], "width": 32, "lr": 3e-3}
    model = small(size=(8, 8), free_bits=request.param, **more)
    optimizers = model.configure_optimizers()
    logged = []
    for step in range(400):
        noise = model.noise.normal(step, (len(x), 6))
        loss, parts = take_step(model, optimizers, Batch(x), noise, step)
        logged.append(model.report(loss, parts, step))
    return request.param, {
        n: torch.stack([one[n] for one in logged[-50:]]).mean() for n in logged[0]
    }


def test_free_bits_keep_levels_alive_that_would_die(trained):
    free, logged = trained
    levels = [logged["rate_level_1"].item(), logged["rate_level_2"].item()]
    if free:
        assert min(levels) > 0.4
        assert logged["elbo"] > -26  # the mean picture has -27.1, the pictures themselves -13.9
    else:
        assert min(levels) < 0.05
