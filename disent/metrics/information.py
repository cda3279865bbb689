# SPDX-License-Identifier: Apache-2.0
"""Entropy and mutual information of binned codes and factors, in nats, by counting."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from disent.checks import check_finite, check_same_rows

# Below this, the information of a constant or independent latent is rounding error.
SMALLEST_INFORMATION = 1e-12
# Counting wants a table as long as the largest value; identifiers and hashes are no factor values.
LARGEST_VALUE = 2**24


def check_codes_and_factors(codes: Tensor, factors: Tensor) -> None:
    """Raises ValueError unless `codes` [n, d] are finite and `factors` [n, k] countable."""
    check_same_rows(codes, factors)
    if codes.numel() == 0 or factors.numel() == 0:
        raise ValueError(
            f"codes has shape {list(codes.shape)} and factors {list(factors.shape)}. "
            "At least one image, one latent and one factor are wanted."
        )
    check_finite(codes)
    check_factors(factors)


def check_factors(factors: Tensor) -> None:
    """Raises ValueError unless `factors` [n, k] are integers counted from 0."""
    if factors.is_floating_point() or factors.is_complex():
        raise ValueError(
            f"factors has dtype {factors.dtype}, but the integers 0, 1, 2 ... are wanted: "
            "give the index of each factor's value, as FactorGrid.factors does, or number the "
            "values of any table by disent.factors.number_factors."
        )
    low, high = int(factors.min()), int(factors.max())
    if low < 0 or high >= LARGEST_VALUE:
        raise ValueError(
            f"factors runs from {low} to {high}, but values are counted from 0 and stay below "
            f"{LARGEST_VALUE}. Renumber them with disent.factors.number_factors."
        )


def equal_width(code: Float[Tensor, "n"], bins: int) -> Int[Tensor, "n"]:
    """The bin, 0 to `bins` - 1, of each value of one latent.

    The bins are equally wide, from the latent's own minimum to its maximum, and closed on the
    left, the last one on both sides. A constant latent falls into one bin. The edges are computed
    in float64 by the same two roundings as numpy.linspace, so values on an edge go where
    numpy.histogram and numpy.digitize put them.

    Example:
        >>> equal_width(torch.tensor([0.0, 1.0, 2.0, 3.0, 4.0]), bins=2)
        tensor([0, 0, 1, 1, 1])
    """
    if bins < 1:
        raise ValueError(f"bins must be at least 1, got {bins}. The field's usual number is 20.")
    code = code.to(torch.float64).contiguous()
    low, high = code.aminmax()
    edges = torch.arange(bins, device=code.device, dtype=torch.float64) * ((high - low) / bins)
    return torch.bucketize(code, edges + low, right=True) - 1


def entropy(counts: Int[Tensor, "*batch v"]) -> Float[Tensor, "*batch"]:
    """Plug-in entropy of counted values, in nats: -sum p ln p with p = count / total."""
    p = counts.to(torch.float64) / counts.sum(-1, keepdim=True)
    return torch.xlogy(p, p).sum(-1).abs()


def factor_entropy(factors: Int[Tensor, "n k"]) -> Float[Tensor, "k"]:
    """Empirical entropy of each factor, in nats.

    Example:
        >>> factor_entropy(torch.tensor([[0, 3], [1, 3]]))
        tensor([0.6931, 0.0000], dtype=torch.float64)
    """
    check_factors(factors)
    return torch.stack([entropy(column.to(torch.int64).bincount()) for column in factors.T])


def mutual_information(
    codes: Float[Tensor, "n d"], factors: Int[Tensor, "n k"], bins: int = 20
) -> Float[Tensor, "k d"]:
    """Plug-in estimate of I(v_k; z_j) for every factor k and latent j, in nats.

    Each latent is cut into `bins` equal-width bins (see `equal_width`). The estimate is biased
    upwards, by about (occupied bins - 1)(values - 1) / 2n: read it over the whole grid if possible.

    Args:
        codes: One latent vector per image.
        factors: The same images' ground-truth factor values, counted from 0.
        bins: Bins of each latent.
    Returns:
        float64 on the device of `codes`; 0 <= I <= the smaller entropy. Values below 1e-12 are 0.
    References:
        Cover & Thomas (2006), "Elements of Information Theory", eq. 2.28.
        Locatello et al. (2019), "Challenging Common Assumptions in the Unsupervised Learning of
        Disentangled Representations", appendix C, https://arxiv.org/abs/1811.12359.
    Example:
        >>> codes = torch.tensor([[0.0, 5.0], [1.0, 5.0]])
        >>> mutual_information(codes, torch.tensor([[0], [1]]))
        tensor([[0.6931, 0.0000]], dtype=torch.float64)
    """
    check_codes_and_factors(codes, factors)
    columns = [column.to(codes.device, torch.int64).contiguous() for column in factors.T]
    sizes = [int(column.max()) + 1 for column in columns]
    information = torch.empty(len(columns), codes.shape[1], dtype=torch.float64)
    for j in range(codes.shape[1]):
        bin_of = equal_width(codes[:, j], bins)
        for k, (column, size) in enumerate(zip(columns, sizes, strict=True)):
            joint = (bin_of * size + column).bincount(minlength=bins * size)
            information[k, j] = _information_of_table(joint.view(bins, size))
    return information.to(codes.device)


def _information_of_table(joint: Int[Tensor, "a b"]) -> Float[Tensor, ""]:
    """sum p(a,b) ln p(a,b) / (p(a) p(b)), in nats, of a table of counts."""
    n = joint.sum()
    independent = (joint.sum(1, keepdim=True) * joint.sum(0, keepdim=True)).clamp(min=1)
    information = torch.xlogy(joint / n.double(), joint * n / independent.double()).sum()
    return torch.where(information < SMALLEST_INFORMATION, 0.0, information)
