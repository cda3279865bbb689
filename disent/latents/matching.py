# SPDX-License-Identifier: Apache-2.0
"""Which latent of a run means what one of another run means: each goes into one row."""

from dataclasses import dataclass

from jaxtyping import Float
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from disent.codes import CodeTable
from disent.figures.style import FAINT_RATE
from disent.metrics.information import factor_entropy, mutual_information


@dataclass(frozen=True)
class Match:
    """The latent of each row.

    Attributes:
        latents: By row; None where the run has fewer latents than there are rows.
        signs: By row: -1 where the latent falls when what the row means rises, else 1.
        strengths: By row, how well the latent fits, from 0 to 1.
    """

    latents: list[int | None]
    signs: list[int]
    strengths: list[float]


def match_to_factors(table: CodeTable) -> Match:
    """A row for each factor: the latents that tell most of the factors, one each.

    Of all ways to give each factor a latent of its own, the one in which the shares I(z; v) / H(v),
    on codes cut into 20 equal-width bins, have the largest sum (linear assignment). So a latent
    that mixes two factors is shown once, and the row of a factor that is not coded holds a latent
    of small share. Faint latents, of rates below 0.1 nats, take what the others leave, with a
    strength of 0: noise drowns what their means tell. Signs are those of the correlation with the
    factor's number.

    Args:
        table: Codes of pictures with their factors.
    Raises:
        ValueError: Nothing is known of the pictures.
    """
    if table.factors is None:
        raise ValueError("the table has no factors. Match its codes to those of another run.")
    entropies = factor_entropy(table.factors).double()
    information = mutual_information(table.means, table.factors).double()
    shares = information / entropies.masked_fill(entropies == 0, float("inf"))[:, None]
    return assign(shares * _seen(table), correlations(table.means, table.factors))


def match_to_codes(table: CodeTable, reference: Float[Tensor, "n rows"]) -> Match:
    """A row for each latent of another run, of which these are the codes for the same pictures.

    Of all ways to give each row a latent of its own, the one in which the absolute correlations
    have the largest sum (linear assignment), as in Li et al. (2016). Faint latents take what the
    others leave, with a strength of 0.

    Args:
        table: Codes of the run.
        reference: Those of the other.
    References:
        Li, Yosinski, Clune, Lipson & Hopcroft (2016), "Convergent learning: do different neural
        networks learn the same representations?", section 3, https://arxiv.org/abs/1511.07543
    Example:
        >>> import torch
        >>> codes = torch.tensor([[0.0, 1.0], [1.0, 1.0], [2.0, 0.0]])
        >>> match_to_codes(CodeTable(codes, None, None), -codes[:, [1, 0]])
        Match(latents=[1, 0], signs=[-1, -1], strengths=[1.0, 1.0])
    """
    found = correlations(table.means, reference)
    return assign(found.abs() * _seen(table), found)


def correlations(codes: Float[Tensor, "n d"], rows: Tensor) -> Float[Tensor, "rows d"]:
    """Of each column of `rows` with each latent; 0 where one of the two does not vary."""
    if len(codes) != len(rows):
        raise ValueError(
            f"codes has {len(codes)} rows but the other has {len(rows)}. Row i of both must be "
            "the same picture."
        )
    left, right = (_standard(part.double()) for part in (rows, codes))
    return left.T @ right


def assign(weights: Float[Tensor, "rows d"], signed: Float[Tensor, "rows d"]) -> Match:
    """Each row's latent, no latent twice, with the largest sum of weights.

    Args:
        weights: How well each latent fits each row.
        signed: Whose signs are those of the match.
    """
    latents: list[int | None] = [None] * len(weights)
    for row, latent in zip(
        *linear_sum_assignment(weights.cpu().numpy(), maximize=True), strict=True
    ):
        latents[int(row)] = int(latent)
    signs, strengths = [], []
    for row, latent in enumerate(latents):
        signs.append(-1 if latent is not None and float(signed[row, latent]) < 0 else 1)
        strength = 0.0 if latent is None else float(weights[row, latent])
        strengths.append(round(min(1.0, strength), 6))
    return Match(latents, signs, strengths)


def _seen(table: CodeTable) -> Float[Tensor, "d"]:
    """1 for a latent that is not faint, else 0; all are seen where codes are points."""
    if table.rates is None:
        return table.means.new_ones(table.means.shape[1]).double()
    return (table.rates >= FAINT_RATE).double()


def _standard(values: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    """Columns of mean 0 and length 1; of 0 where they do not vary."""
    centred = values - values.mean(0)
    lengths = centred.norm(dim=0)
    return centred / lengths.masked_fill(lengths <= 1e-12, float("inf"))
