# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as np_arrays

from disent.metrics.information import mutual_information
from disent.metrics.modularity import modularity, modularity_of_information
from tests.metrics.goldens import CASES, FUNCTIONS, arrays, load

GRID = torch.cartesian_prod(torch.arange(4), torch.arange(2))
KNOWN = {
    "perfect": (GRID, 1.0),
    "permuted, flipped and rescaled": (-7.0 * GRID[:, [1, 0]] + 3, 1.0),
    "duplicated": (GRID.repeat(1, 2), 1.0),
    "constant": (torch.ones(8, 3), 0.0),
    "one latent and one dead": (torch.stack([GRID[:, 0], torch.zeros(8)], 1), 0.5),
    # log 4 nats of one factor and log 2 of the other: 1 - 1/4
    "both in one": (2 * GRID[:, :1] + GRID[:, 1:], 0.75),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_answers(name):
    codes, expected = KNOWN[name]
    assert modularity(codes.float(), GRID).item() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_equals_the_reference(name):
    case, golden = load(name), CASES[name]["modularity.bins20"]
    assert golden["kind"] == "exact"
    # the reference counts factors of one value among the K
    information = mutual_information(case.codes, case.factors)
    score = modularity_of_information(information).mean().item()
    assert score == pytest.approx(golden["value"], abs=golden["atol"])
    if 1 not in case.grid.sizes:
        assert modularity(case.codes, case.factors).item() == score


@pytest.mark.parametrize("i", [0, 1, 2])
def test_matrices_of_the_reference(i):
    golden = FUNCTIONS[f"core_modularity_mi{i}"]
    information = arrays("core")[f"mi{i}"].T  # the reference has one row a latent
    score = modularity_of_information(information).mean().item()
    assert score == pytest.approx(golden["value"]["score"], abs=golden["atol"])


def test_one_valued_factors_are_left_out():
    case = load("size1_factor")
    assert modularity(case.codes, case.factors) == modularity(case.codes, case.factors[:, 1:])


def test_one_factor_is_too_few():
    with pytest.raises(ValueError, match="1 factor varies, but modularity compares at least two"):
        modularity(GRID.float(), GRID[:, :1])


@settings(deadline=None, max_examples=60, derandomize=True)
@given(
    np_arrays(np.float64, st.tuples(st.integers(2, 5), st.integers(1, 6)), elements=st.floats(0, 5))
)
def test_between_0_and_1_and_blind_to_order_and_scale(matrix):
    information = torch.from_numpy(matrix)
    score = modularity_of_information(information)
    assert ((score >= -1e-12) & (score <= 1 + 1e-12)).all()
    torch.testing.assert_close(modularity_of_information(information.flip(0)), score)
    doubled = modularity_of_information(2 * information)
    torch.testing.assert_close(doubled, score)
