# SPDX-License-Identifier: Apache-2.0
import math

import numpy as np
import pytest
import torch

from disent.grid import FactorGrid
from disent.metrics.aggregate import entropies, log_density
from disent.metrics.mig_chen import (
    chen_information,
    gap_of_information,
    mig_chen,
    sampled_information,
)
from tests.metrics.goldens import CASES, load

GRID = FactorGrid(("a", "b"), (3, 4))
FAR = 20.0 * GRID.all_factors()  # posteriors of variance 1 that do not overlap
SMALL = load("sampling_small")


def test_perfect_code_whatever_its_order_and_sign():
    logvars = torch.zeros(12, 2)
    assert mig_chen(FAR, logvars, GRID).item() == pytest.approx(1, abs=1e-4)
    assert mig_chen(-FAR[:, [1, 0]], logvars, GRID).item() == pytest.approx(1, abs=1e-4)


def test_a_duplicated_code_and_the_prior_score_0():
    assert mig_chen(FAR.repeat(1, 2), torch.zeros(12, 4), GRID).item() == pytest.approx(0, abs=1e-4)
    nothing = torch.zeros(12, 3)
    assert mig_chen(nothing, nothing, GRID).item() == pytest.approx(0, abs=1e-9)


def test_a_collapsed_latent_does_not_count_though_its_mean_betrays_the_factor():
    means = torch.cat([FAR, 0.01 * FAR], dim=1)  # the copies move by less than their deviation
    assert mig_chen(means, torch.zeros(12, 4), GRID).item() > 0.95
    assert mig_chen(0.001 * FAR, torch.zeros(12, 2), GRID).item() < 0.01


def test_factors_can_be_left_out_and_those_of_size_1_are():
    means = torch.cat([FAR[:, 1:], torch.zeros(12, 1)], dim=1)  # a is not coded
    logvars = torch.zeros(12, 2)
    assert mig_chen(means, logvars, GRID).item() == pytest.approx(0.5, abs=1e-4)
    assert mig_chen(means, logvars, GRID, exclude="a").item() == pytest.approx(1, abs=1e-4)
    padded = FactorGrid(("one", "a", "b"), (1, 3, 4))
    assert mig_chen(means, logvars, padded).item() == pytest.approx(0.5, abs=1e-4)


@pytest.mark.parametrize(("name", "rows"), [("sampling_small", 360)])
def test_from_given_samples_it_equals_the_reference(name, rows):
    case, golden = load(name), CASES[name]["mig_sampling.score_all_factors"]
    assert len(case.grid) == rows
    found = sampled_information(case.samples, case.table, case.logvars, case.grid)
    marginal, conditional = (
        torch.tensor(golden[key]).double() for key in ("marginal_entropy", "cond_entropy")
    )
    torch.testing.assert_close(found.marginal, marginal, atol=1e-5, rtol=0)
    torch.testing.assert_close(found.conditional, conditional, atol=1e-5, rtol=0)
    gaps = gap_of_information(found.information, case.grid)
    torch.testing.assert_close(gaps, torch.tensor(golden["mig_k"]).double(), atol=1e-5, rtol=0)
    assert gaps.mean().item() == pytest.approx(golden["value"], abs=golden["atol"])
    without = CASES[name]["mig_sampling.score_without_first_factor"]
    assert gaps[1:].mean().item() == pytest.approx(without["value"], abs=without["atol"])


@pytest.mark.slow
def test_from_given_samples_a_trained_encoder_equals_the_reference():
    case, golden = load("trained_btcvae"), CASES["trained_btcvae"]["mig_sampling.score_all_factors"]
    noise = torch.from_numpy(np.random.RandomState(0).standard_normal(tuple(case.table.shape)))
    samples = case.table + (case.logvars / 2).exp() * noise
    found = sampled_information(samples, case.table, case.logvars, case.grid)
    gaps = gap_of_information(found.information, case.grid)
    assert gaps.mean().item() == pytest.approx(golden["value"], abs=golden["atol"])
    # the integral is what many such samples would give
    assert mig_chen(case.table, case.logvars, case.grid).item() == pytest.approx(
        golden["value"], abs=0.01
    )


def test_the_integral_is_the_mean_over_many_samples():
    generator = torch.Generator().manual_seed(0)
    found = []
    for _ in range(40):
        noise = torch.randn(SMALL.table.shape, generator=generator, dtype=torch.float64)
        samples = SMALL.table + (SMALL.logvars / 2).exp() * noise
        found.append(sampled_information(samples, SMALL.table, SMALL.logvars, SMALL.grid))
    exact = chen_information(SMALL.table, SMALL.logvars, SMALL.grid)
    for part in ("marginal", "conditional"):
        values = torch.stack([getattr(f, part) for f in found])
        error = values.std(0) / len(found) ** 0.5
        assert ((values.mean(0) - getattr(exact, part)).abs() < 5 * error + 1e-3).all()


@pytest.mark.slow
@pytest.mark.parametrize("scale", [1.0, 0.05, 3e-4])
def test_entropies_are_those_of_quadrature(scale):
    """Against the direct sum on a fine grid, with deviations that differ by a factor of 20."""
    generator = torch.Generator().manual_seed(1)
    mean = torch.randn(300, generator=generator).double()
    deviation = scale * (1.5 * torch.rand(300, generator=generator).double()).exp()
    groups = torch.arange(300) % 3
    whole, each = entropies(mean, 2 * deviation.log(), groups, 3)
    for rows, value in [(groups >= 0, whole), *((groups == g, each[g]) for g in range(3))]:
        reach = 8 * float(deviation.max())
        x = torch.linspace(-4 - reach, 4 + reach, 200_001, dtype=torch.float64)
        log_q = torch.cat(
            [
                log_density(part[:, None], mean[rows, None], 2 * deviation[rows, None].log())[:, 0]
                for part in x.split(20_000)
            ]
        )
        expected = -(log_q.exp() * log_q).sum() * (x[1] - x[0])
        assert value.item() == pytest.approx(expected.item(), abs=1e-3)


def test_one_normal_has_the_entropy_of_a_normal():
    whole, each = entropies(torch.full((5,), 0.3), torch.full((5,), -1.0), torch.zeros(5).long(), 1)
    expected = 0.5 * math.log(2 * math.pi * math.e) - 0.5
    assert whole.item() == pytest.approx(expected, abs=1e-4)
    assert each.item() == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("means", "logvars", "match"),
    [
        (FAR[:5], FAR, r"means has shape \[5, 2\], but the grid has 12 points"),
        (FAR, FAR[:, :1], r"logvars \[12, 1\], but equal tables"),
        (FAR * torch.nan, FAR, "means holds 24 values that are NaN"),
        (FAR, FAR * torch.inf, "logvars holds"),
    ],
)
def test_tables_that_do_not_fit_are_refused(means, logvars, match):
    with pytest.raises(ValueError, match=match):
        mig_chen(means, logvars, GRID)


def test_a_factor_that_does_not_exist_cannot_be_left_out():
    with pytest.raises(ValueError, match="exclude names 'shape', but the factors are a, b"):
        mig_chen(FAR, FAR, GRID, exclude="shape")
    with pytest.raises(ValueError, match="no factor is left"):
        mig_chen(FAR[:3], FAR[:3], FactorGrid(("a",), (3,)), exclude="a")
