# SPDX-License-Identifier: Apache-2.0
import pytest
import torch

from disent.streams import GAMMA, Stream, Words, signed, splitmix


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


def published(seed: int, count: int) -> list[int]:
    """SplitMix64 by the book, in whole numbers of Python."""
    words = []
    for _ in range(count):
        seed = (seed + 0x9E3779B97F4A7C15) % 2**64
        z = seed
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
        words.append(z ^ (z >> 31))
    return words


def test_splitmix_makes_the_published_words():
    # of seed 1234567, as given with the reference programs of several languages
    known = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert published(1234567, 3) == known
    states = torch.tensor([signed((1234567 + k * GAMMA) % 2**64) for k in (1, 2, 3)])
    wanted = [signed(word) for word in known]
    assert splitmix(states.clone()).tolist() == wanted  # as on a GPU
    assert splitmix(states.numpy().copy()).tolist() == wanted  # as on a CPU


def test_words_of_a_position_are_a_stretch_of_one_sequence():
    words = Words(3, "noise")
    start = words._key % 2**64
    found = words.at(torch.tensor([0, 2]), 4)
    assert found[0].tolist() == [signed(word) for word in published(start, 4)]
    later = (start + 2 * 65536 * GAMMA) % 2**64
    assert found[1].tolist() == [signed(word) for word in published(later, 4)]
    assert torch.equal(words.at(torch.tensor([2], dtype=torch.int32), 2), found[1:, :2])


def test_words_are_these_and_stay_these():
    assert Words(0, "golden").bytes(torch.tensor([0, 7]), 5).tolist() == [
        [206, 166, 249, 137, 172],
        [76, 32, 253, 42, 216],
    ]
    assert Words(0, "golden").below(torch.tensor([0, 7]), (10, 1000)).tolist() == [
        [3, 622],
        [8, 594],
    ]


@pytest.mark.parametrize("other", [Words(1, "a"), Words(0, "b"), Words(0, "")])
def test_words_of_another_seed_or_name_differ(other):
    position = torch.arange(5)
    assert not torch.equal(Words(0, "a").at(position, 2), other.at(position, 2))
    assert len(Words(0, "a").at(torch.arange(1000), 100).unique()) == 100_000


def test_bytes_and_integers_are_uniform():
    position = torch.arange(4000)
    counts = torch.bincount(Words(0, "a").bytes(position, 64).flatten().long(), minlength=256)
    mean = 4000 * 64 / 256
    assert ((counts - mean) ** 2 / mean).sum() < 330.5  # chi-square of 255, 99.9 %
    drawn = Words(0, "b").below(position, (7, 2**31))
    sevens = torch.bincount(drawn[:, 0])
    assert len(sevens) == 7
    assert ((sevens - 4000 / 7) ** 2 / (4000 / 7)).sum() < 22.5  # of 6, 99.9 %
    assert abs(drawn[:, 1].double().mean() / 2**31 - 0.5) < 0.015  # 3.3 standard errors


def test_impossible_words_are_refused():
    with pytest.raises(ValueError, match="1 to 65,536 words, but 65537 are asked for"):
        Words(0, "a").at(torch.tensor([0]), 2**16 + 1)
    with pytest.raises(ValueError, match="seed must be >= 0, got -1"):
        Words(-1, "a")
