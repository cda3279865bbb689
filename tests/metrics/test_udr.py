# SPDX-License-Identifier: Apache-2.0
import pytest
import torch

from disent.metrics.udr import agreement, relative_strength, udr
from tests.metrics.goldens import FUNCTIONS, arrays

DATA = arrays("udr")
CODES = torch.randn(200, 3, generator=torch.Generator().manual_seed(0)).double()
RATES = torch.ones(2, 3)


@pytest.mark.parametrize("method", ["lasso", "spearman"])
@pytest.mark.parametrize("filtered", [0, 1])
def test_equals_the_reference(method, filtered):
    golden = FUNCTIONS[f"udr_{method}_filter{filtered}"]
    found = agreement(DATA["reps"], DATA["kl"], method=method, keep_inactive=not filtered)
    scores, pairwise = (
        torch.tensor(golden["value"][key]).double() for key in ("model_scores", "pairwise")
    )
    if (method, filtered) == ("spearman", 0):
        # model 3 has an inactive latent: nan there takes away one of the two means that are
        # averaged, so that only the first three models are comparable
        found, pairwise = found._replace(pairwise=found.pairwise[:3, :3]), pairwise[:3, :3]
    else:
        torch.testing.assert_close(found.scores, scores, atol=golden["atol"], rtol=0)
    torch.testing.assert_close(found.pairwise, pairwise, atol=golden["atol"], rtol=0)


def test_where_the_reference_loses_half_we_do_not():
    lost = torch.tensor(FUNCTIONS["udr_spearman_filter0"]["value"]["pairwise"])[3, :3]
    found = agreement(DATA["reps"], DATA["kl"], method="spearman", keep_inactive=True)
    torch.testing.assert_close(found.pairwise[3, :3], 2 * lost.double(), atol=0.08, rtol=0)


def test_relative_strength_of_the_reference():
    golden = FUNCTIONS["core_udr_corr"]
    assert relative_strength(arrays("core")["corr"]).item() == pytest.approx(
        golden["value"]["relative_strength"], abs=golden["atol"]
    )


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        (torch.eye(4), 1.0),
        (torch.ones(2, 2), 0.5),  # each row and column: 1 / 2
        (torch.tensor([[1.0, 0.0], [0.0, 0.0]]), 0.5),  # one of two rows and columns
        (torch.zeros(3, 3), 0.0),
        (torch.zeros(0, 3), 0.0),
    ],
)
def test_relative_strength_by_hand(matrix, expected):
    assert relative_strength(matrix).item() == pytest.approx(expected)


@pytest.mark.parametrize("method", ["lasso", "spearman"])
def test_a_permuted_flipped_and_rescaled_code_is_found_again(method):
    other = -2.5 * CODES[:, [2, 0, 1]] + 1
    scores = udr(torch.stack([CODES, other]), RATES, method=method)
    # the Lasso shrinks each coefficient of 1 by its penalty, 0.1; ranks of noise correlate a bit
    assert scores.tolist() == pytest.approx([0.9, 0.9], abs=0.1)
    rotation = torch.linalg.qr(torch.ones(3, 3).double() + torch.eye(3).double())[0]
    rotated = udr(torch.stack([CODES, CODES @ rotation]), RATES, method=method)
    assert (rotated < scores - 0.1).all()


def test_the_score_is_the_median_over_the_other_models():
    """Three models: two alike, one rotated; the median of two similarities is their mean."""
    rotation = torch.linalg.qr(torch.ones(3, 3).double() + torch.eye(3).double())[0]
    found = agreement(torch.stack([CODES, -CODES, CODES @ rotation]), torch.ones(3, 3))
    pairs = found.pairwise
    assert found.scores[0].item() == pytest.approx((pairs[1, 0] + pairs[2, 0]).item() / 2)


def test_inactive_latents_are_left_out_or_count_as_like_no_other():
    noise = torch.randn(2, 200, 1, generator=torch.Generator().manual_seed(1)).double()
    codes = torch.cat([torch.stack([CODES, -CODES]), noise], dim=2)
    rates = torch.tensor([[1.0, 1.0, 1.0, 0.0]] * 2)
    without = udr(torch.stack([CODES, -CODES]), RATES)
    torch.testing.assert_close(udr(codes, rates), without)
    torch.testing.assert_close(udr(codes, rates, keep_inactive=True), 0.75 * without)


def test_models_without_active_latents_score_0():
    assert udr(torch.stack([CODES, CODES]), torch.zeros(2, 3)).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("codes", "rates", "match"),
    [
        (CODES[None], RATES[:1], "at least two models"),
        (CODES, RATES, r"has shape \[200, 3\]"),
        (torch.stack([CODES, CODES]), RATES[:, :2], r"rates_of_runs has shape \[2, 2\]"),
        (torch.stack([CODES, CODES * torch.nan]), RATES, "NaN or infinite"),
    ],
)
def test_what_cannot_be_compared_is_refused(codes, rates, match):
    with pytest.raises(ValueError, match=match):
        udr(codes, rates)


def test_a_method_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="must be 'lasso' or 'spearman', got 'pearson'"):
        udr(torch.stack([CODES, CODES]), RATES, method="pearson")
