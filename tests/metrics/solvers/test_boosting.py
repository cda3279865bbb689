# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch
from sklearn.ensemble import GradientBoostingClassifier

from disent.metrics.solvers.boosting import _edges, boost


def noisy(rows, seed=0):
    """Latents 0 and 1 tell factors of 2 and 5 values with noise; latent 2 is only noise."""
    generator = torch.Generator().manual_seed(seed)
    factors = torch.stack([torch.randint(c, (rows,), generator=generator) for c in (2, 5)], 1)
    noise = torch.randn(rows, 3, generator=generator).double()
    return noise + torch.nn.functional.pad(factors, (0, 1)), factors


# Where latents tie, which begins in small nodes, the reference draws lots: over its seeds, the
# importances of the last line spread by 0.0054; those of the others do not.
@pytest.mark.parametrize(
    ("stages", "depth", "rate", "tolerance"),
    [(1, 1, 1.0, 1e-9), (100, 1, 0.1, 1e-9), (10, 2, 0.1, 1e-9), (100, 3, 0.1, 0.0054)],
)
def test_with_a_bin_for_each_value_it_is_the_reference(stages, depth, rate, tolerance):
    codes, factors = noisy(250)
    fresh = noisy(250, seed=1)[0]
    ours = boost(codes, factors, fresh, stages=stages, depth=depth, rate=rate, bins=256)
    for k in range(2):
        theirs = GradientBoostingClassifier(
            n_estimators=stages, max_depth=depth, learning_rate=rate, random_state=0
        ).fit(codes.numpy(), factors[:, k].numpy())
        found, expected = ours.importance[:, k].numpy(), theirs.feature_importances_
        np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)
        assert (ours.train[:, k].numpy() == theirs.predict(codes.numpy())).all()
        # Codes that fall between two train rows of a node may be parted elsewhere.
        assert (ours.test[:, k].numpy() == theirs.predict(fresh.numpy())).mean() > 0.93


def test_one_split_by_hand():
    # Three of four rows have value 1: residuals of it are -3/4, 1/4, 1/4, 1/4. The cut that sets
    # the first row apart is latent 1's; latent 0's best leaves it with another row.
    codes = torch.tensor([[1.0, 0.0], [2.0, 9.0], [0.0, 9.0], [5.0, 9.0]])
    learnt = boost(codes, torch.tensor([[0], [1], [1], [1]]), codes, stages=1, depth=1)
    assert learnt.importance.tolist() == [[0.0], [1.0]]


def test_a_step_of_size_one_moves_the_odds_as_newton_does():
    # From p = 1/2 on both sides: residual sum / p(1-p) sum = 2, halved for two values, so the
    # odds of two rows part and the prediction follows them.
    codes, factors = torch.tensor([[0.0], [1.0]]), torch.tensor([[7], [4]])
    learnt = boost(codes, factors, torch.tensor([[-3.0], [0.4], [0.6], [3.0]]), stages=1)
    assert learnt.test.flatten().tolist() == [7, 7, 4, 4]


def test_latents_that_tie_share_the_importance():
    codes, factors = noisy(300)
    twice = boost(torch.cat([codes, 3 * codes], 1), factors, codes.repeat(1, 2)).importance
    once = boost(codes, factors, codes).importance
    torch.testing.assert_close(twice[:3], twice[3:], atol=1e-12, rtol=0)
    torch.testing.assert_close(twice[:3] * 2, once, atol=1e-9, rtol=0)


def test_order_scale_and_offset_of_latents_do_not_matter():
    codes, factors = noisy(300)
    order = torch.tensor([2, 0, 1])
    first = boost(codes, factors, codes)
    second = boost((codes * 8 - 4)[:, order], factors, (codes * 8 - 4)[:, order])
    torch.testing.assert_close(second.importance, first.importance[order], atol=1e-12, rtol=0)
    assert torch.equal(second.test, first.test)


def test_values_of_factors_are_labels_and_each_factor_is_learnt_alone():
    codes, factors = noisy(200)
    both = boost(codes, factors, codes)
    alone = boost(codes, factors[:, 1:] * -10 + 3, codes)
    torch.testing.assert_close(alone.importance[:, 0], both.importance[:, 1])
    assert torch.equal(alone.test[:, 0], both.test[:, 1] * -10 + 3)


def test_constant_codes_have_no_importance_and_predict_the_commonest_value():
    factors = torch.tensor([[0, 2], [1, 2], [1, 5]])
    learnt = boost(torch.ones(3, 2), factors, torch.randn(4, 2))
    assert learnt.importance.tolist() == [[0, 0], [0, 0]]
    assert learnt.test.tolist() == [[1, 2]] * 4


def test_edges_part_all_values_or_equal_shares():
    assert _edges(torch.tensor([0.0, 4.0, 0.0, 1.0]), 64).tolist() == [0.5, 2.5]
    assert _edges(torch.arange(12.0), 3).tolist() == [3.5, 7.5]
    # half of the rows are one value: it has a bin of its own, between the two edges
    tied = torch.cat([torch.arange(4.0), torch.full((8,), 4.0), torch.arange(5.0, 9.0)])
    assert _edges(tied, 4).tolist() == [3.5, 4.0, 4.5]


def test_neighbouring_floats_are_parted():
    low = torch.tensor(1.0, dtype=torch.float64)
    high = low.nextafter(low + 1)
    codes = torch.stack([low, high])[:, None]
    learnt = boost(codes, torch.tensor([[0], [1]]), codes)
    assert learnt.test.flatten().tolist() == [0, 1]


@pytest.mark.parametrize("bins", [1, 257])
def test_bins_are_numbered_in_a_byte(bins):
    with pytest.raises(ValueError, match=f"from 2 to 256, got {bins}"):
        boost(torch.ones(2, 1), torch.tensor([[0], [1]]), torch.ones(1, 1), bins=bins)
