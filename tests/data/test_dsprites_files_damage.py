# SPDX-License-Identifier: Apache-2.0
"""Official files that arrived damaged, or hold other things than tables of numbers."""

import fcntl
import io
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from disent.data import dsprites_files
from tests.data.official import HDF5, NPZ, contents, read, write


def read_with_a_damaged_byte(file: Path, whole: bytes, place: int) -> np.ndarray | None:
    """What is read of the file, or None where it is refused; fails on any other error."""
    damaged = bytearray(whole)
    damaged[place] ^= 255
    file.write_bytes(damaged)
    try:
        return read(file)
    except ValueError as error:
        if f"{file} cannot be read as the official dSprites file: " not in str(error):
            raise
        return None


def test_no_damaged_byte_of_an_archives_structure_passes_for_pictures(tmp_path):
    file = write(tmp_path / NPZ, contents())
    whole, known, refused = file.read_bytes(), contents()["imgs"], 0
    for place in (*range(300), *range(-600, 0)):
        images = read_with_a_damaged_byte(file, whole, place)
        refused += images is None
        # harmless where nobody looks: dates, rights, the metadata
        assert images is None or (images == known).all()
    assert refused > 300


def test_a_damaged_structure_of_an_hdf5_file_is_refused_in_words(tmp_path):
    file = write(tmp_path / HDF5, contents())
    whole = file.read_bytes()
    read_or_refused = [read_with_a_damaged_byte(file, whole, i) for i in range(0, 2600, 3)]
    assert sum(images is None for images in read_or_refused) > 100


@pytest.mark.parametrize("name", ["imgs", "latents/classes"])
@pytest.mark.parametrize("value", [np.uint8(1), h5py.Empty("u1"), "text", "time"])
def test_tables_that_are_no_tables_are_refused(tmp_path, name, value):
    file = write(tmp_path / HDF5, contents())
    with h5py.File(file, "a") as store:
        del store[name]
        if value == "time":  # a type that NumPy does not have
            space = h5py.h5s.create_simple((24, 64, 64))
            h5py.h5d.create(store.id, name.encode(), h5py.h5t.UNIX_D32LE, space)
        else:
            store[name] = value
    with pytest.raises(ValueError, match=r"cannot be read as the official dSprites file: \w"):
        read(file)


@pytest.mark.parametrize("name", [NPZ, HDF5])
def test_a_file_that_may_not_be_read_is_not_called_damaged(tmp_path, monkeypatch, name):
    file = write(tmp_path / name, contents())

    def denied(*_: object) -> None:  # root may read anything
        raise PermissionError(13, "Permission denied", str(file))

    monkeypatch.setitem(dsprites_files.READERS, file.suffix, denied)
    with pytest.raises(PermissionError, match=name):
        read(file)


def test_a_lock_on_an_hdf5_file_keeps_nobody_from_reading(tmp_path):
    file = write(tmp_path / HDF5, contents())
    with file.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert (read(file) == contents()["imgs"]).all()


def test_groups_in_the_place_of_tables_are_refused(tmp_path):
    with h5py.File(tmp_path / HDF5, "w") as store:
        store.create_group("imgs")
        store.create_group("latents/classes")
    with pytest.raises(ValueError, match="imgs and latents/classes are wanted"):
        read(tmp_path / HDF5)


@pytest.mark.parametrize("name", [NPZ, HDF5])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.99])
def test_a_truncated_file_is_refused(tmp_path, name, share):
    file = write(tmp_path / name, contents())
    whole = file.read_bytes()
    file.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ValueError, match=r"cannot be read as the official dSprites file: \w"):
        read(file)


def test_a_damaged_byte_of_an_archive_is_refused(tmp_path):
    file = write(tmp_path / NPZ, contents())
    damaged = bytearray(file.read_bytes())
    damaged[5000] ^= 255  # within the compressed images
    file.write_bytes(damaged)
    with pytest.raises(ValueError, match="cannot be read as the official dSprites file"):
        read(file)


def test_an_archive_whose_images_end_early_is_refused(tmp_path):
    arrays = contents()
    file = write(tmp_path / NPZ, {"latents_classes": arrays["latents_classes"]})
    member = io.BytesIO()
    np.save(member, arrays["imgs"])
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("imgs.npy", member.getvalue()[:-5000])
    with pytest.raises(ValueError, match="imgs ends after 22 pictures"):
        read(file)


@pytest.mark.parametrize("shape", [(2**40, 4), (2**50,), (24, 4, 2**40)])
def test_labels_that_claim_to_be_huge_are_refused_unread(tmp_path, shape):
    file = write(tmp_path / HDF5, contents())
    with h5py.File(file, "a") as store:
        del store["latents/classes"]
        store.create_dataset("latents/classes", shape, "i8", chunks=tuple(min(n, 4) for n in shape))
    with pytest.raises(ValueError, match=r"latents_classes has shape \[\d+"):
        read(file)
    claim = f"{{'descr': '<i8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    member = b"\x93NUMPY\x01\x00" + len(claim).to_bytes(2, "little") + claim.encode()
    file = tmp_path / NPZ
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("imgs.npy", b"")
        archive.writestr("latents_classes.npy", member)
    with pytest.raises(ValueError, match=r"latents_classes has shape \[\d+"):
        read(file)
