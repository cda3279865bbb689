# SPDX-License-Identifier: Apache-2.0
"""Second pictures of a step: what a pair shares, how partners are drawn, and who hands them out."""

from typing import Any

import pytest
import torch
from torch import Tensor

from disent.data.bursts import Burst, BurstLoader
from disent.data.datamodule import FactorDataModule
from disent.data.loader import FactorLoader
from disent.data.views import SecondView
from disent.grid import FactorGrid
from disent.models.base import Model
from tests.data.probe import Probe, make_trainer
from tests.data.tiny import Tiny, indices_of

pytestmark = pytest.mark.filterwarnings("ignore:.isinstance.treespec, LeafSpec:FutureWarning")

GRID = Tiny().grid  # shape, scale and pos_x, of 2, 3 and 8 values
ALL = torch.arange(48)
N = 30_000
OWN = torch.randint(48, (N,), generator=torch.Generator().manual_seed(0))


def view(kind: str = "paired", index: Tensor = ALL, seed: int = 0, **more) -> SecondView:
    return SecondView(kind, Tiny(), index, seed, **more)


def differing(own: Tensor, other: Tensor) -> Tensor:
    """Which factors of each pair differ, Bool[n, 3]."""
    return GRID.factors(own) != GRID.factors(other)


@pytest.mark.parametrize("changed", [1, 2, 3])
def test_pairs_differ_in_at_most_so_many_factors(changed):
    differ = differing(OWN, view(changed=changed)(0, OWN)).sum(1)
    # a value drawn anew may be the old one
    assert differ.min() == 0
    assert differ.max() == changed


def test_every_factor_is_changed_equally_often_and_its_values_are_uniform():
    other = view(changed=1)(0, OWN)
    differ = differing(OWN, other)
    values = GRID.factors(other)
    for k, size in enumerate(GRID.sizes):
        # a third of all pairs change factor k, and one in `size` of them finds the old value
        expected = N / 3 * (1 - 1 / size)
        assert float(differ[:, k].sum()) == pytest.approx(expected, abs=4 * expected**0.5)
        counts = values[differ[:, k], k].bincount(minlength=size)
        assert (counts - expected / size).abs().max() < 4 * (expected / size) ** 0.5


def test_the_new_value_does_not_depend_on_the_old_one():
    own = torch.full((N,), 5)  # shape 0, scale 0, pos_x 5
    values = GRID.factors(view(changed=3)(0, own))
    for k, size in enumerate(GRID.sizes):
        counts = values[:, k].bincount(minlength=size)
        assert (counts - N / size).abs().max() < 4 * (N / size) ** 0.5


def test_without_a_number_from_one_to_all_but_one_factors_change():
    other = view(changed=None)(0, torch.zeros(N, dtype=torch.int64))
    differ = differing(torch.zeros_like(other), other)
    assert differ.sum(1).max() == 2  # of three factors, each pair shares at least one
    # factor k is among one or two of three in half of the pairs
    for k, size in enumerate(GRID.sizes):
        expected = N / 2 * (1 - 1 / size)
        assert float(differ[:, k].sum()) == pytest.approx(expected, abs=4 * expected**0.5)


def test_with_a_single_factor_none_of_them_is_shared():
    class Line(Tiny):
        def __init__(self):
            super().__init__()
            self.grid = FactorGrid(("pos_x",), (8,))

    own = torch.zeros(1000, dtype=torch.int64)
    other = SecondView("paired", Line(), torch.arange(8), 0, None)(0, own)
    assert other.unique().tolist() == list(range(8))


def test_held_out_partners_are_never_drawn():
    allowed = GRID.index(GRID.all_factors())[GRID.all_factors()[:, 2] < 3]
    own = allowed[torch.randint(len(allowed), (5000,))]
    other = view(index=allowed, changed=1)(0, own)
    assert set(other.tolist()) == set(allowed.tolist())
    assert differing(own, other).sum(1).max() == 1


def test_a_picture_without_a_partner_is_named():
    # the two differ in all three factors
    with pytest.raises(ValueError, match=r"picture 0 has no partner .* hold out fewer") as error:
        view(index=torch.tensor([47]), changed=1)(0, torch.tensor([0]))
    assert "\n" not in str(error.value)


def test_independent_pictures_do_not_depend_on_the_batch():
    allowed = torch.tensor([3, 5, 7, 11])
    second = view("independent", allowed)
    first, same = second(4, torch.zeros(N, dtype=torch.int64)), second(4, OWN)
    assert torch.equal(first, same)
    counts = first.bincount(minlength=12)
    assert set(counts.nonzero().flatten().tolist()) == {3, 5, 7, 11}
    assert (counts[allowed] - N / 4).abs().max() < 4 * (N / 4) ** 0.5


def test_a_second_batch_is_another_than_the_first():
    source = FactorLoader(Tiny(), batch_size=N, second=view("independent"))
    own, other = source.indices(0), view("independent")(0, source.indices(0))
    # independent draws of 48 pictures agree in one of 48
    same = float((own == other).sum())
    assert same == pytest.approx(N / 48, abs=4 * (N / 48) ** 0.5)


