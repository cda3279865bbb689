# SPDX-License-Identifier: Apache-2.0
"""Codes that came from outside: read from a file of arrays, and scored as those of a run are."""

import hashlib
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from jaxtyping import Int, UInt8
from torch import Tensor

import disent
from disent.checks import check_finite
from disent.codes import CodeTable
from disent.data.base import PictureDataset, check_index
from disent.data.subgrid import Subset
from disent.evaluation.description import describe
from disent.evaluation.encoded import Encoded, labelled_rows, shuffled
from disent.evaluation.evaluate import BASELINE_POINTS
from disent.evaluation.options import Options, find_scores
from disent.evaluation.pca import PixelPCA
from disent.evaluation.scores import entries, stated, without
from disent.factors import NumberedFactors, number_factors
from disent.metrics.base import SEES_BINS, Score, wants
from disent.runs.directory import RunDir, record_text

WANTED, ALLOWED = ("codes", "factors"), ("names", "images")


class GivenPictures(PictureDataset):
    """Pictures in main memory, with their factors.

    Args:
        images: [n, h, w], [n, h, w, c] or [n, c, h, w] with c 1 or 3: bytes, truth values, or
            fractions from 0 to 1, which are rounded to 255ths.
        factors: Of the same pictures.
        fingerprint: Of the arrays.
    """

    def __init__(self, images: np.ndarray, factors: NumberedFactors, fingerprint: str) -> None:
        self._pictures = torch.from_numpy(_channels_first(_bytes(images)))
        self.channels = self._pictures.shape[1]
        self.size = (self._pictures.shape[2], self._pictures.shape[3])
        self.names, self._factors = factors.names, factors.values
        self._fingerprint = fingerprint

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    def __len__(self) -> int:
        return len(self._pictures)

    def images(self, index: Int[Tensor, "b"]) -> UInt8[Tensor, "b c h w"]:
        check_index(index, len(self))
        return self._pictures[index]

    def factors(self, index: Int[Tensor, "b"]) -> Int[Tensor, "b k"]:
        return self._factors[index]


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
        arrays = _read(Path(path))
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
        fingerprint = f"given arrays, {_digest(arrays)[:16]}"
        table = CodeTable(
            means, None, None, fingerprint, names=factors.names, factors=factors.values
        )
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


AS_GIVEN = {"codes": "as given, float32"}


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


def _read(path: Path) -> dict[str, np.ndarray]:
    """The arrays of the file, each of which NumPy reads without executing anything."""
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}. numpy.savez writes one.")
    try:
        file = np.load(path, allow_pickle=False)
    except Exception as error:  # zipfile and numpy meet damage with errors of ten types
        raise ValueError(f"{path} is torn, or is no .npz of arrays: {error}") from error
    if isinstance(file, np.ndarray):
        raise ValueError(f"{path} holds one array, but an .npz is wanted: numpy.savez writes it.")
    with file:
        missing = [name for name in WANTED if name not in file]
        if missing:
            raise ValueError(
                f"{path} has no array {' and no array '.join(missing)}. It has: "
                f"{', '.join(file.files) or 'nothing'}. Wanted are {' and '.join(WANTED)}, "
                f"and taken are {' and '.join(ALLOWED)}."
            )
        found = {}
        for name in (*WANTED, *ALLOWED):
            try:
                if name in file:
                    found[name] = file[name]
            except Exception as error:
                raise ValueError(
                    f"{name} of {path} cannot be read: {error}. Arrays of objects are not taken: "
                    "give numbers, or strings of one length (numpy.array(..., str))."
                ) from error
    return found


def _digest(arrays: dict[str, np.ndarray]) -> str:
    sha = hashlib.sha256()
    for name, array in arrays.items():
        sha.update(f"{name} {array.shape} {array.dtype.str}".encode())
        sha.update(np.ascontiguousarray(array).tobytes())
    return sha.hexdigest()


def _bytes(images: np.ndarray) -> np.ndarray:
    if images.dtype == np.bool_:
        return images.astype(np.uint8) * 255
    if images.dtype == np.uint8:
        return images
    if images.dtype.kind == "f" and images.size and images.min() >= 0 and images.max() <= 1:
        return np.rint(images * 255).astype(np.uint8)
    ends = f", from {images.min()} to {images.max()}" if images.dtype.kind in "iuf" else ""
    raise ValueError(
        f"images has dtype {images.dtype}{ends}, but bytes, truth values, or fractions from 0 to 1 "
        "are wanted: scale them, or leave images away to go without PCA."
    )


def _channels_first(images: np.ndarray) -> np.ndarray:
    if images.ndim == 3:
        return images[:, None]
    if images.ndim == 4 and images.shape[-1] in (1, 3):
        return np.ascontiguousarray(np.moveaxis(images, -1, 1))
    if images.ndim == 4 and images.shape[1] in (1, 3):
        return images
    raise ValueError(
        f"images has shape {list(images.shape)}, but [n, h, w], [n, h, w, c] or [n, c, h, w] is "
        "wanted, with 1 or 3 channels c."
    )
