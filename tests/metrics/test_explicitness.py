# SPDX-License-Identifier: Apache-2.0
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from disent.metrics.explicitness import explicitness, explicitness_per_factor, roc_auc
from disent.metrics.samples import Sample
from tests.metrics.goldens import CASES, load

GRID = torch.cartesian_prod(torch.arange(4), torch.arange(3))
KEYS = {"softmax": "multinomial", "one_vs_rest": "ovr"}


def samples(name: str) -> dict[str, Sample]:
    case = load(name)
    rows = {"train": case.train, "test": case.test}
    return {part: Sample(case.table[r], case.grid.factors(r)) for part, r in rows.items()}


@pytest.mark.parametrize("classifier", KEYS)
@pytest.mark.parametrize("name", CASES)
def test_explicitness_equals_the_reference(name, classifier):
    drawn = samples(name)
    for part in ("train", "test"):
        areas = explicitness_per_factor(drawn["train"], drawn[part], classifier=classifier)
        golden = CASES[name].get(f"explicitness.{part}.{KEYS[classifier]}")
        if golden is None:
            assert CASES[name][f"explicitness.{part}"]["kind"] == "reference_failure"
            continue
        assert golden["kind"] == "fitted"
        # The stated tolerance is 0.002, for one sum over factors; ours holds for each of them.
        expected = torch.tensor(golden["per_factor"], dtype=torch.float64)
        torch.testing.assert_close(areas, expected, atol=2e-4, rtol=0)
        assert areas.mean().item() == pytest.approx(golden["value"], abs=1e-4)


def test_where_the_reference_fails_constant_latents_and_one_valued_factors_are_left_out():
    train, test = samples("dead_const").values()
    alive = (train.codes != 0).any(0)
    assert alive.tolist().count(False) == 3
    without = explicitness_per_factor(
        *(Sample(s.codes[:, alive], s.factors) for s in (train, test))
    )
    assert torch.equal(explicitness_per_factor(train, test), without)
    assert 0.9 < without.mean() < 1
    train, test = samples("size1_factor").values()
    areas = explicitness_per_factor(train, test)
    assert areas.isnan().tolist() == [True, False, False, False, False]
    assert areas[1:].min() > 0.85


@pytest.mark.parametrize("scale", [0.0, 1e-200])  # the squares of the latter vanish
def test_a_latent_that_only_the_test_rows_show_is_dropped(scale):
    train, test = samples("noisy_snr1").values()
    noise = torch.randn(len(train.codes), 1, generator=torch.Generator().manual_seed(0)).double()
    train_more = train._replace(
        codes=torch.cat([train.codes, scale * noise + 0.1 * (scale == 0)], 1)
    )
    test_more = test._replace(codes=torch.cat([test.codes, test.codes[:, :1]], 1))
    areas = explicitness_per_factor(train_more, test_more)
    assert torch.equal(areas, explicitness_per_factor(train, test))


@pytest.mark.parametrize("classifier", KEYS)
def test_standardised_by_the_train_rows_alone(classifier):
    train, test = samples("noisy_snr1").values()
    scale, offset = torch.tensor([1e-3, 1.0, -50.0, 7.0, -1.0]), torch.tensor([0, 1, 2, -300, 4.0])
    moved = [Sample(s.codes * scale + offset, s.factors) for s in (train, test)]
    expected = explicitness_per_factor(train, test, classifier=classifier)
    areas = explicitness_per_factor(*moved, classifier=classifier)
    torch.testing.assert_close(areas, expected, atol=1e-6, rtol=0)
    # A test row is judged by itself: with twice the rows, all areas stay.
    twice = Sample(test.codes.repeat(2, 1), test.factors.repeat(2, 1))
    areas = explicitness_per_factor(train, twice, classifier=classifier)
    torch.testing.assert_close(areas, expected, atol=1e-12, rtol=0)


def test_perfect_rotated_and_constant_codes():
    perfect = GRID.double()
    turn = torch.tensor([[0.8, -0.6], [0.6, 0.8]], dtype=torch.float64)
    assert explicitness(perfect, GRID) == 1
    assert explicitness(perfect @ turn, GRID) == 1
    assert explicitness(torch.ones(12, 3), GRID) == 0.5


def test_classifiers_differ_on_many_values_in_a_row():
    factors = torch.cartesian_prod(torch.arange(20), torch.arange(20))
    scores = [explicitness(factors.double(), factors, classifier=c) for c in KEYS]
    assert scores[0] > 0.99
    assert 0.8 < scores[1] < 0.95


def test_a_code_that_holds_one_factor_only():
    # factor 0 wholly; factor 1 at chance, up to the luck of the draw
    score = explicitness(GRID[:, :1].double(), GRID, train=20_000, test=20_000)
    assert score.item() == pytest.approx(0.75, abs=0.02)


