# SPDX-License-Identifier: Apache-2.0
"""Datasets and codes from outside: npz, HDF5, IDX, MATLAB files, binary matrices, archives."""

import functools
import gzip
import hashlib
import io
import pickle
import random
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from disent.codes import CodeTable
from disent.data import cars3d, mpi3d, shapes3d, smallnorb
from disent.data.dsprites_files import pack
from disent.data.mnist import DIGITS, read_parts
from disent.evaluation.given import GivenCodes
from tests.data import idx_files, official, official_grids
from tests.data.test_shapes3d import SMALL, SMALL_VALUES, layout, written
from tests.faults.damage import ANY, Damage
from tests.faults.kinds import Kind
from tests.faults.of_models import Order

HUGE = 2**60


def _npz(**arrays: Any) -> bytes:
    raw = io.BytesIO()
    np.savez(raw, **arrays)
    return raw.getvalue()


def header(shape: str, kind: str = "|u1", fortran: bool = False) -> bytes:
    """The beginning of an .npy that claims a shape."""
    told = f"{{'descr': '{kind}', 'fortran_order': {fortran}, 'shape': {shape}, }}"
    told = told.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(told).to_bytes(2, "little") + told.encode()


SHAPES = (
    *(f"({HUGE},)", f"({HUGE}, {HUGE})", "(2, 1099511627776)", "(-1, 3)", "(2.5,)", "()", "(0, 0)"),
    *("('a',)", "None", "(" * 300 + ")" * 300, "(" + "9" * 5000 + ",)", "[3]", "(True, 2)"),
)
DTYPES = ("|u1", "|O", "<f8", "<c16", "<M8[s]", "|V9", "<U1000000", "|S0", ">i4", "<f2", "?", "x")


def odd_member(*names: str) -> Damage:
    """An archive one of whose arrays claims, or holds, something else."""

    def change(draw: random.Random, data: bytes) -> bytes:
        found = io.BytesIO()
        way = draw.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
        with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(found, "w", way) as new:
            odd = draw.choice(names)
            for name in old.namelist():
                new.writestr(name, _odd(draw) if name == f"{odd}.npy" else old.read(name))
        return found.getvalue()

    change.__name__ = "odd_member"
    return change


def _odd(draw: random.Random) -> bytes:
    what = draw.randrange(5)
    if what == 0:
        return header(draw.choice(SHAPES), draw.choice(DTYPES)) + draw.randbytes(100)
    if what == 1:
        return header("(3,)", "|O") + pickle.dumps(np.array([Order()] * 3, object))
    if what == 2:
        return pickle.dumps(Order())
    shape = draw.choice(((), (0,), (3,), (16, 0), (16, 2), (2, 16), (16, 2, 2), (1, 1, 1, 1)))
    kind = draw.choice(("u1", "i8", "f8", "f2", "c16", "M8[s]", "U3", "S3", "V3", "?"))
    raw = io.BytesIO()
    np.save(raw, np.zeros(shape, kind) if what == 3 else _full(shape, kind))
    return raw.getvalue()


def _full(shape: tuple[int, ...], kind: str) -> np.ndarray:
    with np.errstate(all="ignore"):
        return np.frombuffer(b"\xff\x7f\xf0\xff" * 4096, "u1")[: np.dtype(kind).itemsize].view(
            kind
        )[np.zeros(shape, int)]


@functools.cache
def _packed_zeros(name: str, shape: str, kind: str) -> bytes:
    """An archive of some KB whose array is 64 MB of zeros."""
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(f"{name}.npy", header(shape, kind) + bytes(2**26))
    return raw.getvalue()


def bomb(name: str, shape: str, kind: str) -> Any:
    """Writes such an archive, of an array that claims a shape."""

    def write(file: Path) -> None:
        file.write_bytes(_packed_zeros(name, shape, kind))

    write.__name__ = f"bomb of {name}"
    return write


# codes for `disent score`, and tables of codes


def _write_codes(folder: Path) -> Path:
    draw = np.random.default_rng(0)
    file = folder / "codes.npz"
    factors = np.array([[i, j] for i in range(4) for j in range(4)])
    arrays = {"codes": draw.normal(size=(16, 3)), "factors": factors, "names": ["a", "b"]}
    file.write_bytes(_npz(**arrays, images=draw.integers(0, 255, (16, 8, 8), np.uint8)))
    return file


def _write_table(folder: Path) -> Path:
    import torch

    from disent.grid import FactorGrid

    table = CodeTable(torch.zeros(6, 2), torch.zeros(6, 2), FactorGrid(("a", "b"), (2, 3)), "f")
    table.save(folder / "table.npz")
    return folder / "table.npz"


def _said(file: Path) -> list[str]:
    return GivenCodes.load(file).said()


# datasets: what packs them, into arrays of the tests' grids


def _dsprites(file: Path) -> None:
    pack(file, official.GRID, np.zeros((24, 512), np.uint8))


def _shapes3d(file: Path) -> None:
    shapes3d.convert(file, SMALL, SMALL_VALUES, np.zeros((64, 3, 64, 64), np.uint8))


