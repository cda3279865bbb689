# SPDX-License-Identifier: Apache-2.0
"""Batches, and datasets that are no grid: twenty lines of an own one are enough."""

from itertools import chain
from typing import Any

import pytest
import torch

from disent.data.base import Batch, check_index
from disent.data.datamodule import FactorDataModule
from disent.data.loader import FactorLoader
from disent.data.splits import held_out_pictures
from disent.models import BetaVAE
from disent.networks import Linear
from tests.data.digits import Digits, Labelled
from tests.data.probe import make_trainer
from tests.data.tiny import indices_of

pytestmark = pytest.mark.filterwarnings("ignore:.isinstance.treespec, LeafSpec:FutureWarning")


def batch() -> Batch:
    other = Batch(torch.zeros(2, 1, 4, 4), torch.tensor([[5], [6]]))
    return Batch(torch.ones(2, 1, 4, 4), torch.tensor([[3], [4]]), other)


def test_each_changes_every_tensor_and_keeps_what_is_missing():
    doubled = batch().each(lambda tensor: 2 * tensor)
    assert doubled.x.unique().tolist() == [2]
    assert doubled.factors is not None
    assert doubled.factors.tolist() == [[6], [8]]
    assert doubled.other is not None
    assert doubled.other.factors is not None
    assert doubled.other.factors.tolist() == [[10], [12]]
    alone = Batch(torch.ones(2, 1, 4, 4)).each(lambda tensor: tensor[:1])
    assert alone.x.shape == (1, 1, 4, 4)
    assert alone.factors is alone.other is None


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (batch(), ["x", "factors", "other.x", "other.factors"]),
        (batch()._replace(factors=None), ["x", "other.x", "other.factors"]),
        (batch()._replace(other=Batch(torch.zeros(2, 1, 4, 4))), ["x", "factors", "other.x"]),
        (Batch(torch.ones(2, 1, 4, 4)), ["x"]),
    ],
)
def test_tensors_by_name_become_the_batch_again(given, names):
    tensors = given.tensors()
    assert list(tensors) == names
    again = Batch.of(tensors)
    assert again.tensors().keys() == tensors.keys()
    assert all(again.tensors()[name] is tensor for name, tensor in tensors.items())


@pytest.mark.parametrize("dataset", [Digits(), Labelled()])
def test_an_own_dataset_is_drawn_from(dataset):
    source: Any = FactorLoader(dataset, batch_size=10, sampling="shuffled")
    assert sorted(chain(*map(indices_of, source))) == list(range(30))
    x = dataset.batch(torch.tensor([0, 29]))
    assert x.shape == (2, 1, 28, 28)
    assert x.dtype == torch.float32
    torch.testing.assert_close(x[:, 0, 0, 0], torch.tensor([0, 29 / 255]))


def test_at_gives_labels_where_there_are_some():
    index = torch.tensor([3, 14, 27])
    assert Digits().at(index).factors is None
    labels = Labelled().at(index).factors
    assert labels is not None
    assert labels.tolist() == [[3, 0], [4, 1], [7, -1]]


def test_a_loader_hands_missing_labels_on():
    source: Any = FactorLoader(Labelled(), batch_size=30, sampling="shuffled", labels=True)
    found = next(iter(source))
    index = torch.tensor(indices_of(found.x))
    assert (found.factors[:, 1] == -1).tolist() == (index >= 15).tolist()


def test_a_condition_holds_pictures_out_by_their_labels():
    mask = held_out_pictures(Labelled(), "digit < 3 and writer != 0")
    assert mask.nonzero().flatten().tolist() == [10, 11, 12, 20, 21, 22]
    data = FactorDataModule(Labelled(), batch_size=5, held_out="writer == -1")
    assert data.held_out_index.tolist() == list(range(15, 30))
    assert data.train_index.tolist() == list(range(15))


def test_a_condition_on_labels_names_their_values_and_their_names():
    with pytest.raises(ValueError, match=r"holds out nothing.*digit 0\.\.9, writer -1\.\.1"):
        held_out_pictures(Labelled(), "digit > 9")
    with pytest.raises(ValueError, match=r"no factor is named digits\. Did you mean digit"):
        held_out_pictures(Labelled(), "digits > 3")


def test_without_labels_nothing_is_held_out():
    with pytest.raises(ValueError, match="condition on factors or labels, but Digits has none"):
        FactorDataModule(Digits(), batch_size=5, held_out="digit > 3")


def test_a_model_that_wants_labels_is_told_that_there_are_none():
    class Wants:
        labels = True

    assert FactorDataModule(Labelled(), batch_size=5).loader_for(Wants()).labels
    with pytest.raises(ValueError, match="Wants wants labels, but Digits has none: take a dataset"):
        FactorDataModule(Digits(), batch_size=5).loader_for(Wants())


def test_a_vae_trains_on_pictures_of_another_size():
    model = BetaVAE(network=Linear, latent_dim=2, size=(28, 28))
    data = FactorDataModule(Digits(), batch_size=8)
    make_trainer(max_steps=3).fit(model, data)
    assert data.position == 3
    assert model.reconstruct(Digits().batch(torch.arange(4))).shape == (4, 1, 28, 28)


def test_lists_of_indices_are_checked():
    check_index(torch.tensor([0, 29]), 30)
    check_index(torch.tensor([], dtype=torch.int64), 30)
    with pytest.raises(TypeError, match=r"shape \[2\] and dtype torch.float32"):
        check_index(torch.zeros(2), 30)
    with pytest.raises(IndexError, match="from 0 to 29, but 3 to 30 came"):
        check_index(torch.tensor([3, 30]), 30)
