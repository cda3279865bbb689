# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from disent.metrics import mig
from disent.metrics.mig import mig_per_factor
from tests.metrics.goldens import CASES, load

GRID = torch.cartesian_prod(torch.arange(4), torch.arange(2))  # every value of two factors, once
KNOWN = {
    "perfect": (GRID, 1.0),
    "permuted, flipped and rescaled": (-7.0 * GRID[:, [1, 0]] + 3, 1.0),
    "duplicated": (GRID.repeat(1, 2), 0.0),
    "constant": (torch.ones(8, 3), 0.0),
    # each factor is all of one latent and nothing of the others
    "more latents than factors": (torch.cat([GRID, torch.zeros(8, 3)], 1), 1.0),
    # factor 0 wholly, factor 1 not at all: mean of 1 and 0
    "a single latent": (GRID[:, :1], 0.5),
    # factor 0: (log 4 - log 2) / log 4 = 1/2; factor 1 is not coded; mean 1/4
    "coarse copy": (torch.stack([GRID[:, 0], GRID[:, 0] // 2], 1), 0.25),
}


@pytest.mark.parametrize("name", KNOWN)
def test_mig_known_answers(name):
    codes, expected = KNOWN[name]
    torch.testing.assert_close(mig(codes.float(), GRID).item(), expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize("name", CASES)
def test_mig_equals_the_reference(name):
    case = load(name)
    for bins in (10, 20, 50):
        golden = CASES[name][f"mig.bins{bins}"]
        if golden["kind"] == "exact":
            score = mig(case.codes, case.factors, bins=bins).item()
            assert score == pytest.approx(golden["value"], abs=golden["atol"])


@pytest.mark.parametrize("name", CASES)
def test_mig_per_factor_equals_the_reference(name):
    case, golden = load(name), CASES[name]["mig.bins20"]
    expected = torch.tensor([float(gap) for gap in golden["per_factor"]], dtype=torch.float64)
    gaps = mig_per_factor(case.codes.float(), case.factors)
    torch.testing.assert_close(gaps, expected, atol=1e-6, rtol=0, equal_nan=True)


def test_one_valued_factor_is_left_out_of_the_mean():
    case = load("size1_factor")
    assert case.grid.sizes[0] == 1
    score = mig(case.codes, case.factors)
    assert score == mig(case.codes, case.factors[:, 1:])
    expected = CASES["size1_factor"]["mig.bins20"]["per_factor"][1:]
    assert score.item() == pytest.approx(sum(expected) / len(expected), abs=1e-6)


@pytest.mark.parametrize("rows", [1, 5])
def test_without_a_factor_that_varies_there_is_no_score(rows):
    factors = torch.full((rows, 2), 3)
    with pytest.raises(ValueError, match=f"2 factors has only one value in the {rows} rows"):
        mig(torch.randn(rows, 4), factors)


LEVELS = arrays(
    np.int64, st.tuples(st.integers(1, 40), st.integers(1, 5)), elements=st.integers(0, 19)
)
PROPERTY = settings(deadline=None, max_examples=60, derandomize=True)


def off_edges(levels: np.ndarray) -> torch.Tensor:
    """Codes in the middles of 20 bins of width 1, plus two rows that pin the range to 0 .. 20.

    Bins are closed on the left, so that a value on an edge changes its bin when a latent changes
    sign; MIG promises invariance only to codes that are on no edge.
    """
    ends = torch.tensor([[0.0], [20.0]]).double().expand(2, levels.shape[1])
    return torch.cat([torch.from_numpy(levels) + 0.5, ends])


def factors_of(levels: np.ndarray, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    factors = torch.randint(3, (len(levels) + 2, 2), generator=generator)
    factors[-2:] = torch.tensor([[0, 0], [1, 1]])  # so that both factors vary
    return factors


@PROPERTY
@given(
    LEVELS,
    st.integers(0, 99),
    st.lists(st.floats(1e-3, 1e3), min_size=5, max_size=5),
    st.lists(st.sampled_from([-1.0, 1.0]), min_size=5, max_size=5),
    st.randoms(use_true_random=False),
)
def test_mig_ignores_order_sign_scale_and_offset_of_latents(levels, seed, scales, signs, random):
    codes, factors = off_edges(levels), factors_of(levels, seed)
    d = codes.shape[1]
    order = random.sample(range(d), d)
    scale = torch.tensor(scales[:d], dtype=torch.float64) * torch.tensor(signs[:d]).double()
    changed = (codes * scale + 0.25)[:, order]
    torch.testing.assert_close(mig(changed, factors), mig(codes, factors), atol=1e-9, rtol=0)


@PROPERTY
@given(LEVELS, st.integers(0, 99), st.integers(-8, 8))
def test_mig_ignores_scale_also_on_edges_where_scaling_is_exact(levels, seed, power):
    codes = torch.from_numpy(np.pad(levels, ((0, 2), (0, 0)))).double()
    factors = factors_of(levels, seed)
    assert mig(codes * 2.0**power, factors) == mig(codes, factors)


@PROPERTY
@given(LEVELS, st.integers(0, 99), st.integers(1, 30))
def test_mig_is_between_0_and_1(levels, seed, bins):
    score = mig(off_edges(levels), factors_of(levels, seed), bins=bins)
    assert 0 <= score <= 1 + 1e-12