@pytest.mark.parametrize("kind", ["independent", "paired"])
def test_partners_are_a_function_of_seed_and_position(kind):
    own = OWN[:64]
    source = view(kind)
    first, second = source(0, own), source(1, own)
    assert not torch.equal(first, second)
    assert torch.equal(source(0, own), first)
    assert torch.equal(view(kind)(1, own), second)
    assert not torch.equal(view(kind, seed=1)(0, own), first)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: view("both"), "'both', but one of independent, paired exists"),
        (lambda: view(changed=0), "differ in 0 factors, but there are 3"),
        (lambda: view(changed=4), "differ in 4 factors, but there are 3"),
        (
            lambda: SecondView("paired", object(), ALL, 0),  # pyright: ignore[reportArgumentType]
            "whole grid of factors, but object is none",
        ),
    ],
)
def test_views_that_cannot_be_are_refused_in_one_line(make, message):
    with pytest.raises(ValueError, match=message) as error:
        make()
    assert "\n" not in str(error.value)


def loader(kind: str | None = "paired", labels: bool = True, **more) -> Any:
    second = None if kind is None else view(kind)
    return FactorLoader(Tiny(), batch_size=8, second=second, labels=labels, **more)


def test_a_loader_without_either_gives_pictures_alone():
    assert isinstance(next(iter(loader(None, labels=False))), Tensor)


def test_labels_are_the_factors_of_the_pictures():
    batch = next(iter(loader(None)))
    assert batch.other is None
    assert torch.equal(batch.factors, GRID.factors(torch.tensor(indices_of(batch.x))))


@pytest.mark.parametrize("labels", [False, True])
def test_the_second_pictures_are_those_of_the_view(labels):
    source = loader(labels=labels)
    for position, batch in zip(range(3), source, strict=False):
        own = torch.tensor(indices_of(batch.x))
        other = indices_of(batch.other.x)
        assert other == view()(position, own).tolist()
        if labels:
            assert torch.equal(batch.other.factors, GRID.factors(torch.tensor(other)))
        else:
            assert batch.factors is batch.other.factors is None


@pytest.mark.parametrize("kind", ["independent", "paired"])
def test_ranks_share_the_pairs_of_one_rank(kind):
    whole = loader(kind).at(5)
    for rank in range(2):
        share = loader(kind, rank=rank, world_size=2).at(5)
        for name, tensor in share.tensors().items():
            assert torch.equal(tensor, whole.tensors()[name][rank::2])


@pytest.mark.parametrize("kind", [None, "independent", "paired"])
@pytest.mark.parametrize("world_size", [1, 2])
def test_a_burst_is_the_batches_of_the_loader(kind, world_size):
    shares = {"rank": world_size - 1, "world_size": world_size}
    alone, source = loader(kind, **shares), loader(kind, **shares)
    source.position = 2
    burst = next(iter(BurstLoader(source, 5)))
    assert isinstance(burst, Burst)
    assert len(burst.indices) == 3
    for position, batch in enumerate(burst, 2):
        expected = alone.at(position).tensors()
        assert batch.tensors().keys() == expected.keys()
        assert all(torch.equal(t, expected[name]) for name, t in batch.tensors().items())
        assert burst.x is batch.x


class Asks(Model):
    """A model that notes which batches it is given."""

    updates = ()
    views = ("own", "paired")
    labels = True
    changed_factors = 2

    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = True
        self.seen: list[Any] = []  # batches
        self.weight = torch.nn.Parameter(torch.ones(()))

    def training_step(self, batch, batch_idx):
        self.seen.append(batch)
        return self.weight * batch.x.mean()

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD([self.weight], lr=0.1)


def test_a_model_that_asks_for_views_and_labels_gets_them():
    data, model = FactorDataModule(Tiny(), batch_size=256, held_out="pos_x == 7"), Asks()
    make_trainer(max_steps=2).fit(model, data)
    for batch in model.seen:
        own, other = (torch.tensor(indices_of(each.x)) for each in (batch, batch.other))
        assert torch.equal(batch.factors, GRID.factors(own))
        assert torch.equal(batch.other.factors, GRID.factors(other))
        assert differing(own, other).sum(1).max() == 2
        assert batch.other.factors[:, 2].max() == 6


def test_a_plain_module_gets_tensors():
    data, model = FactorDataModule(Tiny(), batch_size=8), Probe()
    make_trainer(max_steps=2).fit(model, data)
    assert [len(seen) for seen in model.seen] == [8, 8]
    assert isinstance(next(iter(data.train_dataloader())), Tensor)


def test_a_model_changes_nothing_of_the_first_pictures():
    data = FactorDataModule(Tiny(), batch_size=8)
    plain, asking = data.loader_for(Probe()), data.loader_for(Asks())
    assert torch.equal(plain.at(3).x, asking.at(3).x)
