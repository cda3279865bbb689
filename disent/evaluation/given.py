# SPDX-License-Identifier: Apache-2.0
"""Codes that came from outside: read from a file of arrays, and scored as those of a run are."""

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch

import disent
from disent.checks import check_finite
from disent.codes import CodeTable
from disent.data.subgrid import Subset
from disent.evaluation.description import describe
from disent.evaluation.encoded import Encoded, labelled_rows, shuffled
from disent.evaluation.evaluate import BASELINE_POINTS
from disent.evaluation.given_arrays import GivenPictures, digest_of, read_arrays
from disent.evaluation.options import Options, find_scores
from disent.evaluation.pca import PixelPCA
from disent.evaluation.scores import entries, stated, without
from disent.factors import NumberedFactors, number_factors
from disent.grid import FactorGrid
from disent.metrics.base import SEES_BINS, Score, wants
from disent.metrics.sharing import grid_of
from disent.runs.directory import RunDir, record_text

AS_GIVEN = {"codes": "as given, float32"}


@dataclass(frozen=True)
class GivenCodes:
    """Codes of any encoder, and what is known of its pictures.

    Attributes:
        table: The codes as float32, without variances, and the numbered factors.
        factors: What the numbers stand for.
        pictures: What was encoded, where that was given.
    """

    table: CodeTable
    factors: NumberedFactors
    pictures: GivenPictures | None = None

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Reads an .npz with `codes` [n, d], `factors` [n, k], and perhaps `names` and `images`.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: It is no such file, or what it holds cannot be scored; says why.
        """
        arrays = read_arrays(Path(path))
        codes = arrays["codes"]
        if codes.ndim != 2 or codes.dtype.kind not in "biuf" or not codes.shape[1]:
            raise ValueError(
                f"codes has shape {list(codes.shape)} and dtype {codes.dtype}, but a table of real "
                "numbers is wanted: one row per picture, one column per latent."
            )
        if len(codes) < 2:
            raise ValueError(f"codes has {len(codes)} rows. A score takes at least 2 pictures.")
        for name in ("factors", "images"):
            rows = arrays[name].shape[:1] if name in arrays else (len(codes),)
            if rows != (len(codes),):
                raise ValueError(
                    f"codes has {len(codes)} rows but {name} has {rows[0] if rows else 'none'}. "
                    "Row i of each must be of the same picture."
                )
        with np.errstate(over="ignore"):  # what float32 cannot hold is found infinite below
            means = torch.from_numpy(codes.astype(np.float32))
        check_finite(means)
        names = arrays["names"].reshape(-1).astype(str).tolist() if "names" in arrays else None
        factors = number_factors(arrays["factors"], names)
        fingerprint = f"given arrays, {digest_of(arrays)[:16]}"
        whole = grid_of(factors.values)
        table = CodeTable(
            means, None, None if whole is None else FactorGrid(factors.names, whole.sizes),
            fingerprint, names=factors.names, factors=factors.values,
        )  # fmt: skip
        images = arrays.get("images")
        pictures = None if images is None else GivenPictures(images, factors, fingerprint)
        return cls(table, factors, pictures)

    def said(self) -> list[str]:
        """How the factors were taken, a line each, and how many of their combinations there are."""
        rows = labelled_rows(self.table)
        found = 0 if rows is None else len(self.factors.values[rows].unique(dim=0))
        parts = zip(self.factors.names, self.factors.stands_for, strict=True)
        every = math.prod(len(v) - (name in self.factors.continuous) for name, v in parts)
        of = f"{found:,} of {every:,} combinations of values are there"
        return [*self.factors.said(), of]


def score_codes(given: GivenCodes, options: Options) -> dict[str, Any]:
    """Scores given codes, each score beside chance, and beside PCA where pictures are given.

    A score that cannot be has the value None, and its entry says why. A continuous factor is cut
    into 20 equal bins for the scores of `disent.metrics.base.SEES_BINS`; others refuse it.

    Returns:
        A record as `disent.evaluation.evaluate` makes it.
    """
    table = given.table
    own, baselines = Encoded.of(table, "mean", options.seed), _baselines(given, options)
    rows = labelled_rows(table)
    record: dict[str, Any] = {
        "disent": disent.__version__,
        "fingerprint": table.fingerprint,
        "points": len(table),
        "labelled": 0 if rows is None else len(rows),
        "factors_as_taken": given.said(),
        "scores": {},
    }
    for name, score in find_scores(options.metrics).items():
        if reason := _why_not(name, score, given.factors):
            entry = stated(score, own.points(score), table.fingerprint, options)
            found = {name: {**entry, "value": None, "reason": reason}}
        else:
            found = entries(name, score, [own], baselines, options)
        record["scores"] |= {key: {**entry, **AS_GIVEN} for key, entry in found.items()}
    return record | describe(table, options.seed)


def score_file(path: str | os.PathLike[str], options: Options) -> tuple[dict[str, Any], Path]:
    """Scores the codes in a file, and writes the record beside it, as NAME.scores.json.

    Earlier scores of the same arrays stay.

    Returns:
        The record, and where it was written.
    """
    given = GivenCodes.load(path)
    file = Path(path).with_suffix(".scores.json")
    directory = RunDir(file.parent)
    record, before = score_codes(given, options), directory.read_json(file)
    if before.get("fingerprint") == record["fingerprint"]:
        earlier = without(before["scores"], find_scores(options.metrics), options)
        record["scores"] = earlier | record["scores"]
    directory.write_text(file, record_text(record))
    return record, file


def _why_not(name: str, score: Score, factors: NumberedFactors) -> str:
    """Why a score is not of such codes; "" where it is."""
    if "codes_of_runs" in wants(score):
        return f"{name} compares several runs: disent evaluate RUN RUN ... --metrics {name}"
    if "log_weights" in wants(score):
        return f"{name} wants a model, not its codes: disent evaluate RUN --metrics {name}"
    if factors.continuous and "factors" in wants(score) and name not in SEES_BINS:
        return (
            f"{name} wants factors of few values, but {', '.join(factors.continuous)} is "
            f"continuous: round it, or take {', '.join(sorted(SEES_BINS))}, which see it in bins."
        )
    return ""


def _baselines(given: GivenCodes, options: Options) -> dict[str, Encoded]:
    """Chance, and PCA of the pictures, on at most 50,000 of them."""
    table, stride = given.table, math.ceil(len(given.table) / BASELINE_POINTS)
    coarse = CodeTable(
        table.means[::stride], None, None, table.fingerprint,
        names=table.names, factors=given.factors.values[::stride],
    )  # fmt: skip
    tables = {"chance": shuffled(coarse, options.seed)}
    if given.pictures is not None:
        pictures = Subset(given.pictures, stride)
        values = pictures.channels * pictures.size[0] * pictures.size[1]
        pca = PixelPCA.fit(pictures, min(table.means.shape[1], values))
        tables["pca"] = CodeTable.encode(pca, pictures)
    return {name: Encoded.of(part, "mean", options.seed) for name, part in tables.items()}
