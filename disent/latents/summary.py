# SPDX-License-Identifier: Apache-2.0
"""What each latent carries: its rate, or its variance, and the factor that it follows best."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from disent.codes import CodeTable
from disent.figures.style import FAINT_RATE
from disent.metrics.information import factor_entropy, mutual_information


@dataclass(frozen=True)
class LatentSummary:
    """One model's latents.

    Attributes:
        rates: Float[d], mean KL of each latent from the prior, in nats per image; None where codes
            are points.
        means: Float64[d], of the code over the pictures.
        variances: Float64[d], of the code over the pictures.
        shares: Float[k, d], mutual information of factor and latent over the factor's entropy.
        names: The k factors; none where nothing is known of the pictures.
        source: Which pictures the numbers come from, in words.
    """

    rates: Float[Tensor, "d"] | None
    means: Float[Tensor, "d"]
    variances: Float[Tensor, "d"]
    shares: Float[Tensor, "k d"]
    names: tuple[str, ...]
    source: str

    def order(self) -> list[int]:
        """The latents, highest rate first; largest variance of the code where there is no rate."""
        weights = self.variances if self.rates is None else self.rates
        return weights.argsort(descending=True, stable=True).tolist()

    def label(self, latent: int) -> str:
        """Number and rate or variance; below, the factor followed best and its share, or "faint".

        Without factors there is no second line, unless the latent is faint.
        """
        if self.rates is None:
            first = f"z{latent}   variance {float(self.variances[latent]):.2f}"
        else:
            rate = float(self.rates[latent])
            if rate < FAINT_RATE:
                return f"z{latent}   {rate:.2f} nats\nfaint"
            first = f"z{latent}   {rate:.1f} nats"
        if not self.names:
            return first
        factor = int(self.shares[:, latent].argmax())
        return f"{first}\n{self.names[factor]} {float(self.shares[factor, latent]):.2f}"


def summarise_latents(table: CodeTable, source: str) -> LatentSummary:
    """Rates, and I(z_j; v_k) / H(v_k) on posterior means cut into 20 equal-width bins.

    Args:
        table: Codes of n pictures. Of the factors, the rows whose labels are all there are counted;
            one with a single value gets share 0.
        source: Which pictures these are, in words.
    """
    means, names = table.means.double(), table.names
    shares = means.new_zeros(0, means.shape[1])
    whole = None if table.factors is None else (table.factors >= 0).all(1)
    if table.factors is not None and whole is not None and whole.any():
        codes, factors = table.means[whole], table.factors[whole]
        information = mutual_information(codes, factors)
        entropies = factor_entropy(factors).to(information.device)[:, None]
        shares = information / entropies.masked_fill(entropies == 0, float("inf"))
    return LatentSummary(
        rates=table.rates,
        means=means.mean(0),
        variances=means.var(0, correction=0),
        shares=shares,
        names=names if len(shares) else (),
        source=source,
    )
