# SPDX-License-Identifier: Apache-2.0
"""Bursts hold the batches of the loader they are made of."""

import pytest

from disent.data.bursts import BurstLoader
from disent.data.loader import FactorLoader, Sampling
from tests.data.tiny import Tiny, indices_of

MODES: list[Sampling] = ["iid", "shuffled"]


def loader(sampling: Sampling = "iid") -> FactorLoader:
    return FactorLoader(Tiny(), batch_size=8, sampling=sampling)


def draw(source: FactorLoader, until: int) -> list[list[int]]:
    drawn = []
    while source.position < until:
        drawn += [indices_of(batch) for batch in source]
    return drawn


@pytest.mark.parametrize("sampling", MODES)
@pytest.mark.parametrize(("start", "until"), [(0, None), (3, None), (0, 13), (7, 8), (9, 8)])
def test_bursts_are_the_same_batches_many_at_once(sampling, start, until):
    alone, source = loader(sampling), loader(sampling)
    alone.position = source.position = start
    bursts, drawn = BurstLoader(source, 4, until), []
    while source.position < 18:
        for burst in bursts:
            assert len(burst) == 8
            assert 1 <= len(burst.indices) <= 4
            assert source.position % 4 == 0 or source.position == until
            drawn += [indices_of(burst.draw(index)) for index in burst.indices]
    assert drawn == draw(alone, source.position)[: len(drawn)]


def test_an_epoch_has_as_many_bursts_as_it_says():
    bursts = BurstLoader(loader(), 4)
    for _ in range(3):
        assert len(list(bursts)) == len(bursts)


def test_ranks_share_each_step():
    whole = next(iter(BurstLoader(loader(), 3))).indices
    for rank in range(2):
        source = FactorLoader(Tiny(), batch_size=8, rank=rank, world_size=2)
        part = next(iter(BurstLoader(source, 3))).indices
        assert part.tolist() == whole[:, rank::2].tolist()


def test_a_burst_without_steps_is_refused():
    with pytest.raises(ValueError, match="at least 1 step, got 0"):
        BurstLoader(loader(), 0)
