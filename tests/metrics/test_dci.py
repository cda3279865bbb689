# SPDX-License-Identifier: Apache-2.0
from statistics import fmean

import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as numpy_arrays

from disent.metrics.dci import completeness, concentration, dci, dci_of_samples, disentanglement
from disent.metrics.importance import learn
from disent.metrics.samples import Sample
from tests.metrics.goldens import CASES, FUNCTIONS, arrays, load

PARTS = ("disentanglement", "completeness", "informativeness_test")
FITTED = [name for name in CASES if "dci.gbt.disentanglement" in CASES[name]]
QUICK = ["tiny_fullgrid", "sampling_small", "dead_const", "trained_btcvae"]
GRID = torch.cartesian_prod(torch.arange(4), torch.arange(3))
EVEN_AND_SOLE = torch.tensor([[1.0, 1.0], [0.0, 2.0]])
RANDOM = torch.randn(60, 3, generator=torch.Generator().manual_seed(0))
FACTORS = torch.cartesian_prod(torch.arange(3), torch.arange(4), torch.arange(5))


def golden_samples(name):
    case, stated = load(name), CASES[name]["dci.gbt.disentanglement"]["settings"]
    rows = case.train[: stated["n_train"]], case.test[: stated["n_test"]]
    return [Sample(case.table[part], case.grid.factors(part)) for part in rows]


def golden(name, part):
    return CASES[name][f"dci.gbt.{part}"]


def test_known_answers_of_importances():
    # latent 0 is even (0), latent 1 sole (1); weights 1/2 each
    assert disentanglement(EVEN_AND_SOLE).item() == pytest.approx(0.5, abs=1e-9)
    # factor 0 sole, weight 1/4; factor 1 with 1/3 and 2/3: 1 - 0.918296 bit, weight 3/4
    expected = 0.25 + 0.75 * (1 - 0.9182958340544896)
    assert completeness(EVEN_AND_SOLE).item() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("name", ["core_dci_imp0", "core_dci_imp1", "core_dci_imp2"])
def test_arithmetic_equals_the_reference(name):
    importance, expected = arrays("core")[name.removeprefix("core_dci_")], FUNCTIONS[name]["value"]
    found = {
        "disentanglement": disentanglement(importance),
        "completeness": completeness(importance),
        "disentanglement_per_code": concentration(importance),
        "completeness_per_factor": concentration(importance.T),
    }
    assert found.keys() == expected.keys()
    for part, value in found.items():
        assert value.tolist() == pytest.approx(expected[part], abs=FUNCTIONS[name]["atol"])


@pytest.mark.parametrize(
    "name",
    [name if name in QUICK[:2] else pytest.param(name, marks=pytest.mark.slow) for name in FITTED],
)
def test_reference_model_equals_the_reference(name):
    train, test = golden_samples(name)
    learnt = learn(train, test, model="gradient_boosting")
    found = {
        "disentanglement": disentanglement(learnt.importance),
        "completeness": completeness(learnt.importance),
        "informativeness_train": learnt.train.mean(),
        "informativeness_test": learnt.test.mean(),
    }
    for part, value in found.items():
        expected = golden(name, part)
        assert expected["kind"] == "fitted"
        assert value.item() == pytest.approx(expected["value"], abs=expected["atol"])


@pytest.mark.parametrize("name", QUICK)
def test_fast_model_is_near_the_reference(name):
    found = dci_of_samples(*golden_samples(name))
    for part, value in zip(PARTS, found, strict=True):
        assert value.item() == pytest.approx(golden(name, part)["value"], abs=0.061)


@pytest.mark.slow
def test_fast_model_ranks_as_the_reference_does():
    found = [[number.item() for number in dci_of_samples(*golden_samples(n))] for n in FITTED]
    for part, ours in zip(PARTS, zip(*found, strict=True), strict=True):
        theirs = [golden(name, part)["value"] for name in FITTED]
        assert pd.Series(ours).corr(pd.Series(theirs), method="spearman") > 0.993
        apart = [abs(a - b) for a, b in zip(ours, theirs, strict=True)]
        assert fmean(apart) < 0.022
        assert max(apart) < 0.061


