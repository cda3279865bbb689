# SPDX-License-Identifier: Apache-2.0
"""InfoMEC: modularity, explicitness and compactness, from information."""

import math
import warnings
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from disent.metrics.arrays import takes_arrays
from disent.metrics.information import factor_entropy, mutual_information
from disent.metrics.linear import linear_r2
from disent.metrics.samples import varying


class InfoMEC(NamedTuple):
    """Three scores, float64 scalars; 1 is best.

    Attributes:
        modularity: Whether each active latent knows one factor only.
        explicitness: Whether straight lines read the factors off the code.
        compactness: Whether each factor is known by one active latent only; nan if one is active.
    """

    modularity: Tensor
    explicitness: Tensor
    compactness: Tensor


@takes_arrays
def infomec(
    codes: Float[Tensor, "n d"],
    factors: Int[Tensor, "n k"],
    *,
    bins: int = 20,
    active: float = 0.125,
    explicitness: str = "regression",
) -> InfoMEC:
    """InfoM, InfoE and InfoC; 0 is what codes that know everything alike score, 1 is best.

    With the share of factor k that latent j knows, s_kj = I(v_k; z_j) / H(v_k), binned as in `mig`,
    over the A active latents and the K factors:
    InfoM = (mean_j max_k s / sum_k s - 1/K) / (1 - 1/K),
    InfoC = (mean_k max_j s / sum_j s - 1/A) / (1 - 1/A).
    A latent is active if its range exceeds `active` times the largest range. The paper estimates
    the information of continuous codes by nearest neighbours (k = 3), which gives other numbers; so
    do other numbers of bins. Counting biases the small shares upwards: 2,000 rows keep a perfect
    code at 0.98.

    InfoE is judged on the rows it is fitted to. explicitness="regression": R squared of the
    least-squares line, averaged over factors, the paper's choice for continuous factors and the
    default here, since it takes any number of rows; it reads unordered values (shape) as numbers.
    explicitness="classification": 1 - cross-entropy / ln(values) of a logistic regression without
    penalty and with all values weighted alike; give it some 10,000 rows at most.

    Factors that have one value in `factors` are left out. Latents that know nothing take no part.

    Args:
        codes: One latent vector per image, usually posterior means.
        factors: The same images' ground-truth factor values, counted from 0.
        bins: Bins of each latent.
        active: Share of the largest range that makes a latent active.
        explicitness: "regression" or "classification".
    Returns:
        Three float64 scalars on the device of `codes`.
    Raises:
        ValueError: Fewer than two factors vary, or a setting that cannot be.
    References:
        Hsu et al. (2023), "Disentanglement via Latent Quantization", section 4,
        https://arxiv.org/abs/2305.18378.
    Example:
        >>> factors = torch.cartesian_prod(torch.arange(4), torch.arange(3))
        >>> infomec(factors.float(), factors).modularity
        tensor(1., dtype=torch.float64)
    """
    if explicitness not in ("regression", "classification") or not 0 <= active < 1:
        raise ValueError(
            f"got explicitness={explicitness!r}, active={active}. The first is 'regression' or "
            "'classification', the second lies in [0, 1); 0.125 is usual."
        )
    shares = mutual_information(codes, factors, bins)
    chosen = varying(factors)
    if len(chosen) < 2:
        raise ValueError(
            "1 factor varies, but modularity compares at least two. Choose another score."
        )
    chosen = chosen.to(shares.device)
    shares = shares[chosen] / factor_entropy(factors).to(shares.device)[chosen, None]
    spans = codes.double().aminmax(dim=0)
    width = spans.max - spans.min
    modular, compact = modularity_and_compactness(shares, width > active * width.max())
    kept = factors[:, chosen.to(factors.device)]
    read = linear_r2(codes, kept).mean() if explicitness == "regression" else _classify(codes, kept)
    return InfoMEC(modular, read, compact)


def modularity_and_compactness(
    shares: Float[Tensor, "k d"], active: Bool[Tensor, "d"]
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """InfoM and InfoC of the shares I(v_k; z_j) / H(v_k).

    0 where no latent is active, or none knows anything; InfoC is nan where one latent is active.
    """
    shares = shares[:, active]
    zero = torch.zeros((), dtype=torch.float64, device=shares.device)
    if not shares.numel() or not (shares > 0).any():
        return zero, zero
    return _concentration(shares, 0), _concentration(shares, 1)


def _concentration(shares: Float[Tensor, "k d"], axis: int) -> Float[Tensor, ""]:
    """Mean over the other axis of max / sum, rescaled so that equal shares give 0."""
    even = 1 / shares.shape[axis]
    if even == 1:
        return shares.new_full((), torch.nan)
    total = shares.sum(axis)
    known = total > 0
    mean = (shares.amax(axis)[known] / total[known]).mean()
    return (mean - even) / (1 - even)


def _classify(codes: Float[Tensor, "n d"], factors: Int[Tensor, "n k"]) -> Float[Tensor, ""]:
    """Mean over factors of 1 - cross-entropy / ln(values)."""
    from sklearn.exceptions import ConvergenceWarning  # loading it takes a second
    from sklearn.linear_model import LogisticRegression

    x = codes.double().cpu()
    deviation = x.std(0, correction=0)
    # rescaled for the solver only: without a penalty, the optimum does not depend on the scale
    x = ((x - x.mean(0)) / deviation.masked_fill(deviation == 0, 1.0)).numpy()
    shares = []
    for column in factors.T.cpu():
        values, label = column.unique(return_inverse=True)
        # a penalty this small only keeps the weights of separable classes finite
        model = LogisticRegression(C=1e8, class_weight="balanced", max_iter=2000, tol=1e-6)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the loss is what counts
            model.fit(x, label.numpy())
        odds = torch.from_numpy(model.decision_function(x))
        odds = odds if odds.ndim == 2 else torch.stack([torch.zeros_like(odds), odds], dim=1)
        cross_entropy = torch.nn.functional.cross_entropy(odds, label)
        shares.append(1 - cross_entropy / math.log(len(values)))
    return torch.stack(shares).mean().clamp(min=0).to(codes.device)
