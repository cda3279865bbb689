# SPDX-License-Identifier: Apache-2.0
"""What each latent carries: its rate, and the factor that it follows best."""

from collections.abc import Sequence
from dataclasses import dataclass

from jaxtyping import Float, Int
from torch import Tensor

from disent.figures.style import FAINT_RATE
from disent.gaussian import DiagonalGaussian
from disent.metrics.information import factor_entropy, mutual_information


@dataclass(frozen=True)
class LatentSummary:
    """One model's latents.

    Attributes:
        rates: Float[d], mean KL of each latent from the prior, in nats per image.
        shares: Float[k, d], mutual information of factor and latent over the factor's entropy.
        names: The k factors.
        source: Which pictures the numbers come from, in words.
    """

    rates: Float[Tensor, "d"]
    shares: Float[Tensor, "k d"]
    names: tuple[str, ...]
    source: str

    def by_rate(self) -> list[int]:
        """The latents, highest rate first."""
        return self.rates.argsort(descending=True, stable=True).tolist()

    def label(self, latent: int) -> str:
        """Two lines: number and rate; the factor followed best and its share, or "faint"."""
        rate = float(self.rates[latent])
        if rate < FAINT_RATE:
            return f"z{latent}   {rate:.2f} nats\nfaint"
        factor = int(self.shares[:, latent].argmax())
        share = float(self.shares[factor, latent])
        return f"z{latent}   {rate:.1f} nats\n{self.names[factor]} {share:.2f}"


def summarise_latents(
    posterior: DiagonalGaussian, factors: Int[Tensor, "n k"], names: Sequence[str], source: str
) -> LatentSummary:
    """Rates, and I(z_j; v_k) / H(v_k) on posterior means cut into 20 equal-width bins.

    Args:
        posterior: Of n pictures.
        factors: The same pictures' factor values; a factor with one value gets share 0.
        names: Of the k factors.
        source: Which pictures these are, in words.
    """
    information = mutual_information(posterior.mean, factors)
    entropies = factor_entropy(factors).to(information.device)[:, None]
    return LatentSummary(
        rates=posterior.kl().double().mean(0),
        shares=information / entropies.masked_fill(entropies == 0, float("inf")),
        names=tuple(names),
        source=source,
    )
