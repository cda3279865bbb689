# SPDX-License-Identifier: Apache-2.0
"""Bursts hold the batches of the loader they are made of."""

from itertools import islice

import pytest
import torch

from disent.data.bursts import BurstLoader
from disent.data.loader import ENDLESS, FactorLoader, Sampling
from tests.data.tiny import Tiny, indices_of

MODES: list[Sampling] = ["iid", "shuffled"]


def loader(sampling: Sampling = "iid") -> FactorLoader:
    return FactorLoader(Tiny(), batch_size=8, sampling=sampling)


def draw(source: FactorLoader, until: int) -> list[list[int]]:
    """The indices of the batches from the loader's position on."""
    return [indices_of(source.at(position).x) for position in range(source.position, until)]


@pytest.mark.parametrize("sampling", MODES)
@pytest.mark.parametrize(("start", "until"), [(0, None), (3, None), (0, 13), (7, 8), (9, 8)])
def test_bursts_are_the_same_batches_many_at_once(sampling, start, until):
    alone, source = loader(sampling), loader(sampling)
    alone.position = source.position = start
    drawn = []
    for burst in BurstLoader(source, 4, until):
        assert len(burst) == 8
        assert 1 <= len(burst.indices) <= 4
        assert source.position % 4 == 0 or source.position == until
        drawn += [indices_of(batch.x) for batch in burst]
        if source.position >= 18:
            break
    assert drawn == draw(alone, source.position)
    assert len(drawn) == source.position - start


@pytest.mark.parametrize("sampling", MODES)
def test_bursts_never_end_also_where_an_epoch_does(sampling):
    source = loader(sampling)
    bursts = BurstLoader(source, 4)
    assert len(bursts) == ENDLESS
    assert [len(burst.indices) for burst in islice(bursts, 5)] == [4] * 5
    assert source.position == 20  # an epoch has 6 batches


def test_the_position_is_no_state_of_the_bursts():
    bursts = BurstLoader(loader(), 4)
    next(iter(bursts))
    assert bursts.state_dict() == {}
    bursts.load_state_dict({})
    assert bursts.loader.position == 4


def test_the_pictures_of_a_burst_are_those_of_its_last_batch():
    burst = next(iter(BurstLoader(loader(), 4)))
    first, *_, last = burst
    assert torch.equal(burst.x, last.x)
    assert not torch.equal(first.x, last.x)
    fresh = next(iter(BurstLoader(loader(), 4)))
    assert torch.equal(fresh.x, first.x)


def test_steps_are_taken_by_whom_the_loader_was_told():
    told = []
    burst = next(iter(BurstLoader(loader(), 4, train=lambda *given: told.append(given) or "done")))
    assert burst.train("model") == "done"
    assert told == [("model", burst)]


def test_ranks_share_each_step():
    whole = next(iter(BurstLoader(loader(), 3))).indices
    for rank in range(2):
        source = FactorLoader(Tiny(), batch_size=8, rank=rank, world_size=2)
        part = next(iter(BurstLoader(source, 3))).indices
        assert part.tolist() == whole[:, rank::2].tolist()


def test_a_burst_without_batches_is_refused():
    with pytest.raises(ValueError, match="at least 1 batch, got 0"):
        BurstLoader(loader(), 0)
