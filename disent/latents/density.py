# SPDX-License-Identifier: Apache-2.0
"""Densities fitted to the codes of a model that has no prior, from which it can then be sampled."""

import math
from typing import Literal, Self, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from disent.checks import check_finite
from disent.priors.base import Prior, uniform
from disent.streams import Stream

Kind = Literal["diagonal", "full", "mixture"]
KINDS: tuple[Kind, ...] = get_args(Kind)
FLOOR = 1e-6  # of a latent's variance, added to it: codes may lie in a plane


class CodeDensity(Prior):
    """A Gaussian or a mixture of Gaussians over codes.

    Args:
        weights: Float[K], of the components; they sum to 1.
        means: Float[K, D].
        cholesky: Float[K, D, D], lower triangular L of the covariances L L^T, of positive diagonal.
    Attributes:
        draws: D normal numbers a sample; of a mixture one more, which chooses the component.
    """

    weights: Tensor
    means: Tensor
    cholesky: Tensor

    def __init__(
        self,
        weights: Float[Tensor, "k"],
        means: Float[Tensor, "k d"],
        cholesky: Float[Tensor, "k d d"],
    ) -> None:
        super().__init__(means.shape[1])
        self.draws = self.latent_dim + (len(weights) > 1)
        for name, table in (("weights", weights), ("means", means), ("cholesky", cholesky)):
            self.register_buffer(name, table.double(), persistent=False)

    @classmethod
    def fit(
        cls, codes: Float[Tensor, "n d"], kind: Kind, *, components: int = 10, seed: int = 0
    ) -> Self:
        """The density of highest likelihood of its kind.

        Args:
            codes: One a row.
            kind: diagonal: a Gaussian without covariances; full: one with them; mixture: of
                Gaussians with theirs, by scikit-learn's GaussianMixture.
            components: Of a mixture.
            seed: Of where a mixture begins.
        Raises:
            ValueError: Another kind, a mixture of fewer than two, too few codes, or codes that are
                not finite.
        """
        _check(codes, kind, components)
        codes = codes.detach().cpu().double()
        # in units of its own deviation, so that no latent's scale decides what is found
        mean, variance = codes.mean(0), codes.var(0, correction=0)
        scale = (variance + FLOOR * variance.max().clamp(min=FLOOR)).sqrt()
        if kind == "mixture":
            weights, means, covariances = _mixture((codes - mean) / scale, components, seed)
        else:
            weights, means = torch.ones(1).double(), torch.zeros_like(mean)[None]
            covariances = ((codes - mean) / scale).T.cov(correction=0).view(1, len(mean), -1)
            if kind == "diagonal":
                covariances = torch.diag_embed(covariances.diagonal(dim1=1, dim2=2))
        covariances = covariances + FLOOR * torch.eye(len(mean)).double()
        lower = scale[:, None] * torch.linalg.cholesky(covariances)
        return cls(weights, mean + scale * means, lower)

    def component(self, noise: Float[Tensor, "n w"]) -> Tensor:
        """Of which component each sample of `sample` is, Int[n]."""
        if len(self.weights) == 1:
            return torch.zeros(len(noise), dtype=torch.int64, device=noise.device)
        share = uniform(noise[:, 0].double())
        return torch.searchsorted(self.weights.cumsum(0), share).clamp(max=len(self.weights) - 1)

    def sample(self, noise: Float[Tensor, "n w"]) -> Float[Tensor, "n d"]:
        """Codes; of a mixture, the first number chooses the component, the others the place."""
        chosen, place = self.component(noise), noise[:, -self.latent_dim :, None].double()
        return (self.means[chosen] + (self.cholesky[chosen] @ place)[..., 0]).to(noise.dtype)

    def log_prob(self, z: Float[Tensor, "n d"]) -> Float[Tensor, "n"]:
        """log p(z) in nats, float64."""
        away = (z.double()[:, None] - self.means)[..., None]
        places = torch.linalg.solve_triangular(self.cholesky, away, upper=False)[..., 0]
        scale = self.cholesky.diagonal(dim1=1, dim2=2).log().sum(-1)
        density = -0.5 * (places.square() + math.log(2 * math.pi)).sum(-1) - scale
        return (density + self.weights.log()).logsumexp(-1)


def held_out_densities(
    codes: Float[Tensor, "n d"], *, components: int = 10, share: float = 0.2, seed: int = 0
) -> dict[Kind, float]:
    """Mean log-density of codes that a density was not fitted to, by its kind; nats per code.

    Args:
        codes: One a row.
        components: Of the mixture.
        share: Of the codes, drawn by the seed, that are kept from the fit.
        seed: Of these, and of where the mixture begins.
    Example:
        >>> line = torch.linspace(-1, 1, 1000)
        >>> found = held_out_densities(torch.stack([line, line + 0.1 * line.cos()], 1))
        >>> found["diagonal"] < found["full"] < found["mixture"]
        True
    """
    order = Stream(seed, "codes kept from the fit").permutation(0, len(codes))
    kept = round(share * len(codes))
    if not 1 <= kept < len(codes):
        raise ValueError(
            f"a share of {share} of {len(codes)} codes is {kept}, but at least one is wanted to "
            "judge by and one to fit."
        )
    held, fitted = codes[order[:kept]].cpu(), codes[order[kept:]].cpu()
    return {
        kind: float(
            CodeDensity.fit(fitted, kind, components=components, seed=seed).log_prob(held).mean()
        )
        for kind in KINDS
    }


def _mixture(
    codes: Float[Tensor, "n d"], components: int, seed: int
) -> tuple[Float[Tensor, "k"], Float[Tensor, "k d"], Float[Tensor, "k d d"]]:
    from sklearn.mixture import GaussianMixture  # loading it takes a second

    found = GaussianMixture(components, random_state=seed, max_iter=200).fit(codes.numpy())
    parts = (found.weights_, found.means_, found.covariances_)
    weights, means, covariances = (torch.from_numpy(part).double() for part in parts)
    return weights, means, covariances


def _check(codes: Tensor, kind: str, components: int) -> None:
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}.")
    if kind == "mixture" and components < 2:
        raise ValueError(
            f"a mixture of {components} came, but at least 2 components are wanted. One Gaussian "
            'with all covariances is kind "full".'
        )
    wanted = components if kind == "mixture" else 1
    if codes.ndim != 2 or len(codes) < 2 * wanted or not codes.shape[1]:
        raise ValueError(
            f"codes has shape {list(codes.shape)}, but a table with one latent a column and at "
            f"least {2 * wanted} rows is wanted for {wanted} Gaussians."
        )
    check_finite(codes)
