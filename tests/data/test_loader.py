# SPDX-License-Identifier: Apache-2.0
from itertools import chain, islice
from typing import Any

import pytest
import torch

from disent.data.loader import ENDLESS, FactorLoader, Sampling
from tests.data.tiny import Tiny, indices_of

MODES: list[Sampling] = ["iid", "shuffled"]


def loader(batch_size=8, sampling: Sampling = "iid", **settings) -> Any:
    return FactorLoader(Tiny(), batch_size=batch_size, sampling=sampling, **settings)


def draw(source: Any, batches: int) -> list[list[int]]:
    """The indices of so many batches, over as many epochs as that takes."""
    drawn: list[list[int]] = []
    while len(drawn) < batches:
        for batch in source:
            drawn.append(indices_of(batch))
            if len(drawn) == batches:
                break
    return drawn


@pytest.mark.parametrize("sampling", MODES)
def test_a_batch_is_float32_pictures_in_0_1(sampling):
    batch = next(iter(loader(sampling=sampling)))
    assert batch.shape == (8, 1, 64, 64)
    assert batch.dtype == torch.float32
    assert 0 <= batch.min() <= batch.max() <= 1


@pytest.mark.parametrize("sampling", MODES)
@pytest.mark.parametrize("stop", [1, 5, 6, 7, 12])
def test_a_loader_set_to_a_position_goes_on_as_if_uninterrupted(sampling, stop):
    whole = draw(loader(sampling=sampling), 18)
    first, second = loader(sampling=sampling), loader(sampling=sampling)
    head = draw(first, stop)
    second.position = first.position
    assert head + draw(second, 18 - stop) == whole


def test_position_has_moved_before_a_batch_is_handed_out():
    source = loader()
    iterator = iter(source)
    assert source.position == 0
    next(iterator)
    assert source.position == 1


def test_position_stays_where_a_batch_could_not_be_made():
    source = loader(batch_size=8)
    source.dataset = None
    with pytest.raises(AttributeError):
        next(iter(source))
    assert source.position == 0


@pytest.mark.parametrize("sampling", MODES)
def test_the_position_is_no_state_of_the_loader(sampling):
    first, second = loader(sampling=sampling), loader(sampling=sampling)
    draw(first, 4)
    assert first.state_dict() == {}
    second.load_state_dict(first.state_dict())
    assert second.position == 0


def test_iid_batches_have_no_epochs_and_never_end():
    source = loader()
    assert len(source) == ENDLESS
    source.position = 10**9
    assert len(list(islice(source, 20))) == 20
    assert source.position == 10**9 + 20
    source.position = 5
    drawn = [indices_of(batch) for batch in islice(source, 13)]  # past two multiples of 48 pictures
    assert drawn == draw(loader(), 18)[5:]


def test_iteration_ends_with_a_shuffled_epoch():
    source = loader(sampling="shuffled")
    assert len(source) == source.epoch == 6
    assert len(list(source)) == 6
    source.position = 16
    assert len(list(source)) == 2
    assert source.position == 18


def test_a_shuffled_epoch_is_a_permutation_and_the_next_another():
    source = loader(sampling="shuffled")
    first, second = (list(chain(*map(indices_of, source))) for _ in range(2))
    assert sorted(first) == sorted(second) == list(range(48))
    assert first != second


def test_a_shuffled_epoch_leaves_out_its_partial_batch():
    source = loader(batch_size=10, sampling="shuffled")
    drawn = list(chain(*map(indices_of, source)))
    assert len(source) == 4
    assert len(set(drawn)) == len(drawn) == 40


def test_iid_draws_every_index_about_equally_often_and_repeats_some():
    drawn = torch.cat([loader(batch_size=64).indices(position) for position in range(750)])
    counts = drawn.bincount(minlength=48)
    # 48,000 draws: 1000 a picture, standard deviation 31; 6 of them never happen by chance
    assert len(counts) == 48
    assert (counts - 1000).abs().max() < 190
    assert len(loader(batch_size=48).indices(0).unique()) < 48


@pytest.mark.parametrize("sampling", MODES)
def test_seeds_differ_and_one_seed_repeats(sampling):
    drawn = [draw(loader(sampling=sampling, seed=seed), 6) for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.parametrize("sampling", MODES)
def test_only_the_allowed_indices_are_drawn(sampling):
    allowed = torch.tensor([3, 5, 7, 11, 13, 17, 19, 23], dtype=torch.int32)
    source = loader(batch_size=4, sampling=sampling, index=allowed)
    assert source.epoch == 2
    assert set(chain(*draw(source, 40))) == set(allowed.tolist())


@pytest.mark.parametrize("sampling", MODES)
@pytest.mark.parametrize("ranks", [2, 4])
def test_ranks_share_the_batches_of_one_rank(sampling, ranks):
    whole = draw(loader(sampling=sampling), 8)
    shares = [draw(loader(sampling=sampling, rank=r, world_size=ranks), 8) for r in range(ranks)]
    for rank, share in enumerate(shares):
        assert share == [batch[rank::ranks] for batch in whole]


def test_batches_are_made_where_the_loader_is_told(monkeypatch):
    asked = []
    source = loader(device="meta")
    monkeypatch.setattr(source.dataset, "batch", lambda index: asked.append(index.device.type))
    next(iter(source))
    assert asked == ["meta"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 0}, "at least 1"),
        ({"batch_size": 9, "world_size": 2}, "multiple of 2"),
        ({"batch_size": 8, "world_size": 2, "rank": 2}, "from 0 to world_size - 1 = 1, got 2"),
        ({"batch_size": 49, "sampling": "shuffled"}, "only 48 pictures"),
        ({"sampling": "random"}, "'iid' or 'shuffled', got 'random'"),
        ({"index": torch.tensor([0, 48])}, "from 0 to 48, but .* from 0 to 47"),
        ({"index": torch.tensor([-1, 3])}, "from -1 to 3"),
        ({"index": torch.ones(48, dtype=torch.bool)}, "mask.nonzero"),
        ({"index": torch.tensor([], dtype=torch.int64)}, "non-empty"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        loader(**settings)


def test_iid_batches_may_be_larger_than_the_dataset():
    source = loader(batch_size=100)
    assert source.epoch == 1
    assert len(next(iter(source))) == 100
