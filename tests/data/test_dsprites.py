# SPDX-License-Identifier: Apache-2.0
"""DSprites by flat index: what its tensors hold, what it refuses, where it keeps them."""

from pathlib import Path

import numpy as np
import pytest
import torch

from disent.data import DSprites
from disent.data.dsprites import unpack_by_shift, unpack_by_table

REAL = Path(__file__).parents[1] / "fixtures" / "dsprites_real_112.npz"


@pytest.fixture(scope="module")
def data() -> DSprites:
    return DSprites()


def test_images_and_batches_are_the_real_pictures(data):
    with np.load(REAL, allow_pickle=False) as real:
        index = torch.from_numpy(real["index"])
        wanted = torch.from_numpy(real["images"])[:, None]
    assert torch.equal(data.images(index), wanted * 255)
    assert torch.equal(data.batch(index), wanted.float())


def test_the_grid_is_the_official_one():
    # read by the command line from the class, without making a dataset
    assert DSprites.grid.names == ("shape", "scale", "orientation", "pos_x", "pos_y")
    assert DSprites.grid.sizes == (3, 6, 40, 32, 32)
    assert DSprites.channels == 1


def test_both_ways_to_unpack_put_the_lowest_bit_first():
    packed = torch.tensor([[1, 128], [6, 255]], dtype=torch.uint8)
    wanted = [
        [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
        [0, 1, 1, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1],
    ]
    for unpack in (unpack_by_table, unpack_by_shift):
        assert unpack(packed).tolist() == wanted
        assert unpack(packed).dtype == torch.uint8
    everything = torch.arange(256, dtype=torch.uint8).view(16, 16)
    assert torch.equal(unpack_by_table(everything), unpack_by_shift(everything))


def test_an_empty_list_of_indices_gives_no_pictures(data):
    assert data.images(torch.empty(0, dtype=torch.int64)).shape == (0, 1, 64, 64)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.bool, torch.float32])
def test_indices_of_another_type_are_refused(data, dtype):
    # uint8 and bool would be taken for masks
    with pytest.raises(TypeError, match=r"shape \[2\] and dtype .*flat indices \(int64\)"):
        data.images(torch.ones(2, dtype=dtype))


def test_what_is_done_to_a_batch_stays_in_the_batch(data):
    index = torch.tensor([0, 1])
    for make in (data.images, data.batch):
        known = make(index)
        make(index).zero_()
        assert torch.equal(make(index), known)


@pytest.mark.parametrize(("free", "kept"), [(10**9, True), (7 * 10**8, False)])
def test_a_gpu_keeps_the_pictures_if_they_take_less_than_half_of_its_room(
    data, monkeypatch, free, kept
):
    """The GPU is played by the CPU: 377 MB are wanted twice."""

    class Mapped:
        device, nbytes = torch.device("cpu"), 377_487_360

        def to(self, device: torch.device) -> str:
            return f"copy on {device}"

    monkeypatch.setattr(data, "_mapped", Mapped())
    monkeypatch.setattr(data, "_packed", data._mapped)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (free, 2 * free))
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    assert data.to("cuda") is data
    assert data._packed == ("copy on cuda:0" if kept else data._mapped)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="wants a GPU")
def test_a_gpu_gives_what_the_cpu_gives(data):
    index = torch.randint(len(data.grid), (256,), generator=torch.Generator().manual_seed(0))
    known = data.images(index)
    for where in ("cuda", "cpu"):  # where the packed pictures are
        data.to(where)
        assert data.images(index.cuda()).is_cuda
        assert torch.equal(data.images(index.cuda()).cpu(), known)
        assert torch.equal(data.batch(index.cuda()).cpu(), known / 255)
        assert torch.equal(data.images(index), known)


def test_leaving_a_gpu_goes_back_to_the_file(data, monkeypatch):
    monkeypatch.setattr(data, "_packed", data._mapped.clone())
    data.to("cpu")
    assert data._packed is data._mapped


def test_the_fingerprint_says_which_pictures_and_is_the_same_again(data):
    assert data.fingerprint.startswith("dsprites, rendered, ")
    assert DSprites().fingerprint == data.fingerprint


@pytest.mark.slow
def test_the_official_file_gives_the_same_pictures_by_the_same_index(data, tmp_path, monkeypatch):
    """A file of the official layout and size, written from the rendering, backwards."""
    monkeypatch.setenv("DISENT_DATA_DIR", str(tmp_path / "cache"))
    h5py = pytest.importorskip("h5py")
    points = len(data.grid)
    with h5py.File(tmp_path / "dsprites.hdf5", "w") as file:
        imgs = file.create_dataset(
            "imgs", (points, 64, 64), np.uint8, chunks=(1024, 64, 64), compression=1
        )
        for start in range(0, points, 8192):
            index = torch.arange(start, start + 8192)
            imgs[points - start - 8192 : points - start] = data.images(index)[:, 0].flip(0) // 255
        classes = np.zeros((points, 6), np.int64)
        classes[:, 1:] = data.grid.all_factors().flip(0)
        file["latents/classes"] = classes
    official = DSprites(tmp_path / "dsprites.hdf5")
    assert torch.equal(official._mapped, data._mapped)
    assert official.fingerprint == data.fingerprint.replace("rendered", "official file")
