# SPDX-License-Identifier: Apache-2.0
"""SCAN over a VAE whose code is known: what its concepts, pictures and operators come to."""

import math
from typing import Any

import pytest
import torch

from disent.data.base import Batch
from disent.gaussian import DiagonalGaussian
from disent.latents.concepts import imagined, named, recombinations
from disent.latents.symbols import symbol_pictures
from disent.models import SCAN
from disent.models.base import take_step
from disent.models.symbols import held_out
from tests.models.exact import SQUARES, SURE, Exact

FACTORS: dict[str, Any] = {
    "factor_names": SQUARES.grid.names,
    "factor_sizes": SQUARES.grid.sizes,
}
EVERYTHING = torch.arange(128)


def small(**more: Any) -> SCAN:
    return SCAN(Exact(), **{**FACTORS, "width": 64, "operator_width": 32, **more})


def noise_of(model: SCAN, step: int, batch: int) -> torch.Tensor:
    return model.noise.normal(step, (batch, sum(model.draws().values())))


@pytest.fixture(scope="module")
def trained() -> SCAN:
    """With symbols of two values of size and four of each position."""
    model = small(lr=3e-3)
    optimizers = model.configure_optimizers()
    batch = SQUARES.at(EVERYTHING)
    for step in range(1600):
        if step == 1200:  # Adam's steps of 0.003 swing around the optimum
            for optimizer in optimizers:
                optimizer.param_groups[0]["lr"] = 3e-4
        take_step(model, optimizers, batch, noise_of(model, step, 128), step)
    return model.eval()


def test_concepts_are_narrow_where_something_is_said_and_wide_elsewhere(trained):
    """With -log p(y|z) aside, the optimum N(m, v) has m = 10 u / (10 + v) and v^2 + 9 v = 10 s^2.

    u and s^2 are mean and variance of the codes of all pictures that the symbol describes.
    """
    with torch.no_grad():
        nothing = trained.concepts(trained.concepts.symbol())
        torch.testing.assert_close(nothing.mean, torch.zeros(1, 4), atol=0.1, rtol=0)
        torch.testing.assert_close(nothing.logvar, torch.zeros(1, 4), atol=0.15, rtol=0)
        large = trained.concepts(trained.concepts.symbol(size=1))
    assert large.mean[0].tolist() == pytest.approx([1, 0, 0, 0], abs=0.1)
    assert large.logvar[0, 1:].tolist() == pytest.approx([0, 0, 0], abs=0.15)
    assert math.exp(large.logvar[0, 0] / 2) == pytest.approx(SURE * (10 / 9) ** 0.5, rel=0.3)
    with torch.no_grad():
        left = trained.concepts(trained.concepts.symbol(pos_x=0))  # columns 0 and 1 of 8
    spacing = (12 / 63) ** 0.5
    assert left.mean[0, 1].item() == pytest.approx(-3 * spacing, abs=0.05)
    variance = (spacing / 2) ** 2 + SURE**2
    assert math.exp(left.logvar[0, 1]) == pytest.approx(variance * 10 / 9, rel=0.2)
    assert left.logvar[0, [0, 2, 3]].tolist() == pytest.approx([0, 0, 0], abs=0.15)


def test_every_picture_is_named_rightly(trained):
    found = named(trained, SQUARES, 500)
    assert found.right.tolist() == [1, 1, 1]
    # two sizes and four of each position, each as frequent
    assert found.chance.tolist() == pytest.approx([0.5, 0.25, 0.25], abs=0.06)
    assert found.coded == [0, 1, 2]


def test_imagined_pictures_show_what_is_said_and_are_even_in_the_rest(trained):
    """A concept of two columns has std 0.236, and its ends lie 0.436 from its mean: of inner ones
    6.5 % of the pictures are beside them, of those at the border half that; together 95.2 %.
    """
    found = imagined(trained, SQUARES, each=100)
    assert found.reconstructed.right.tolist() == [1, 1, 1]
    assert found.shares.right[0] == 1
    assert found.shares.right[1:].tolist() == pytest.approx([0.952, 0.952], abs=0.025)
    # N(0, 1) cut at 0 is even; at 0 and +-0.873 it has entropy 0.98 ln 4
    assert found.spread.tolist() == pytest.approx([1, 0.98, 0.98], abs=0.05)


def test_operators_find_the_symbol_of_pairs_that_they_were_not_trained_on(trained):
    found = recombinations(trained, SQUARES, [0, 1, 2])
    for name, score in found.items():
        assert 0 <= score.divergence < 2, name
        assert score.of_first > 20 * score.divergence, name
        assert score.right > score.best - 0.15 > 0.8, name
        assert score.pairs > 500


def test_a_concept_is_read_as_what_it_says_and_no_more(trained):
    noise = torch.randn(64, 1, 4, generator=torch.Generator().manual_seed(0))
    for said in ({}, {"size": 1}, {"pos_x": 2, "pos_y": 0}, {"size": 0, "pos_y": 3}):
        symbol = trained.concepts.symbol(**said)
        assert torch.equal(trained.concepts.read(trained.concepts(symbol), noise), symbol)


def test_it_draws_symbols_and_recombined_pairs(trained):
    with torch.no_grad():
        drawn: Any = symbol_pictures(trained, SQUARES, 0)
    (axes,) = drawn["imagined"].axes
    rows = [label.get_text() for label in axes.get_yticklabels()]
    assert rows[:3] == ["nothing said", "size 0", "size 1"]
    assert rows[-1].replace("\n", ", ").startswith("size ")
    note = " ".join(text.get_text() for text in drawn["imagined"].texts).replace("\n", " ")
    assert "size 100% (5" in note
    (axes,) = drawn["recombined"].axes
    rows = [label.get_text() for label in axes.get_yticklabels()]
    assert rows[2::3] == ["AND", "IN COMMON", "IGNORE"]


