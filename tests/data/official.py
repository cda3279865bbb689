# SPDX-License-Identifier: Apache-2.0
"""Small files of the official dSprites layouts, on a grid of 24 points."""

import io
import pickle
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from disent.data.dsprites_files import pack
from disent.grid import FactorGrid

GRID = FactorGrid(("shape", "scale", "pos_x"), (3, 2, 4))
NPZ, HDF5 = "official.npz", "official.hdf5"


class Bomb:
    """What a pickle may do to those who load it."""

    def __reduce__(self):
        return pytest.fail, ("metadata was unpickled",)


def contents() -> dict[str, np.ndarray]:
    """24 random pictures in the grid's order, and their labels: colour first."""
    colour = np.zeros((24, 1), np.int64)
    return {
        "imgs": np.random.default_rng(1).integers(0, 2, (24, 64, 64), np.uint8),
        "latents_classes": np.hstack([colour, GRID.all_factors().numpy()]),
        "latents_values": np.zeros((24, 4)),
    }


def write(file: Path, arrays: dict[str, np.ndarray]) -> Path:
    if file.suffix == ".npz":
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, array in arrays.items():
                member = io.BytesIO()
                np.save(member, array)
                archive.writestr(f"{name}.npy", member.getvalue())
            archive.writestr("metadata.npy", pickle.dumps(Bomb()))
        return file
    with h5py.File(file, "w") as store:
        for name, array in arrays.items():
            if array.dtype != object:
                store[name.replace("latents_", "latents/")] = array
    return file


def read(file: Path) -> np.ndarray:
    """Pictures of 0 and 1 [24, 64, 64], as packed and unpacked again."""
    array = np.full((24, 512), 255, np.uint8)
    pack(file, GRID, array)
    return np.unpackbits(array, axis=-1, bitorder="little").reshape(24, 64, 64)
