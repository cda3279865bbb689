# SPDX-License-Identifier: Apache-2.0
import pytest
import torch
from jaxtyping import Int, UInt8
from sklearn.decomposition import PCA
from torch import Tensor

from disent.codes import CodeTable
from disent.data.base import FactorDataset
from disent.evaluation.pca import PixelPCA
from disent.grid import FactorGrid
from tests.tiny import Squares

DATA = Squares()
X = DATA.batch(torch.arange(128)).flatten(1)


def test_equals_scikit_learn():
    ours, theirs = PixelPCA.fit(DATA, 4), PCA(4, svd_solver="full").fit(X.double().numpy())
    # its variances are over n - 1
    expected = torch.from_numpy(theirs.explained_variance_) * 127 / 128
    torch.testing.assert_close(ours.eigenvalues, expected, rtol=1e-4, atol=0)
    mine = ours.encode(X.view(-1, 1, 64, 64)).mean.double()
    components = torch.from_numpy(theirs.transform(X.double().numpy()))
    # equal eigenvalues share a plane: compare the subspaces, by projecting one onto the other
    solution = torch.linalg.lstsq(components, mine).solution
    torch.testing.assert_close(components @ solution, mine, rtol=0, atol=1e-3)


def test_posterior_is_that_of_probabilistic_pca():
    """W = u sqrt(l - s) is inverted by its own posterior: (W'W + s)^-1 W' (x - m), cov s M^-1."""
    model = PixelPCA.fit(DATA, 3)
    noise = float(model.logvar[0].double().exp() * model.eigenvalues[0])
    x = X.double() - X.double().mean(0)
    values = torch.linalg.eigvalsh(x.T @ x / 128).flip(0)
    assert noise == pytest.approx(float(values[3:].mean()), rel=1e-3)
    q = model.encode(X[:5].view(-1, 1, 64, 64))
    weights = model.projection.double() * model.eigenvalues  # u sqrt(l - s)
    m = weights.T @ weights + noise * torch.eye(3)
    torch.testing.assert_close(m, torch.diag(model.eigenvalues), rtol=1e-3, atol=1e-3)
    expected = (x[:5] @ weights) @ torch.linalg.inv(m)
    torch.testing.assert_close(q.mean.double(), expected, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(
        q.logvar[0].double().exp(), noise / model.eigenvalues, rtol=1e-4, atol=0
    )


def test_means_are_uncorrelated_and_the_first_varies_most():
    means = CodeTable.encode(PixelPCA.fit(DATA, 5), DATA).means
    covariance = means.T.cov()
    off = covariance - covariance.diag().diag()
    assert off.abs().max() < 1e-3
    assert (covariance.diag().diff() <= 1e-4).all()


class Grey(FactorDataset):
    """Pictures that do not vary."""

    grid = FactorGrid(("a",), (4,))
    channels = 1

    @property
    def fingerprint(self) -> str:
        return "grey"

    def images(self, index: Int[Tensor, "b"]) -> UInt8[Tensor, "b c 64 64"]:
        return torch.full((len(index), 1, 64, 64), 100, dtype=torch.uint8)


def test_pictures_without_variance_have_the_prior_as_posterior():
    q = PixelPCA.fit(Grey(), 2).encode(Grey().batch(torch.arange(4)))
    torch.testing.assert_close(q.mean, torch.zeros(4, 2))
    torch.testing.assert_close(q.kl(), torch.zeros(4, 2), atol=1e-4, rtol=0)


@pytest.mark.parametrize("components", [0, 5000])
def test_a_number_of_components_that_cannot_be_is_refused(components):
    with pytest.raises(ValueError, match=f"got {components} components and 128 pictures of 4096"):
        PixelPCA.fit(DATA, components)