# without training


def test_the_loss_is_the_sum_of_its_terms_and_lambda_weighs_grounding():
    model = small(grounding=7.0)
    loss, told = model(SQUARES.at(EVERYTHING[:16]), noise_of(model, 0, 16))
    parts = [told[f"symbol_{name}"].mean() for name in ("distortion", "rate", "grounding")]
    torch.testing.assert_close(loss, parts[0] + parts[1] + 7 * parts[2])


def test_grounding_is_the_divergence_of_the_concept_from_what_is_seen():
    model, noise = small(), noise_of(small(), 0, 2)
    with torch.no_grad():
        model.concepts.encoder[-1].weight.zero_()  # pyright: ignore
        model.concepts.encoder[-1].bias.zero_()  # pyright: ignore
    told = model(SQUARES.at(torch.tensor([0, 127])), noise)[1]
    # q(z|y) is the prior, so that it is the rate: of +-1 and twice +-3.5 / 2.29, variance 0.05^2
    mean = 1 + 2 * 3.5**2 * 12 / 63
    rate = 0.5 * (mean + 3 * (SURE**2 - 1 - 2 * math.log(SURE)))
    assert told["symbol_grounding"].tolist() == pytest.approx([rate, rate], rel=1e-4)
    assert told["symbol_rate"].tolist() == [0, 0]


def test_what_is_not_known_is_not_said():
    model = small()
    factors = torch.tensor([[1, 7, 3], [-1, 7, -1], [-1, -1, -1]])
    assert model.concepts.symbols(factors).tolist() == [[1, 3, 1], [-1, 3, -1], [-1, -1, -1]]
    z = torch.zeros(1, 4).expand(3, -1)
    missed = model.concepts.distortion(model.concepts.symbols(factors), z)
    assert missed[2] == 0
    assert missed[1].item() == pytest.approx(-model.concepts.probabilities(z)[1][1, 3].log().item())
    assert missed[0] > missed[1]


def by_hand(first: list[int], second: list[int], sizes: tuple[int, ...]) -> bool:
    """The rule of held_out in whole numbers of any size."""

    def number(symbol: list[int]) -> int:
        value = 0
        for v, size in zip(symbol, sizes, strict=True):
            value = value * (size + 1) + v + 1
        return value

    low, high = sorted((number(first), number(second)))
    pair = low * math.prod(size + 1 for size in sizes) + high
    mixed = pair * 11400714819323198485 % 2**64  # 2^64 / golden ratio, odd
    signed = mixed - 2**64 if mixed >= 2**63 else mixed
    return signed // 2**33 % 5 == 0


def test_one_pair_in_five_is_held_out_whatever_its_order():
    sizes = (3, 4, 4, 4, 4)
    generator = torch.Generator().manual_seed(0)
    a, b = (
        torch.stack([torch.randint(-1, n, (4000,), generator=generator) for n in sizes], 1)
        for _ in range(2)
    )
    found = held_out(a, b, sizes)
    assert found.float().mean().item() == pytest.approx(0.2, abs=0.03)
    assert torch.equal(found, held_out(b, a, sizes))
    wanted = [by_hand(x, y, sizes) for x, y in zip(a[:200].tolist(), b[:200].tolist(), strict=True)]
    assert found[:200].tolist() == wanted


def test_operators_learn_nothing_from_pairs_that_are_held_out():
    model, seen = small(), set()
    for step in range(40):
        batch, noise = SQUARES.at(EVERYTHING[step : step + 1]), noise_of(model, step, 1)
        parts = dict(zip(model.draws(), noise.split(list(model.draws().values()), 1), strict=True))
        first, second, _ = model.pairs("and", model.concepts.symbols(batch.factors), parts)
        out = bool(model.held_out(first, second))  # a batch of one: all operators have this pair
        assert (model(batch, noise, 0, "recombine")[0] == 0) == out
        seen.add(out)
    assert seen == {True, False}


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"grounding": -1.0}, "grounding must be >= 0, got -1.0"),
        ({"coarseness": 1}, "coarseness is 1, but a symbol tells 2 values apart"),
        ({"width": 0}, "got a width of 0"),
        ({"lr": 0.0}, "lr 0.0, but numbers > 0"),
        ({"factor_names": (), "factor_sizes": ()}, "take a dataset that has some"),
    ],
)
def test_impossible_settings_are_refused(more, words):
    with pytest.raises(ValueError, match=words):
        small(**more)


def test_symbols_that_say_what_is_not_there_are_refused():
    model = small()
    assert model.concepts.symbol(pos_x=3).tolist() == [[-1, 3, -1]]
    for said in ({"pos_x": 4}, {"colour": 0}):
        with pytest.raises(ValueError, match=r"no symbol says .* 'pos_x': 4"):
            model.concepts.symbol(**said)
    with pytest.raises(ValueError, match="a batch came without"):
        model(Batch(SQUARES.batch(EVERYTHING[:2])), noise_of(model, 0, 2))


def test_a_concept_of_the_prior_says_nothing():
    noise = torch.randn(64, 1, 4, generator=torch.Generator().manual_seed(0))
    zeros = torch.zeros(1, 4)
    assert small().concepts.read(DiagonalGaussian(zeros, zeros), noise).tolist() == [[-1, -1, -1]]
