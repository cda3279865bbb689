# SPDX-License-Identifier: Apache-2.0
"""Small files of the official layouts of MPI3D, Cars3D and SmallNORB, and classes as small."""

import gzip
import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from disent.data import cars3d, mpi3d, smallnorb
from disent.grid import FactorGrid

MPI3D = FactorGrid(mpi3d.NAMES, (2, 2, 2, 2, 2, 2, 3))
COMPLEX = FactorGrid(mpi3d.NAMES, (2, 2, 1, 1, 2, 2, 2))
CARS3D = FactorGrid(cars3d.GRID.names, (2, 3, 4))
NORB = FactorGrid(smallnorb.GRID.names, (2, 10, 2, 2, 2))


def shrink(patch: pytest.MonkeyPatch, cache: Path) -> None:
    """Lets the classes take small files for the whole, and keep their pictures in `cache`."""
    patch.setenv("DISENT_DATA_DIR", str(cache))
    patch.setattr(mpi3d.MPI3D, "grid", MPI3D)
    patch.setattr(mpi3d, "COMPLEX", COMPLEX)
    patch.setattr(cars3d.Cars3D, "grid", CARS3D)
    patch.setattr(smallnorb.SmallNORB, "grid", NORB)


def known(patch: pytest.MonkeyPatch, place: Path) -> Path:
    """Lets the classes take files for the official ones, by their MD5."""
    for file in place.iterdir() if place.is_dir() else [place]:
        raw = file.read_bytes()
        found = hashlib.md5(raw).hexdigest()
        if file.suffix == ".npz":
            patch.setitem(mpi3d.KNOWN, found, file.stem.removeprefix("mpi3d_"))
        elif file.name.endswith(".tar.gz"):
            patch.setattr(cars3d, "KNOWN", found)
        elif file.name.startswith("smallnorb"):
            unpacked = gzip.decompress(raw) if file.suffix == ".gz" else raw
            name = file.name.removesuffix(".gz")
            patch.setitem(smallnorb.MD5, name, hashlib.md5(unpacked).hexdigest())
    return place


def mpi3d_pictures(count: int) -> np.ndarray:
    """Red is the index, green 255 less, and one pixel of row 0, column 5 has blue."""
    index = np.arange(count)[:, None, None]
    pictures = np.zeros((count, 64, 64, 3), np.uint8)
    pictures[..., 0], pictures[..., 1] = index, 255 - index
    pictures[:, 0, 5, 2] = 200
    return pictures


def write_mpi3d(
    folder: Path, variant: str = "toy", images: np.ndarray | None = None, *, packed: bool = True
) -> Path:
    file = folder / f"mpi3d_{variant}.npz"
    grid = COMPLEX if variant == "complex" else MPI3D
    member = io.BytesIO()
    np.save(member, mpi3d_pictures(len(grid)) if images is None else images)
    way = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    with zipfile.ZipFile(file, "w", way) as archive:
        archive.writestr("images.npy", member.getvalue())
    return file


def car(number: int) -> np.ndarray:
    """`im` of one car: red tells the azimuth, green the elevation, blue the car; a white corner."""
    im = np.zeros((128, 128, 3, *CARS3D.sizes[1::-1]), np.uint8)
    azimuths, elevations = np.arange(im.shape[3])[:, None], np.arange(im.shape[4])
    im[:, :, 0], im[:, :, 1], im[:, :, 2] = 20 + azimuths, 40 + elevations, 60 + number
    im[:20, 108:] = 255  # at the top, on the right
    return im


def mesh(im: np.ndarray, name: str = "im") -> bytes:
    raw = io.BytesIO()
    mask = np.zeros((128, 128), np.uint8)
    savemat(raw, {name: im, "mask": mask}, do_compression=True)
    return raw.getvalue()


def write_cars3d(folder: Path, **other: bytes) -> Path:
    """A folder of .mat files; `other` gives one of them, such as car_002_mesh, other bytes."""
    folder.mkdir(exist_ok=True)
    for number in range(CARS3D.sizes[2]):
        name = f"car_{2 * number:03}_mesh"
        (folder / f"{name}.mat").write_bytes(other.get(name, mesh(car(number))))
    (folder / "list.txt").write_text("car_000_mesh\n")
    return folder


def pack_cars3d(folder: Path, archive: Path) -> Path:
    """The same as the official archive: with other files, and in no order."""
    with tarfile.open(archive, "w:gz") as packed:
        for file in sorted(folder.iterdir(), reverse=True):
            packed.add(file, f"data/cars/{file.name}")
            packed.add(file, f"data/cars/._{file.name}")
        packed.add(folder / "list.txt", "data/shapes48.mat")
    return archive


def matrix(array: np.ndarray) -> bytes:
    """A binary matrix, by hand: magic number, dimensions, at least three sizes, numbers."""
    magic = {"uint8": "554c3d1e", "int32": "544c3d1e"}[str(array.dtype)]
    sizes = [*array.shape, 1, 1][: max(array.ndim, 3)]
    header = b"".join(n.to_bytes(4, "little") for n in (array.ndim, *sizes))
    return bytes.fromhex(magic) + header + array.tobytes()


def norb_parts() -> dict[str, np.ndarray]:
    """By file name, in no order: picture i of the grid is filled with i, its pair with 255 - i."""
    factors, parts = NORB.all_factors().numpy(), {}
    for part, instances in smallnorb.PARTS.items():
        rows = np.flatnonzero(np.isin(factors[:, 1], instances))
        rows = np.random.default_rng(len(parts)).permutation(rows)
        pairs = np.stack([rows, 255 - rows], 1).astype(np.uint8)
        info = factors[rows, 1:] * [1, 1, 2, 1]  # azimuths are 0, 2, 4, ...
        parts[f"smallnorb-{part}-dat.mat"] = np.tile(pairs[:, :, None, None], (1, 1, 96, 96))
        parts[f"smallnorb-{part}-cat.mat"] = factors[rows, 0].astype(np.int32)
        parts[f"smallnorb-{part}-info.mat"] = info.astype(np.int32)
    return parts


def write_norb(folder: Path, *, packed: bool = False, **other: bytes) -> Path:
    """The six files; `other` gives one of them, such as training_dat, other bytes."""
    folder.mkdir(exist_ok=True)
    for name, array in norb_parts().items():
        short = "_".join(name.removesuffix(".mat").split("-")[-2:])
        raw = other.get(short, matrix(array))
        file = folder / (f"{name}.gz" if packed else name)
        file.write_bytes(gzip.compress(raw, 1) if packed else raw)
    return folder


def write_painting(folder: Path, size: tuple[int, int] = (700, 548)) -> Path:
    """A JPEG of that width and height whose red grows to the right and green downwards."""
    red, green = np.meshgrid(np.linspace(0, 255, size[0]), np.linspace(0, 255, size[1]))
    picture = np.stack([red, green, 0 * red], -1).astype(np.uint8)
    Image.fromarray(picture).save(folder / "scream.jpg")
    return folder / "scream.jpg"
