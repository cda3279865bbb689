# SPDX-License-Identifier: Apache-2.0
"""VAEs of pairs of pictures that share most of their factors: weak supervision without labels."""

from typing import Any, Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import pad

from disent.data.base import Batch, PictureDataset
from disent.data.views import SecondView
from disent.gaussian import DiagonalGaussian
from disent.models.base import Noise, Told, Update
from disent.models.pairs import alike, average, product
from disent.models.ranks import gather
from disent.models.vae import VAE
from disent.objectives.base import Terms
from disent.objectives.beta import BetaELBO


class AdaGVAE(VAE):
    """The mean of (distortion + beta * rate) over both pictures of a pair, in nats: the Ada-GVAE.

    Latents in which the posteriors of both pictures are near each other are taken to be shared, and
    both pictures get the mean of their means and of their variances there. Locatello et al. (2020),
    "Weakly-Supervised Disentanglement Without Compromises", section 4,
    https://arxiv.org/abs/2002.02886; the mean is that of Hosoya (2019),
    https://arxiv.org/abs/1809.02383. No gradient flows through the choice. What is logged as
    distortion and rate is of pairs, their shared latents included.

    Args:
        beta: Weight of the rate.
        changed_factors: In how many factors the pictures of a pair differ, at most; None: in 1 to
            K - 1, drawn for each pair.
        known: Whether the model is told that number, and shares all latents but the so many that
            are farthest apart; otherwise it shares those nearer than a threshold, see `alike`.
        **vae: Network, likelihood and the rest, as `VAE` takes them.
    """

    updates = (Update("step_loss"),)
    views = ("own", "paired")
    strength = ("beta", "beta")
    named_by = ("beta", "changed_factors")

    def __init__(
        self,
        beta: float = 1.0,
        changed_factors: int | None = 1,
        known: bool = False,
        **vae: Any,
    ) -> None:
        super().__init__(BetaELBO(beta), **vae)
        if self.posterior != "diagonal":
            raise ValueError(
                f"posteriors are shared latent by latent, but the posterior is {self.posterior}: "
                "take --model.posterior diagonal."
            )
        if changed_factors is not None and changed_factors < 1:
            raise ValueError(
                f"changed_factors must be >= 1, got {changed_factors}; null draws it for each pair."
            )
        if known and not (changed_factors or self.latent_dim) < self.latent_dim:
            raise ValueError(
                f"known wants changed_factors below the {self.latent_dim} latents, but they are "
                f"{changed_factors}: say how many factors change, or take known false."
            )
        self.changed_factors, self.known = changed_factors, known

    def draws(self) -> dict[str, int]:
        return dict.fromkeys(("posterior", "second"), self.latent_dim)

    def check_data(self, dataset: PictureDataset) -> None:
        """Raises ValueError where the dataset has no pairs: it wants a whole grid of factors."""
        SecondView("paired", dataset, torch.arange(0), 0, self.changed_factors)

    def step_loss(
        self, batch: Batch, noise: Noise, step: int | Tensor
    ) -> tuple[Float[Tensor, ""], Told]:
        """The objective of both pictures of each pair, their terms, and how many latents share."""
        if batch.other is None:
            raise ValueError(
                f"{type(self).__name__} learns from pairs of pictures, but a batch without pairs "
                "came: train it by `disent fit` or a FactorDataModule, which draw them."
            )
        one, other = self._posterior(batch.x), self._posterior(batch.other.x)
        with torch.no_grad():
            shared = self.shared(one, other, batch)
        both = self.joint(one, other)

        def terms_of(x: Tensor, q: DiagonalGaussian, drawn: Tensor) -> Terms:
            mean, logvar = (torch.where(shared, a, b) for a, b in zip(both, q, strict=True))
            return self.terms(x, drawn, DiagonalGaussian(mean, logvar))

        first = terms_of(batch.x, one, noise["posterior"])
        second = terms_of(batch.other.x, other, noise["second"])
        terms = Terms(
            torch.cat([first.distortion, second.distortion]), torch.cat([first.rate, second.rate])
        )
        told = {**self.told(terms), "shared_latents": gather(shared.float().sum(-1))}
        return self.objective(terms, step), told

    def shared(
        self, one: DiagonalGaussian, other: DiagonalGaussian, batch: Batch
    ) -> Bool[Tensor, "b d"]:
        """Which latents both pictures of a pair are to share."""
        return alike(one, other, self.changed_factors if self.known else None)

    def joint(self, one: DiagonalGaussian, other: DiagonalGaussian) -> DiagonalGaussian:
        """The posterior that shared latents get."""
        return average(one, other)

    def _posterior(self, x: Float[Tensor, "b c h w"]) -> DiagonalGaussian:
        q = self.encode(x)
        assert isinstance(q, DiagonalGaussian), "checked above"
        return q