def test_a_factor_that_only_some_values_show():
    # Three values on a line, 0 and 2 in one place: a row of value 1 always beats, the others tie
    # with each other in half of the pairs: (1 + 1/4 * 2) / 2 = 3/4 each if they beat value 1.
    codes, factors = torch.tensor([[0.0], [1.0], [0.0]]).double(), torch.tensor([[0], [1], [2]])
    rows = Sample(codes.repeat(50, 1), factors.repeat(50, 1))
    areas = explicitness_per_factor(rows, rows)
    assert areas.item() == pytest.approx((1 + 3 / 4 + 3 / 4) / 3, abs=1e-12)


@pytest.mark.parametrize("classifier", KEYS)
def test_values_absent_from_either_sample(classifier):
    codes, factors = GRID[:, :1].double(), GRID[:, :1]
    rows = Sample(codes.repeat(20, 1), factors.repeat(20, 1))
    few = Sample(codes[factors[:, 0] != 2], factors[factors[:, 0] != 2])
    # absent from test: left out of the mean
    left = explicitness_per_factor(rows, few, classifier="softmax")
    assert left.item() == 1
    # absent from train: one half; value 0 is still best told of all, as is value 3
    judged = explicitness_per_factor(few, rows, classifier=classifier).item()
    assert 0.5 < judged <= (3 + 0.5) / 4
    # one value in test: no area
    one = Sample(codes[factors[:, 0] == 2], factors[factors[:, 0] == 2])
    assert explicitness_per_factor(rows, one, classifier=classifier).isnan().all()


def test_roc_auc_by_hand_and_with_ties():
    scores = torch.tensor([[0.1, 5.0], [0.4, 5.0], [0.4, 5.0], [0.8, 5.0]])
    truth = torch.tensor([[False, True], [True, False], [False, False], [True, False]])
    # first: 0.4 beats 0.1 and ties with 0.4, 0.8 beats both: 3.5 of 4 pairs; second: all tie
    assert roc_auc(scores, truth).tolist() == [0.875, 0.5]
    assert roc_auc(scores, torch.tensor([[True, False]]).expand(4, 2)).isnan().all()
    assert roc_auc(scores.new_full((4, 1), -torch.inf), truth[:, :1]).item() == 0.5


ROWS = st.lists(st.tuples(st.integers(-4, 4), st.booleans()), min_size=2, max_size=40)


@settings(deadline=None, max_examples=100, derandomize=True)
@given(ROWS.filter(lambda rows: len({truth for _, truth in rows}) == 2))
def test_roc_auc_equals_scikit_learn_and_turns_around(rows):
    scores = torch.tensor([[float(score)] for score, _ in rows])
    truth = torch.tensor([[positive] for _, positive in rows])
    area = roc_auc(scores, truth).item()
    assert area == pytest.approx(roc_auc_score(truth[:, 0].numpy(), scores[:, 0].numpy()))
    assert roc_auc(-scores, truth).item() == pytest.approx(1 - area, abs=1e-12)


@settings(deadline=None, max_examples=15, derandomize=True)
@given(st.integers(0, 999), st.sampled_from(sorted(KEYS)))
def test_order_of_latents_and_linear_maps_of_one_do_not_matter(seed, classifier):
    codes = torch.randn(12, 3, generator=torch.Generator().manual_seed(seed)).double()
    changed = codes[:, [2, 0, 1]] * torch.tensor([-30.0, 0.5, 1.0]) + 4
    scores = [
        explicitness(c, GRID, train=300, test=200, classifier=classifier) for c in (codes, changed)
    ]
    torch.testing.assert_close(scores[0], scores[1], atol=1e-3, rtol=0)
    assert 0 <= scores[0] <= 1


def test_seed_decides_the_draws():
    codes = torch.randn(12, 2, generator=torch.Generator().manual_seed(0))
    scores = [explicitness(codes, GRID, seed=s, train=50, test=50).item() for s in (0, 0, 1)]
    assert scores[0] == scores[1] != scores[2]


@pytest.mark.parametrize("rows", [1, 5])
def test_without_a_factor_that_varies_there_is_no_score(rows):
    with pytest.raises(ValueError, match=f"2 factors has only one value in the {rows} rows"):
        explicitness(torch.randn(rows, 4), torch.full((rows, 2), 3))


def test_errors():
    with pytest.raises(ValueError, match="classifier is 'lasso', but one of 'softmax', 'one_vs"):
        explicitness(GRID.float(), GRID, classifier="lasso")
    with pytest.raises(
        ValueError, match="none of the 2 factors has two values both in the 9 train"
    ):
        explicitness(GRID.float(), GRID, train=9, test=1)
    with pytest.raises(ValueError, match="got seed=0 and 0, 5000 points"):
        explicitness(GRID.float(), GRID, train=0)
