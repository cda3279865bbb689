# SPDX-License-Identifier: Apache-2.0
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from disent.grid import FactorGrid

GRID = FactorGrid(("shape", "scale", "pos_x"), (2, 3, 4))
SIZES = st.lists(st.integers(1, 6), min_size=1, max_size=4)


def grid_of(sizes: list[int]) -> FactorGrid:
    return FactorGrid(tuple(f"factor_{k}" for k in range(len(sizes))), tuple(sizes))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_last_factor_runs_fastest():
    assert GRID.factors(torch.arange(5)).tolist() == [
        [0, 0, 0],
        [0, 0, 1],
        [0, 0, 2],
        [0, 0, 3],
        [0, 1, 0],
    ]
    # 1 * 12 + 2 * 4 + 3
    assert GRID.index(torch.tensor([1, 2, 3])).item() == 23
    assert GRID.strides == (12, 4, 1)
    assert len(GRID) == 24


def test_dsprites_has_its_official_size():
    grid = FactorGrid(("shape", "scale", "orientation", "pos_x", "pos_y"), (3, 6, 40, 32, 32))
    assert len(grid) == 737_280
    assert grid.index(torch.tensor([2, 5, 39, 31, 31])).item() == 737_279


@given(SIZES)
def test_factors_and_index_are_inverse_at_every_point(sizes):
    grid = grid_of(sizes)
    every = torch.arange(len(grid))
    assert torch.equal(grid.index(grid.factors(every)), every)
    expected = torch.cartesian_prod(*map(torch.arange, sizes)).reshape(-1, len(sizes))
    assert torch.equal(grid.all_factors(), expected)


def test_batch_shapes_are_kept():
    index = torch.arange(24).reshape(2, 3, 4)
    assert GRID.factors(index).shape == (2, 3, 4, 3)
    assert torch.equal(GRID.index(GRID.factors(index)), index)
    assert GRID.factors(torch.empty(0, dtype=torch.int64)).shape == (0, 3)


@given(SIZES, st.data())
def test_where_finds_the_points_with_the_given_values(sizes, data):
    grid = grid_of(sizes)
    chosen = data.draw(st.sets(st.integers(0, len(sizes) - 1)))
    fixed = {grid.names[k]: data.draw(st.integers(0, sizes[k] - 1)) for k in sorted(chosen)}
    expected = [
        i
        for i, row in enumerate(grid.all_factors().tolist())
        if all(row[grid.names.index(name)] == value for name, value in fixed.items())
    ]
    assert grid.where(**fixed).tolist() == expected


def test_sample_is_uniform_and_repeats_with_the_generator():
    drawn = GRID.sample((240, 100), generator=generator())
    assert drawn.shape == (240, 100)
    counts = drawn.flatten().bincount(minlength=24)
    # 24,000 draws: 1000 a point, standard deviation 31
    assert len(counts) == 24
    assert (counts - 1000).abs().max() < 190
    assert torch.equal(drawn, GRID.sample((240, 100), generator=generator()))


def test_a_shared_batch_shares_its_factor_and_no_other():
    factor = torch.arange(3).repeat(200)
    index = GRID.sample_sharing(factor, 32, generator=generator())
    assert index.shape == (600, 32)
    values = GRID.factors(index)
    for k in range(3):
        rows = values[factor == k]
        same = (rows == rows[:, :1]).all(1)  # (batches, factors)
        assert same[:, k].all()
        # two values alike in all 32 members by chance: 2^-31 a batch
        assert not same[:, [j for j in range(3) if j != k]].any()
        assert rows[:, 0, k].unique().tolist() == list(range(GRID.sizes[k]))
        for j in range(3):
            assert rows[:, :, j].unique().tolist() == list(range(GRID.sizes[j]))


def test_pairs_share_their_factor_within_a_pair_only():
    factor = torch.arange(3).repeat(100)
    index = GRID.sample_pairs(factor, 32, generator=generator())
    assert index.shape == (300, 32, 2)
    values = GRID.factors(index)
    for k in range(3):
        first, second = values[factor == k].unbind(2)
        assert torch.equal(first[..., k], second[..., k])
        # the pairs of a batch do not share: 32 alike by chance, 2^-31
        assert not (first[:, :, k] == first[:, :1, k]).all(1).any()
        for j in {0, 1, 2} - {k}:
            alike = (first[..., j] == second[..., j]).double().mean()
            # of 3200 pairs; standard deviation at most 0.009
            assert alike == pytest.approx(1 / GRID.sizes[j], abs=0.05)


@pytest.mark.parametrize(
    ("names", "sizes", "message"),
    [
        (("a",), (2, 3), "1 names and 2 sizes"),
        ((), (), "at least one"),
        (("a", "a"), (2, 3), "Names must differ"),
        (("a", "b"), (2, 0), "at least 1"),
    ],
)
def test_a_grid_that_cannot_be_is_refused(names, sizes, message):
    with pytest.raises(ValueError, match=message):
        FactorGrid(names, sizes)


@pytest.mark.parametrize("factors", [[2, 0, 0], [0, -1, 0]])
def test_factor_values_out_of_range_are_refused(factors):
    with pytest.raises(IndexError, match="'shape': 2, 'scale': 3, 'pos_x': 4"):
        GRID.index(torch.tensor(factors))


@pytest.mark.parametrize("factors", [torch.zeros(2, 2), torch.zeros(3), torch.tensor(1)])
def test_factors_of_another_shape_or_type_are_refused(factors):
    with pytest.raises(ValueError, match="integers with 3 columns are wanted"):
        GRID.index(factors)


@pytest.mark.parametrize("index", [-1, 24])
def test_indices_out_of_range_are_refused(index):
    with pytest.raises(IndexError, match="run from 0 to 23"):
        GRID.factors(torch.tensor([0, index]))


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match=r"no factor is named colour\. The factors are: shape"):
        GRID.where(colour=1)


def test_names_and_sizes_may_come_as_lists():
    grid = FactorGrid(["a", "b"], [2, 3])  # pyright: ignore[reportArgumentType]
    assert grid == FactorGrid(("a", "b"), (2, 3))
    assert hash(grid) == hash(FactorGrid(("a", "b"), (2, 3)))
