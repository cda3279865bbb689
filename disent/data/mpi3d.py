# SPDX-License-Identifier: Apache-2.0
"""MPI3D, toy, realistic, real and complex, from its official files."""

import os
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self, get_args

import numpy as np
import torch
from jaxtyping import Int, UInt8
from rich.progress import track
from torch import Tensor

from disent.data import npz
from disent.data.base import FactorDataset
from disent.data.files import md5, release, source_key
from disent.data.stored_pictures import StoredPictures
from disent.files import expanded
from disent.grid import FactorGrid

Variant = Literal["toy", "realistic", "real", "complex"]

NAMES = (
    "object_color",
    "object_shape",
    "object_size",
    "camera_height",
    "background_color",
    "horizontal_axis",
    "vertical_axis",
)
GRID = FactorGrid(NAMES, (6, 6, 2, 3, 3, 40, 40))
COMPLEX = FactorGrid(NAMES, (4, 4, 2, 3, 3, 40, 40))
KNOWN = {  # MD5 of the official files; nobody has published that of the complex one
    "55889cb7c7dfc655d6e0277beee88868": "toy",
    "59a6225b88b635365f70c91b3e52f70f": "realistic",
    "0f33f609918fb5c97996692f91129802": "real",
}
CHUNK = 2000  # pictures read at a time: 25 MB
HOME = "https://github.com/rr-learning/disentanglement_dataset"


class MPI3D(FactorDataset):
    """MPI3D: an object on a robot's arm, drawn or filmed, by seven factors, in 64 x 64 pixels.

    Gondal et al. (2019), "On the Transfer of Inductive Bias from Simulation to the Real World: a
    New Disentanglement Dataset", https://arxiv.org/abs/1906.03292. The 1,036,800 pictures (complex:
    460,800, with 4 colours and 4 shapes) of an official file are converted once into the cache
    folder (12.7 GB; complex: 5.7 GB), 25 MB at a time, and read from there by memory map. The
    files have no labels: their order says which picture is which, the vertical axis fastest.

    Args:
        path: mpi3d_toy.npz, mpi3d_realistic.npz, mpi3d_real.npz or
            real3d_complicated_shapes_ordered.npz.
        variant: Which of them it is: toy, realistic, real or complex.
    Raises:
        FileNotFoundError: There is no file at `path`.
        ValueError: It is not the official file of this variant, or damaged.
        OSError: The disk has no room.
    """

    grid = GRID
    channels = 3

    def __init__(self, path: str | os.PathLike[str], variant: Variant) -> None:
        if variant not in get_args(Variant):
            raise ValueError(
                f"variant must be one of {', '.join(get_args(Variant))}, got {variant!r}."
            )
        file = expanded(path)
        if not file.is_file():
            raise FileNotFoundError(
                f"there is no file {file}. Download the npz of MPI3D {variant} (see {HOME}); "
                "nothing is downloaded here."
            )
        self.grid = COMPLEX if variant == "complex" else type(self).grid
        self.variant = variant
        self._pictures = StoredPictures(
            f"mpi3d-{variant}-1-{source_key(file)}",
            (len(self.grid), 3, 64, 64),
            lambda array: convert(file, variant, KNOWN, array),
        )

    @property
    def fingerprint(self) -> str:
        return f"MPI3D {self.variant}, official file, {self._pictures.digest}"

    def images(self, index: Int[Tensor, "b"]) -> UInt8[Tensor, "b 3 64 64"]:
        return self._pictures.images(index)

    def to(self, device: torch.device | str) -> Self:
        """Keeps the pictures on a GPU where they take less than half of its free memory."""
        self._pictures.to(device)
        return self


def convert(file: Path, variant: str, known: Mapping[str, str], array: np.ndarray) -> None:
    """Writes the file's pictures, channels first, into uint8 `array` [N, 3, 64, 64], in order.

    Args:
        file: .npz with `images` uint8 [N, 64, 64, 3], stored or deflated.
        variant: What it ought to hold.
        known: Variants by the MD5 of their files. A file that is none of them may have been packed
            anew: it is taken with a warning, for its pictures carry a checksum of their own.
        array: Where to write.
    Raises:
        ValueError: The file does not hold that, is damaged, or is known as another variant.
    """
    try:
        with zipfile.ZipFile(file) as archive, npz.table(archive, "images", CHUNK) as (shape, rows):
            if shape != (len(array), 64, 64, 3):
                raise ValueError(
                    f"images has shape {list(shape)}, but [{len(array)}, 64, 64, 3] is wanted"
                )
            _check_variant(file, variant, known)
            start, chunks = 0, -(-len(array) // CHUNK)
            for chunk in track(rows, f"converting MPI3D {variant}", total=chunks):
                array[start : start + len(chunk)] = chunk.transpose(0, 3, 1, 2)
                start += len(chunk)
                release(array)
    except PermissionError:  # nothing is wrong with the file
        raise
    except npz.DAMAGE as error:
        told = " ".join(str(error).split())
        raise ValueError(
            f"{file} cannot be read as the official file of MPI3D {variant}: {told}. Download it "
            f"again (see {HOME})."
        ) from error


def _check_variant(file: Path, variant: str, known: Mapping[str, str]) -> None:
    found = known.get(md5(file))
    if found is not None and found != variant:
        raise ValueError(f"by its MD5 it is that of MPI3D {found}")
    if found is None and variant in known.values():
        warnings.warn(
            f"{file} has another MD5 than the official file of MPI3D {variant}. It is taken as "
            "such because its layout is right: check where it is from.",
            stacklevel=2,
        )
