# SPDX-License-Identifier: Apache-2.0
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.svm import LinearSVC

from disent.metrics.samples import Sample
from disent.metrics.sap import sap, sap_matrix, sap_of_matrix, sap_r2
from disent.metrics.solvers.convergence import NotConverged
from tests.metrics.goldens import CASES, FUNCTIONS, arrays, load

GRID = torch.cartesian_prod(torch.arange(4), torch.arange(2))  # every value of two factors, once
KNOWN_R2 = {
    "perfect": (GRID, 1.0),
    "permuted, flipped and rescaled": (-7.0 * GRID[:, [1, 0]] + 3, 1.0),
    "duplicated": (GRID.repeat(1, 2), 0.0),
    "constant": (torch.ones(8, 3), 0.0),
    "more latents than factors": (torch.cat([GRID, torch.zeros(8, 3)], 1), 1.0),
    # factor 0 wholly, factor 1 not at all: mean of 1 and 0
    "a single latent": (GRID[:, :1], 0.5),
    # factor 0: 1 - r2, with r2 of 0 1 2 3 and 0 0 1 1 = (1/2)^2 / (5/4 * 1/4) = 4/5; factor 1: 0
    "coarse copy": (torch.stack([GRID[:, 0], GRID[:, 0] // 2], 1), 0.1),
    # a latent that is the sum: r2 of 5/4 and 1/4 over their sum 3/2; alone, so that the gap is r2
    "sum": (GRID.sum(1, keepdim=True), (5 / 6 + 1 / 6) / 2),
}


def samples(name: str) -> tuple[Sample, Sample]:
    case = load(name)
    train, test = (Sample(case.table[r], case.grid.factors(r)) for r in (case.train, case.test))
    return train, test


@pytest.mark.parametrize("name", KNOWN_R2)
def test_sap_r2_known_answers(name):
    codes, expected = KNOWN_R2[name]
    assert sap_r2(codes.float(), GRID).item() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_sap_r2_equals_the_reference(name):
    golden, train = CASES[name]["sap.continuous"], samples(name)[0]
    if golden["kind"] == "exact":
        assert sap_r2(*train).item() == pytest.approx(golden["value"], abs=1e-8)
    else:
        assert golden["value"] == "nan"
        assert name == "size1_factor"
        # the reference's own numbers, without the factor of one value
        matrix = torch.tensor([row[1:] for row in golden["matrix"]]).double().T
        assert sap_r2(*train).item() == pytest.approx(sap_of_matrix(matrix).item(), abs=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_sap_equals_the_reference(name):
    golden = CASES[name]["sap.discrete"]
    matrix = sap_matrix(*samples(name))
    if golden["kind"] == "reference_failure":
        assert name == "size1_factor"
        assert matrix.isnan().all(1).tolist() == [True, False, False, False, False]
        assert 0.2 < sap_of_matrix(matrix) == sap_of_matrix(matrix[1:])
    else:
        # The stated tolerance is 0.005; a few rows on a threshold are all that differs.
        assert sap_of_matrix(matrix).item() == pytest.approx(golden["value"], abs=1e-3)
        expected = torch.tensor(golden["matrix"], dtype=torch.float64).T
        torch.testing.assert_close(matrix, expected, atol=6e-3, rtol=0)


@pytest.mark.parametrize("number", [0, 1])
def test_gap_of_a_matrix_equals_the_reference(number):
    golden = FUNCTIONS[f"core_sap_matrix{number}"]
    score = sap_of_matrix(arrays("core")[f"sap{number}"].T)
    assert score.item() == pytest.approx(golden["value"]["score"], abs=golden["atol"])


def test_two_values_are_told_apart_by_their_own_latent():
    # factor 0 by latent 0 wholly; by latent 1 at chance, as factor 1 by both: a gap of 1/2, and 0
    rows = Sample(
        torch.tensor([[-9.0, 0.0], [-9.0, 0.0], [9.0, 0.0], [9.0, 0.0]]),
        torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]]),
    )
    expected = torch.tensor([[1.0, 0.5], [0.5, 0.5]], dtype=torch.float64)
    assert torch.equal(sap_matrix(rows, rows), expected)
    assert sap_of_matrix(expected) == 0.25


def test_a_constant_latent_predicts_the_most_frequent_value():
    rows = Sample(torch.full((6, 1), 0.3), torch.tensor([[0], [1], [1], [2], [2], [2]]))
    assert sap_matrix(rows, rows).tolist() == [[0.5]]


def test_a_value_without_train_rows_is_never_predicted():
    train = Sample(torch.tensor([[-9.0], [9.0]]), torch.tensor([[0], [2]]))
    # the middle would be the 1 that no train row has; the ends are told apart
    test = Sample(torch.tensor([[-9.0], [9.0], [-1.0], [1.0]]), torch.tensor([[0], [2], [1], [1]]))
    assert sap_matrix(train, test).tolist() == [[0.5]]


@pytest.mark.parametrize("number", [1e100, -1e100])
def test_codes_that_overflow_are_refused(number):
    codes = torch.tensor([[number], [0.0]], dtype=torch.float64)
    with pytest.raises(ValueError, match=r"codes go up to 1e\+100, but at most 3.4e\+38"):
        sap_matrix(*[Sample(codes, torch.tensor([[0], [1]]))] * 2)


def test_machines_that_do_not_converge_say_so(monkeypatch):
    def one_step(**settings: Any) -> LinearSVC:
        settings["max_iter"] = 1
        return LinearSVC(**settings)

    monkeypatch.setattr("sklearn.svm.LinearSVC", one_step)
    codes = torch.randn(50, 1, generator=torch.Generator().manual_seed(0))
    rows = Sample(codes, (codes > 0).long())
    with pytest.raises(NotConverged, match="did not converge in 1 steps"):
        sap_matrix(rows, rows)


def test_a_perfect_code_scores_far_below_one():
    factors = torch.cartesian_prod(*(torch.arange(size) for size in (3, 6, 8)))
    assert 0.2 < sap(factors.float(), factors) < 0.5
    assert sap_r2(factors.float(), factors).item() == pytest.approx(1, abs=1e-12)


def test_sap_is_of_the_rows_it_draws():
    case = load("noisy_snr10")
    codes, factors = case.table, case.grid.all_factors()
    scores = [sap(codes, factors, seed=seed, train=2000, test=1000) for seed in (0, 0, 1)]
    assert scores[0] == scores[1] != scores[2]
    # noise of 1000 test rows; the golden is of other rows of the same table
    golden = CASES["noisy_snr10"]["sap.discrete"]["value"]
    assert scores[0].item() == pytest.approx(golden, abs=0.03)


def test_a_single_latent_is_compared_with_a_constant_one():
    latent = GRID[:, :1].float()
    pair = torch.cat([latent, torch.full_like(latent, 5.0)], dim=1)
    assert sap_r2(latent, GRID) == sap_r2(pair, GRID)
    assert sap(latent, GRID).item() == pytest.approx(sap(pair, GRID).item(), abs=0.02)
    assert sap(latent, GRID) > 0.05
    assert sap(torch.zeros(8, 1), GRID) == 0


@pytest.mark.parametrize("score", [sap, sap_r2])
def test_one_valued_factor_is_left_out_of_the_mean(score):
    with_one = torch.cat([GRID, torch.full((8, 1), 3)], dim=1)
    codes = torch.randn(8, 3, generator=torch.Generator().manual_seed(0))
    assert score(codes, with_one) == score(codes, GRID)


@pytest.mark.parametrize("score", [sap, sap_r2])
@pytest.mark.parametrize("rows", [1, 5])
def test_without_a_factor_that_varies_there_is_no_score(score, rows):
    factors = torch.full((rows, 2), 3)
    with pytest.raises(ValueError, match=f"2 factors has only one value in the {rows} rows"):
        score(torch.randn(rows, 4), factors)


def test_errors():
    with pytest.raises(ValueError, match=r"none of the 2 factors has two values in the rows drawn"):
        sap(GRID.float(), GRID, train=1)
    with pytest.raises(ValueError, match=r"shape \[3, 1\], but .* two or more latents"):
        sap_of_matrix(torch.zeros(3, 1))
    with pytest.raises(ValueError, match="got seed=-1"):
        sap(GRID.float(), GRID, seed=-1)


@settings(deadline=None, max_examples=40, derandomize=True)
@given(st.integers(0, 999), st.integers(1, 5), st.randoms(use_true_random=False))
def test_sap_r2_ignores_order_sign_scale_and_offset_of_latents_and_is_a_share(seed, d, random):
    codes = torch.randn(8, d, generator=torch.Generator().manual_seed(seed)).double()
    scale = torch.tensor([random.choice([-1, 1]) * 10 ** random.uniform(-3, 3) for _ in range(d)])
    changed = (codes * scale + 2.5)[:, random.sample(range(d), d)]
    score = sap_r2(codes, GRID)
    torch.testing.assert_close(sap_r2(changed, GRID), score, atol=1e-9, rtol=0)
    assert 0 <= score <= 1


@settings(deadline=None, max_examples=20, derandomize=True)
@given(st.integers(0, 999), st.integers(1, 5), st.randoms(use_true_random=False))
def test_sap_ignores_order_and_sign_of_latents_and_is_a_share(seed, d, random):
    codes = torch.randn(8, d, generator=torch.Generator().manual_seed(seed)).double()
    signs = torch.tensor([random.choice([-1.0, 1.0]) for _ in range(d)])
    changed = (codes * signs)[:, random.sample(range(d), d)]
    score = sap(codes, GRID, train=300, test=200)
    torch.testing.assert_close(sap(changed, GRID, train=300, test=200), score, atol=1e-9, rtol=0)
    assert 0 <= score <= 1