@pytest.mark.parametrize("model", ["fast", "gradient_boosting"])
def test_known_answers_of_codes(model):
    sample = Sample(GRID.double(), GRID)
    perfect = dci_of_samples(sample, sample, model=model)
    assert [number.item() for number in perfect] == pytest.approx([1, 1, 1], abs=1e-6)
    # the one latent tells factor 0 of 4 values wholly and factor 1 of 3 values not at all
    single = dci_of_samples(*[Sample(GRID[:, :1].double(), GRID)] * 2)
    assert [number.item() for number in single] == pytest.approx([1, 1, (1 + 1 / 3) / 2])
    constant = dci_of_samples(*[Sample(torch.ones(12, 3), GRID)] * 2, model=model)
    expected = [0, 0, (1 / 4 + 1 / 3) / 2]
    assert [number.item() for number in constant] == pytest.approx(expected, abs=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("model", ["fast", "gradient_boosting"])
def test_factor_with_one_value_is_left_out(model):
    case = load("size1_factor")
    train = Sample(case.codes[:200], case.factors[:200])
    without = Sample(train.codes, train.factors[:, 1:])
    assert case.grid.sizes[0] == 1
    assert dci_of_samples(train, train, model=model) == dci_of_samples(
        without, without, model=model
    )


def test_one_factor_is_disentangled_wherever_it_is():
    both = dci(GRID[:, [0, 0]].float(), GRID[:, :1], train=100, test=100)
    assert both.disentanglement == 1
    assert both.completeness == pytest.approx(0, abs=1e-9)


def test_order_dtype_and_scale_of_latents_do_not_matter():
    first = dci(RANDOM, FACTORS, train=300, test=200)
    for codes in (RANDOM.flip(1), RANDOM.double(), RANDOM * 4 + 1):
        torch.testing.assert_close(dci(codes, FACTORS, train=300, test=200), first)


def test_seed_decides_the_draws_and_nothing_else_does():
    scores = [dci(RANDOM, FACTORS, seed=seed, train=100, test=100) for seed in (0, 0, 1)]
    assert scores[0] == scores[1] != scores[2]
    reference = [
        dci(RANDOM, FACTORS, train=60, test=60, model="gradient_boosting") for _ in range(2)
    ]
    assert reference[0] == reference[1]


@pytest.mark.parametrize(
    ("codes", "factors", "stated", "message"),
    [
        (GRID.float(), GRID, {"model": "trees"}, "got model='trees'"),
        (GRID.float(), GRID[:5], {}, "12 rows but factors has 5"),
        (GRID / 0, GRID, {}, "NaN or infinite"),
        (GRID.float(), GRID * 0, {}, "each of the 2 factors has only one value"),
        (GRID.float()[:1], GRID[:1], {}, "each of the 2 factors has only one value"),
        (GRID.float(), GRID, {"test": 0}, "0 points"),
    ],
)
def test_errors(codes, factors, stated, message):
    with pytest.raises(ValueError, match=message):
        dci(codes, factors, **stated)


SHARES = numpy_arrays(
    float, st.tuples(st.integers(1, 6), st.integers(1, 6)), elements=st.floats(0, 1, width=16)
)


@settings(deadline=None, max_examples=100, derandomize=True)
@given(SHARES, st.floats(0.5, 4), st.randoms(use_true_random=False))
def test_arithmetic_is_bounded_and_ignores_scale_and_order(shares, scale, random):
    importance = torch.from_numpy(shares)
    d, k = importance.shape
    changed = scale * importance[random.sample(range(d), d)][:, random.sample(range(k), k)]
    for score in (disentanglement, completeness):
        assert 0 <= score(importance) <= 1 + 1e-12
        torch.testing.assert_close(score(changed), score(importance), atol=1e-6, rtol=0)
