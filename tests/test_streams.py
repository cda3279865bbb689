# SPDX-License-Identifier: Apache-2.0
import pytest
import torch

from disent.streams import Stream


def test_the_numbers_of_a_position_do_not_depend_on_what_was_drawn_before():
    used, fresh = Stream(3, "noise"), Stream(3, "noise")
    for position in (9, 0, 5):
        used.normal(position, (4, 7))
    assert torch.equal(used.normal(5, (4,)), fresh.normal(5, (4,)))
    assert torch.equal(used.integers(5, 100, 9), fresh.integers(5, 100, 9))
    assert torch.equal(used.permutation(5, 9), fresh.permutation(5, 9))


def test_the_numbers_are_these_and_stay_these():
    # written down from numpy 2.4's Philox; a run resumed under another release needs the same
    stream = Stream(0, "golden")
    assert stream.integers(0, 1000, 5).tolist() == [956, 212, 838, 2, 79]
    assert stream.permutation(1, 6).tolist() == [3, 2, 1, 5, 0, 4]
    expected = torch.tensor([-0.14785847067832947, 1.1119191646575928, 0.41486722230911255])
    torch.testing.assert_close(stream.normal(2, (3,)), expected, rtol=1e-6, atol=0)


@pytest.mark.parametrize(
    "other", [(Stream(1, "a"), 0), (Stream(0, "b"), 0), (Stream(0, "a"), 1), (Stream(0, ""), 0)]
)
def test_another_seed_name_or_position_gives_other_numbers(other):
    stream, position = other
    assert not torch.equal(Stream(0, "a").normal(0, (8,)), stream.normal(position, (8,)))


def test_neighbouring_positions_share_no_numbers():
    # Philox counts up within a position; that must not run into the next position
    stream = Stream(0, "noise")
    drawn = torch.stack([stream.integers(position, 2**62, 10_000) for position in range(4)])
    assert len(drawn.unique()) == drawn.numel()


def test_integers_are_int64_below_high_and_all_of_them():
    drawn = Stream(0, "x").integers(0, 7, 1000)
    assert drawn.dtype == torch.int64
    assert drawn.unique().tolist() == list(range(7))


def test_a_permutation_has_every_number_once():
    assert sorted(Stream(0, "x").permutation(0, 100).tolist()) == list(range(100))


def test_normal_numbers_are_standard_float32_of_the_asked_shape():
    drawn = Stream(0, "x").normal(0, (200, 500))
    assert drawn.shape == (200, 500)
    assert drawn.dtype == torch.float32
    # 100,000 numbers: standard error 0.0032 of the mean, 0.0022 of the deviation
    assert abs(drawn.mean()) < 0.02
    assert abs(drawn.std() - 1) < 0.02


def test_a_large_position_works_and_a_negative_seed_is_refused():
    assert len(Stream(2**40, "x").integers(2**40, 10, 3)) == 3
    with pytest.raises(ValueError, match="seed must be >= 0, got -1"):
        Stream(-1, "x")
