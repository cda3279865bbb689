# SPDX-License-Identifier: Apache-2.0
"""UDR, the unsupervised disentanglement ranking: do models of different seeds agree?"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from disent.checks import check_finite
from disent.metrics.arrays import takes_arrays

PENALTY = 0.1  # of the Lasso, on codes of variance 1
SMALLEST_VARIANCE = 1e-12


class Agreement(NamedTuple):
    """What `udr` is made of.

    Attributes:
        scores: Float64[m], one for each model.
        pairwise: Float64[m, m], the similarity of model i to model j; 0 on the diagonal.
    """

    scores: Float[Tensor, "m"]
    pairwise: Float[Tensor, "m m"]


@takes_arrays
def udr(
    codes_of_runs: Float[Tensor, "m n d"],
    rates_of_runs: Float[Tensor, "m d"],
    *,
    method: str = "lasso",
    threshold: float = 0.01,
    keep_inactive: bool = False,
) -> Float[Tensor, "m"]:
    """How alike each model's code is to those of the others, without labels; 0 is worst, 1 best.

    For each pair of models the matrix R of |coefficients| that express the latents of the second by
    those of the first (Lasso with penalty 0.1 on codes of variance 1), or of absolute rank
    correlations (Spearman). The similarity is the mean, over rows and over columns, of
    max(R)^2 / sum(R): 1 where each latent finds one of the other model that it equals up to sign,
    and nothing else. A model's score is the median of its similarities to the others.

    Latents whose rate is at most `threshold` are left out, since what they hold is noise; with
    keep_inactive=True they count as latents that are like no other. (With Spearman the reference
    then correlates constants, and nan takes half of the score away.) Models should differ in their
    seed alone. A high score says that the code is found again, not that it is the factors.

    Args:
        codes_of_runs: Codes of the same n pictures by m models.
        rates_of_runs: The mean rate of every latent, nats per image.
        method: "lasso" or "spearman".
        threshold: Of the rate, nats per image.
        keep_inactive: Whether latents below it count.
    Returns:
        Float64[m] on the device of the codes.
    Raises:
        ValueError: Fewer than two models or two pictures, or tables that do not fit.
    References:
        Duan et al. (2020), "Unsupervised Model Selection for Variational Disentangled
        Representation Learning", section 4, https://arxiv.org/abs/1905.12614.
    Example:
        >>> codes = torch.tensor([[-1.0, 0.5], [0.0, -1.0], [1.0, 0.5]])
        >>> both = torch.stack([codes, -codes.flip(1)])  # the same code, its latents swapped
        >>> udr(both, torch.ones(2, 2), method="spearman").round(decimals=2)
        tensor([1., 1.], dtype=torch.float64)
    """
    return agreement(
        codes_of_runs,
        rates_of_runs,
        method=method,
        threshold=threshold,
        keep_inactive=keep_inactive,
    ).scores


def agreement(
    codes_of_runs: Float[Tensor, "m n d"],
    rates_of_runs: Float[Tensor, "m d"],
    *,
    method: str = "lasso",
    threshold: float = 0.01,
    keep_inactive: bool = False,
) -> Agreement:
    """The scores of `udr`, and the similarity of every ordered pair of models."""
    _check(codes_of_runs, rates_of_runs, method)
    standard = [_standardised(codes.double()) for codes in codes_of_runs]
    active = [rates > threshold for rates in rates_of_runs]
    if method == "spearman":
        standard = [_standardised(_ranks(codes)) for codes in standard]
    standard = [codes * mask for codes, mask in zip(standard, active, strict=True)]
    counted = [mask | keep_inactive for mask in active]
    m = len(standard)
    pairwise = torch.zeros(m, m, dtype=torch.float64)
    for i in range(m):
        for j in range(m):
            if i != j:
                correlation = _correlation(standard[i], standard[j], method)
                correlation = correlation[counted[i].cpu()][:, counted[j].cpu()]
                pairwise[i, j] = relative_strength(correlation)
    others = pairwise.T[~torch.eye(m, dtype=torch.bool)].view(m, m - 1)
    scores = torch.quantile(others, 0.5, dim=1)
    device = codes_of_runs.device
    return Agreement(scores.to(device), pairwise.to(device))


def relative_strength(correlation: Float[Tensor, "a b"]) -> Float[Tensor, ""]:
    """Mean over rows and over columns of max^2 / sum; 0 for those without any correlation.

    0 for a matrix without rows or columns: a model without active latents is like no other.

    Example:
        >>> relative_strength(torch.eye(3)).item()
        1.0
    """
    if not correlation.numel():
        return torch.zeros((), dtype=torch.float64)
    parts = []
    for axis in (0, 1):
        total = correlation.sum(axis)
        share = correlation.amax(axis).square() / total
        parts.append(torch.where(total > 0, share, 0.0).mean())
    return (parts[0] + parts[1]) / 2


def _correlation(x: Float[Tensor, "n d"], y: Float[Tensor, "n d"], method: str) -> Tensor:
    """How each latent of y is expressed by those of x: |coefficients| [d of x, d of y]."""
    if method == "spearman":
        return (x.T @ y / len(x)).abs().cpu()
    from sklearn.linear_model import Lasso  # loading it takes a second

    model = Lasso(alpha=PENALTY, max_iter=10_000).fit(x.cpu().numpy(), y.cpu().numpy())
    return torch.from_numpy(model.coef_).reshape(y.shape[1], -1).T.abs()


def _standardised(codes: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    """Columns of mean 0 and variance 1; 0 where they are constant."""
    centred = codes - codes.mean(0)
    variance = centred.square().mean(0)
    return centred * torch.where(variance > SMALLEST_VARIANCE, variance, torch.inf).rsqrt()


def _ranks(codes: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    """Ranks within each column; equal values share the mean of theirs."""
    columns = []
    for column in codes.T:
        _, inverse, counts = column.unique(return_inverse=True, return_counts=True)
        last = counts.cumsum(0).double()
        columns.append((last - (counts - 1) / 2)[inverse])
    return torch.stack(columns, dim=1)


def _check(codes: Tensor, rates: Tensor, method: str) -> None:
    if codes.ndim != 3 or len(codes) < 2 or codes.shape[1] < 2:
        raise ValueError(
            f"codes_of_runs has shape {list(codes.shape)}, but [m, n, d] is wanted, of at least "
            "two models and two pictures: a model is compared with others."
        )
    if rates.shape != (codes.shape[0], codes.shape[2]):
        raise ValueError(
            f"rates_of_runs has shape {list(rates.shape)}, but "
            f"{[codes.shape[0], codes.shape[2]]} is wanted: one rate for each latent of each model."
        )
    if method not in ("lasso", "spearman"):
        raise ValueError(f"method must be 'lasso' or 'spearman', got {method!r}.")
    check_finite(codes.flatten(0, 1))
    check_finite(rates, "rates_of_runs")
