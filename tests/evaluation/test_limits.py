# SPDX-License-Identifier: Apache-2.0
"""Where the entropy of the pictures bounds rate + distortion, with pictures that are no grid."""

import math

import pytest
import torch
from jaxtyping import Int, UInt8
from torch import Tensor

from disent.codes import CodeTable
from disent.data.base import PictureDataset
from disent.data.subgrid import Subset
from disent.evaluation.limits import rate_and_distortion
from disent.gaussian import DiagonalGaussian, FullGaussian, Posterior
from disent.likelihoods import Bernoulli, FixedGaussian
from disent.likelihoods.base import Likelihood
from disent.metrics.bounds import BoundViolated

ENTROPY = math.log(2) / 2 + math.log(3) / 3 + math.log(6) / 6  # of 1/2, 1/3, 1/6


class Rows(PictureDataset):
    """Six pictures of 3 x 5: three black, two with row 1 lit, one with row 2 lit."""

    channels, size = 1, (3, 5)

    def __init__(self, lit: int = 255) -> None:
        self.lit = lit

    @property
    def fingerprint(self) -> str:
        return "rows-of-the-tests"

    def __len__(self) -> int:
        return 6

    def images(self, index: Int[Tensor, "b"]) -> UInt8[Tensor, "b c h w"]:
        kind = torch.tensor([0, 0, 0, 1, 1, 2])[index].view(-1, 1, 1, 1)
        shown = (torch.arange(3)[:, None] == kind) & (kind > 0)
        return (shown * self.lit).to(torch.uint8).expand(-1, 1, 3, 5)


class Shortest:
    """Says nothing of a picture by its code (rate 0), and knows the share of each: -ln 1/2 ..."""

    device = torch.device("cpu")

    def __init__(self, likelihood: Likelihood | None = None, *, full: bool = False) -> None:
        self.likelihood, self.full = likelihood or Bernoulli(), full

    def encode(self, x: Tensor) -> Posterior:
        nothing = torch.zeros(len(x), 2)
        if self.full:
            return FullGaussian(nothing, torch.eye(2).expand(len(x), 2, 2))
        return DiagonalGaussian(nothing, nothing)

    def distortion(self, x: Tensor, z: Tensor) -> Tensor:
        kind = x[:, 0, 1:, 0].sign() @ torch.tensor([1.0, 2.0])
        return torch.tensor([2.0, 3.0, 6.0]).log()[kind.long()]


class TooShort(Shortest):
    """Its probabilities add up to more than 1."""

    def distortion(self, x: Tensor, z: Tensor) -> Tensor:
        return super().distortion(x, z) - 0.1


def place(model: Shortest, dataset: PictureDataset):
    return rate_and_distortion(model, dataset, CodeTable.encode(model, dataset), 0)


@pytest.mark.parametrize("full", [False, True])
def test_the_best_code_meets_the_entropy_and_a_shorter_one_is_refused(full):
    found = place(Shortest(full=full), Rows())
    assert found["entropy"] == pytest.approx(ENTROPY)
    assert found["rate"] == pytest.approx(0, abs=1e-9)
    # 4096 draws of one of six pictures: deviation 0.41 nats, standard error 0.006
    assert found["distortion"] == pytest.approx(ENTROPY, abs=0.03)
    with pytest.raises(BoundViolated, match=r"the entropy of the pictures, 1\.0114 nats"):
        place(TooShort(full=full), Rows())


def test_of_a_subset_its_own_entropy_counts():
    # every second picture: two black, one with row 1 lit: 2/3, 1/3
    entropy = math.log(3) - 2 / 3 * math.log(2)
    assert place(Shortest(), Subset(Rows(), 2))["entropy"] == pytest.approx(entropy)


@pytest.mark.parametrize(
    ("model", "dataset"), [(TooShort(), Rows(128)), (TooShort(FixedGaussian()), Rows())]
)
def test_grey_pictures_and_densities_are_not_bounded(model, dataset):
    assert place(model, dataset)["entropy"] is None
