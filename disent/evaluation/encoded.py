# SPDX-License-Identifier: Apache-2.0
"""The codes of one encoder over one grid, as the scores ask for them."""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from disent.codes import CodeTable
from disent.evaluation.options import Codes
from disent.gaussian import DiagonalGaussian
from disent.metrics.base import Score, numbers, settings, wants
from disent.metrics.samples import draw

PROTOCOL_POINTS = 10_000  # pictures of an estimate by the field's protocol


@dataclass(frozen=True)
class Encoded:
    """A table of codes, the codes of it that are judged, and the factors of its rows."""

    table: CodeTable
    codes: Tensor
    factors: Int[Tensor, "n k"]

    @classmethod
    def of(cls, table: CodeTable, codes: Codes, seed: int) -> "Encoded":
        """The posterior means, or one sample of each posterior."""
        if codes == "mean":
            return cls(table, table.means, table.factors)
        noise = torch.Generator().manual_seed(seed)
        return cls(table, table.sample(noise), table.factors)

    def score(self, name: str, score: Score, seed: int) -> dict[str, float]:
        """The score's numbers by name; nan for each that these codes do not have."""
        return self._call(name, score, self.codes, self.factors, seed)

    def estimate(self, name: str, score: Score, seed: int) -> dict[str, float]:
        """The same from 10,000 rows drawn with replacement, as the field's protocol estimates."""
        sample = draw(self.codes, self.factors, PROTOCOL_POINTS, seed=seed)[0]
        return self._call(name, score, sample.codes, sample.factors, seed)

    def _call(
        self, name: str, score: Score, codes: Tensor, factors: Tensor, seed: int
    ) -> dict[str, float]:
        given: dict[str, Any] = {
            "codes": codes,
            "factors": factors,
            "grid": self.table.grid,
            "means": self.table.means,
            "logvars": self.table.logvars,
        }
        seeded = {"seed": seed} if "seed" in settings(score) else {}
        return numbers(name, score(*(given[want] for want in wants(score)), **seeded))


def shuffled(table: CodeTable, seed: int) -> CodeTable:
    """The same codes at pictures that they do not belong to: what chance would score."""
    order = torch.randperm(len(table.means), generator=torch.Generator().manual_seed(seed))
    return CodeTable(table.means[order], table.logvars[order], table.grid, table.fingerprint)


def rates(table: CodeTable) -> Tensor:
    """Mean KL divergence of each latent from the prior, float64 [d], nats per image."""
    return DiagonalGaussian(table.means, table.logvars).kl().double().mean(0)