class AdaMLVAE(AdaGVAE):
    """The Ada-ML-VAE: as AdaGVAE, with the product of both posteriors where they are shared.

    Locatello et al. (2020), "Weakly-Supervised Disentanglement Without Compromises", section 4,
    https://arxiv.org/abs/2002.02886; the product is that of Bouchacourt et al. (2018),
    https://arxiv.org/abs/1705.08841. The code published with the former takes twice its variance.

    Args:
        beta: Weight of the rate.
        changed_factors: In how many factors the pictures of a pair differ, at most; None: in 1 to
            K - 1, drawn for each pair.
        known: Whether the model is told that number.
        **vae: Network, likelihood and the rest, as `VAE` takes them.
    """

    def joint(self, one: DiagonalGaussian, other: DiagonalGaussian) -> DiagonalGaussian:
        return product(one, other)


class GroupVAE(AdaGVAE):
    """A VAE of pairs whose labels say which factors they share: the GVAE and the ML-VAE.

    Latent j stands for factor j, and is shared where both pictures have it in common; latents
    beyond the factors are each picture's own. The labeled baseline of Locatello et al. (2020),
    "Weakly-Supervised Disentanglement Without Compromises", https://arxiv.org/abs/2002.02886.

    Args:
        joined: average: of means and variances (GVAE, Hosoya, 2019); or product: of the densities
            (ML-VAE, Bouchacourt et al., 2018).
        beta: Weight of the rate.
        changed_factors: In how many factors the pictures of a pair differ, at most; None: in 1 to
            K - 1, drawn for each pair.
        **vae: Network, likelihood and the rest, as `VAE` takes them.
    """

    labels = True
    named_by = ("joined", "beta", "changed_factors")

    def __init__(
        self,
        joined: Literal["average", "product"] = "average",
        beta: float = 1.0,
        changed_factors: int | None = 1,
        **vae: Any,
    ) -> None:
        super().__init__(beta, changed_factors, False, **vae)
        if joined not in ("average", "product"):
            raise ValueError(f"joined must be 'average' or 'product', got {joined!r}.")
        self.joined = joined

    def check_data(self, dataset: PictureDataset) -> None:
        super().check_data(dataset)
        self._check_factors(len(dataset.names))

    def shared(
        self, one: DiagonalGaussian, other: DiagonalGaussian, batch: Batch
    ) -> Bool[Tensor, "b d"]:
        second = None if batch.other is None else batch.other.factors
        if batch.factors is None or second is None:
            raise ValueError("GroupVAE wants the factors of both pictures, but they did not come.")
        same = batch.factors == second
        self._check_factors(same.shape[1])
        return pad(same, (0, self.latent_dim - same.shape[1]), value=False)

    def joint(self, one: DiagonalGaussian, other: DiagonalGaussian) -> DiagonalGaussian:
        return (average if self.joined == "average" else product)(one, other)

    def _check_factors(self, factors: int) -> None:
        if factors > self.latent_dim:
            raise ValueError(
                f"each of {factors} factors wants a latent of its own, but latent_dim is "
                f"{self.latent_dim}: take --model.latent_dim {factors} or more."
            )