def _mpi3d(file: Path) -> None:
    grid = official_grids.MPI3D
    mpi3d.convert(file, "toy", {}, np.zeros((len(grid), 3, 64, 64), np.uint8))


def _cars3d(file: Path) -> None:
    place = file.parent if file.suffix == ".mat" else file
    grid = official_grids.CARS3D
    cars3d.convert(place, grid, "", np.zeros((len(grid), 3, 64, 64), np.uint8))


def _norb(file: Path) -> None:
    files = {name: file.parent / name for name in smallnorb.MD5}
    array = np.zeros((len(official_grids.NORB), 1, 64, 64), np.uint8)
    smallnorb.convert(files, official_grids.NORB, _norb_sums(), array)


@functools.cache
def _norb_sums() -> dict[str, str]:
    parts = official_grids.norb_parts().items()
    return {name: hashlib.md5(official_grids.matrix(array)).hexdigest() for name, array in parts}


def _mnist(file: Path) -> None:
    read_parts(file.parent, DIGITS)


def _write_mat(folder: Path) -> Path:
    official_grids.write_cars3d(folder)
    return folder / "car_002_mesh.mat"


def _write_tar(folder: Path) -> Path:
    archive = folder / "analogy.tar.gz"
    return official_grids.pack_cars3d(official_grids.write_cars3d(folder / "cars"), archive)


def _write_norb(name: str) -> Any:
    def write(folder: Path) -> Path:
        official_grids.write_norb(folder)
        return next(file for file in sorted(folder.iterdir()) if file.name.endswith(name))

    return write


def _write_idx(packed: bool) -> Any:
    def write(folder: Path) -> Path:
        idx_files.write(folder, packed=packed)
        return folder / f"train-images-idx3-ubyte{'.gz' if packed else ''}"

    return write


@functools.cache
def _packed_pictures() -> bytes:
    """300 MB of black pictures, packed into 1 MB."""
    claim = bytes([0, 0, 8, 3]) + (400_000).to_bytes(4, "big") + (28).to_bytes(4, "big") * 2
    return gzip.compress(claim + bytes(400_000 * 28 * 28), 1)


def _idx_bomb(file: Path) -> None:
    file.write_bytes(_packed_pictures())


def _hdf5_claims(name: str, shape: tuple[int, ...], kind: str) -> Any:
    """A small file whose array claims a shape, none of which is stored."""

    def write(file: Path) -> None:
        with h5py.File(file, "a") as store:
            if name in store:
                del store[name]
            chunks = tuple(min(n, 64) for n in shape)
            store.create_dataset(name, shape, kind, chunks=chunks)

    def whole(file: Path) -> None:
        arrays = official.contents() if "latents" in name or name == "imgs" else None
        official.write(file, arrays) if arrays else written(file, layout())
        write(file)

    whole.__name__ = f"claims {name}"
    return whole


BIG = (2**40, 2**10)
CODES = odd_member("codes", "factors", "names", "images")
TABLE = odd_member("means", "logvars", "sizes", "names", "format")


def _write_npz(folder: Path) -> Path:
    return official.write(folder / official.NPZ, official.contents())


def _write_hdf5(folder: Path) -> Path:
    return official.write(folder / official.HDF5, official.contents())


def _write_shapes(folder: Path) -> Path:
    return written(folder / "3dshapes.h5", layout())


KINDS = (
    Kind("codes.npz", _write_codes, (_said,), (*ANY, *[CODES] * 9),
         (bomb("codes", f"(2, {2**35})", "|u1"),), share=1.5),
    Kind("table of codes", _write_table, (CodeTable.load,), (*ANY, *[TABLE] * 6), share=0.5),
    Kind("dSprites npz", _write_npz, (_dsprites,),
         (*ANY, *[odd_member("imgs", "latents_classes")] * 6),
         (bomb("latents_classes", f"({2**23}, 8)", "|u1"),)),
    Kind("dSprites hdf5", _write_hdf5, (_dsprites,), ANY,
         (_hdf5_claims("latents/classes", BIG, "i8"),
          _hdf5_claims("imgs", (2**40, 64, 64), "u1"))),
    Kind("3dshapes hdf5", _write_shapes, (_shapes3d,), ANY,
         (_hdf5_claims("labels", BIG, "f8"),
          _hdf5_claims("images", (2**40, 64, 64, 3), "u1")), share=0.5),
    Kind("MPI3D npz", official_grids.write_mpi3d, (_mpi3d,), (*ANY, *[odd_member("images")] * 4),
         (bomb("images", "(16384, 64, 64)", "|u1"),), share=0.5),
    Kind("MNIST IDX", _write_idx(False), (_mnist,)),
    Kind("MNIST IDX, packed", _write_idx(True), (_mnist,), ANY, (_idx_bomb,), share=0.5),
    Kind("Cars3D mat", _write_mat, (_cars3d,), share=0.5),
    Kind("Cars3D tar.gz", _write_tar, (_cars3d,), share=0.5),
    Kind("SmallNORB info", _write_norb("training-info.mat"), (_norb,), share=0.5),
    Kind("SmallNORB pictures", _write_norb("testing-dat.mat"), (_norb,), share=0.3),
)  # fmt: skip
