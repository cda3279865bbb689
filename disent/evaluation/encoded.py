# SPDX-License-Identifier: Apache-2.0
"""The codes of one encoder, as the scores ask for them; what it has not is said by name."""

from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from disent.codes import CodeTable
from disent.evaluation.options import Codes
from disent.metrics.base import Score, numbers, settings, wants
from disent.metrics.samples import draw

PROTOCOL_POINTS = 10_000  # pictures of an estimate by the field's protocol


@dataclass(frozen=True)
class Encoded:
    """A table of codes, and the codes of it that are judged.

    Attributes:
        table: Of the whole encoder.
        codes: Float[N, D]: means, or a sample of each posterior; None where there is none.
        labelled: Int[m], the rows whose labels are all there; None where no picture has all.
        why_not: Why there are no codes.
    """

    table: CodeTable
    codes: Tensor | None
    labelled: Int[Tensor, "m"] | None
    why_not: str = ""

    @classmethod
    def of(cls, table: CodeTable, codes: Codes, seed: int) -> "Encoded":
        """The posterior means, or one sample of each posterior."""
        labelled = labelled_rows(table)
        if codes == "mean":
            return cls(table, table.means, labelled)
        try:
            return cls(table, table.sample(torch.Generator().manual_seed(seed)), labelled)
        except ValueError as error:
            return cls(table, None, labelled, str(error))

    def points(self, score: Score) -> int:
        """How many pictures a score is of."""
        rows = self._rows(score)
        return len(self.table) if rows is None else len(rows)

    def score(self, name: str, score: Score, seed: int) -> dict[str, float]:
        """The score's numbers by name; nan for each that these codes do not have.

        Raises:
            ValueError: Something that the score wants is not there.
        """
        given = self._given(name, score)
        seeded = {"seed": seed} if "seed" in settings(score) else {}
        return numbers(name, score(*(given[want] for want in wants(score)), **seeded))

    def estimate(self, name: str, score: Score, seed: int) -> dict[str, float]:
        """The same from 10,000 rows drawn with replacement, as the field's protocol estimates."""
        given = self._given(name, score)
        factors = given["factors"]
        if factors is None:  # the rows are drawn alike, with labels and without
            factors = torch.zeros(len(given["codes"]), 1, dtype=torch.int64)
        sample = draw(given["codes"], factors, PROTOCOL_POINTS, seed=seed)[0]
        given |= {"codes": sample.codes, "factors": sample.factors}
        return numbers(name, score(*(given[want] for want in wants(score))))

    def _given(self, name: str, score: Score) -> dict[str, Any]:
        """What a score may want, by name; ValueError where it wants what is not there."""
        table, rows = self.table, self._rows(score)
        given: dict[str, Any] = {
            "codes": self.codes,
            "factors": None if self.labelled is None else table.factors,
            "grid": table.grid,
            "means": table.means,
            "logvars": table.logvars,
        }
        for want in wants(score):
            if given[want] is None:
                raise ValueError(f"{name} wants `{want}`: {self._missing(want)}")
        if rows is not None and len(rows) < len(table):
            for part in ("codes", "factors", "means", "logvars"):
                given[part] = None if given[part] is None else given[part][rows]
        return given

    def _rows(self, score: Score) -> Tensor | None:
        """The rows that a score is of; None: all."""
        return self.labelled if "factors" in wants(score) else None

    def _missing(self, want: str) -> str:
        if want == "codes":
            return self.why_not
        if want == "logvars":
            what = "points" if self.table.rates is None else "posteriors that are no such Gaussians"
            return (
                f"the variance of each latent for each picture, but this encoder gives {what}. A "
                "model whose posterior is a diagonal Gaussian, such as VAE, has it."
            )
        if want == "grid":
            return (
                "pictures of every combination of the factors, but this dataset is no such grid. "
                "Scores that want labels alone, such as mig, dci and sap, go without; DSprites, "
                "Shapes3D, MPI3D, Cars3D and SmallNORB are grids."
            )
        return (
            "a label of each picture, but no picture of this dataset has all of its labels. "
            "mutual_info_score and gaussian_total_correlation go without labels."
        )


def labelled_rows(table: CodeTable) -> Int[Tensor, "m"] | None:
    """The rows whose labels are all there; None where there is no such row."""
    if table.factors is None:
        return None
    rows = torch.arange(len(table))
    if table.grid is None:
        rows = (table.factors >= 0).all(1).nonzero().flatten()
    return rows if len(rows) else None


def shuffled(table: CodeTable, seed: int) -> CodeTable:
    """The same codes at pictures that they do not belong to: what chance would score."""
    order = torch.randperm(len(table.means), generator=torch.Generator().manual_seed(seed))
    logvars = None if table.logvars is None else table.logvars[order]
    return replace(table, means=table.means[order], logvars=logvars)
