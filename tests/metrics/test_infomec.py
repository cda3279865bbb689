# SPDX-License-Identifier: Apache-2.0
import math

import pytest
import torch

from disent.metrics.infomec import infomec, modularity_and_compactness
from disent.metrics.information import factor_entropy, mutual_information
from tests.metrics.goldens import CASES, load

GRID = torch.cartesian_prod(torch.arange(4), torch.arange(2))
ALL = torch.ones(2, dtype=torch.bool)
CODED = [name for name in CASES if "infomec.binned_20.InfoM" in CASES[name]]


def test_perfect_code_whatever_its_order_sign_and_scale():
    for codes in (GRID, -3.0 * GRID[:, [1, 0]] + 2):
        assert [part.item() for part in infomec(codes.float(), GRID)] == pytest.approx([1, 1, 1])


def test_a_duplicated_code_is_modular_and_explicit_but_not_compact():
    found = infomec(GRID.float().repeat(1, 2), GRID)
    # each factor is known alike by two of four latents: (1/2 - 1/4) / (1 - 1/4)
    assert [part.item() for part in found] == pytest.approx([1, 1, 1 / 3])


def test_shares_by_hand():
    """Latent 0 knows (0.6, 0.2), latent 1 (0.2, 0.2); max over sum 3/4 and 1/2 of two factors."""
    shares = torch.tensor([[0.6, 0.2], [0.2, 0.2]]).double()
    modular, compact = modularity_and_compactness(shares, ALL)
    assert modular.item() == pytest.approx(((0.75 + 0.5) / 2 - 0.5) / 0.5)
    assert compact.item() == pytest.approx(((0.75 + 0.5) / 2 - 0.5) / 0.5)


def test_one_active_latent_has_no_compactness():
    modular, compact = modularity_and_compactness(
        torch.eye(2).double(), torch.tensor([True, False])
    )
    assert modular.item() == 1
    assert compact.isnan()


def test_codes_that_know_nothing_score_0():
    assert [part.item() for part in infomec(torch.ones(8, 3), GRID)] == pytest.approx([0, 0, 0])
    nothing = infomec(torch.ones(8, 3), GRID, explicitness="classification")
    assert nothing.explicitness.item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("name", CODED)
@pytest.mark.parametrize("bins", [10, 20, 50])
def test_modularity_and_compactness_equal_the_reference(name, bins):
    case, goldens = load(name), CASES[name]
    codes, factors = case.codes[:2000], case.factors[:2000]
    if 1 in case.grid.sizes:  # the reference's size-1 factor is a source like any other
        factors = factors[:, [k for k, size in enumerate(case.grid.sizes) if size > 1]]
        assert infomec(codes, case.factors[:2000]).modularity == infomec(codes, factors).modularity
        return
    found = infomec(codes, factors, bins=bins)
    for field, key in (("modularity", "InfoM"), ("compactness", "InfoC")):
        golden = goldens[f"infomec.binned_{bins}.{key}"]
        value = getattr(found, field).item()
        if golden["kind"] == "exact":
            assert value == pytest.approx(golden["value"], abs=golden["atol"])
        else:  # one active latent
            assert math.isnan(value)


@pytest.mark.parametrize("name", [n for n in CODED if n != "size1_factor"])
def test_shares_and_gaps_equal_the_reference(name):
    case, goldens = load(name), CASES[name]
    codes, factors = case.codes[:2000], case.factors[:2000]
    shares = mutual_information(codes, factors) / factor_entropy(factors)[:, None]
    expected = torch.tensor(goldens["infomec.binned_20.InfoM"]["nmi"]).double()
    torch.testing.assert_close(shares, expected.T, atol=1e-6, rtol=0)


@pytest.mark.parametrize("name", [n for n in CODED if n != "size1_factor"])
def test_explicitness_equals_the_reference(name):
    case, goldens = load(name), CASES[name]
    codes, factors = case.codes[:2000], case.factors[:2000]
    golden = goldens["infomec.InfoE_regression"]
    value = infomec(codes, factors).explicitness.item()
    assert value == pytest.approx(golden["value"], abs=golden["atol"])
    if (golden := goldens.get("infomec.InfoE_classification")) is not None:
        value = infomec(codes, factors, explicitness="classification").explicitness.item()
        assert value == pytest.approx(golden["value"], abs=golden["atol"])


@pytest.mark.parametrize("wrong", [{"active": 1.0}, {"active": -0.1}, {"explicitness": "trees"}])
def test_settings_that_cannot_be_are_refused(wrong):
    with pytest.raises(ValueError, match="'regression' or 'classification'"):
        infomec(GRID.float(), GRID, **wrong)


def test_one_factor_is_too_few():
    with pytest.raises(ValueError, match="compares at least two"):
        infomec(GRID.float(), GRID[:, :1])
