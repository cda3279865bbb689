# SPDX-License-Identifier: Apache-2.0
"""dSprites: a square, an ellipse or a heart, rendered or from the official file.

On the CPU the work is NumPy's, on one core: for a batch that takes microseconds, where waking
PyTorch's other threads takes milliseconds as soon as another process wants the same cores.
"""

import os
from typing import Self

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from disent.data import dsprites_files, sprites_renderer
from disent.data.base import FactorDataset, check_index
from disent.data.files import digest, release, stored
from disent.grid import FactorGrid
from disent.memory import resident

BYTES = 64 * 64 // 8  # of a picture, one bit a pixel


class DSprites(FactorDataset):
    """dSprites (Matthey et al., 2017, https://github.com/google-deepmind/dsprites-dataset).

    Rendered by default, in seconds and once: the 737,280 pictures are kept bit-packed, 377 MB, in
    the folder DISENT_DATA_DIR or the user's cache. About one picture in 10,000 may differ from the
    official file by one pixel. Colour, which has one value, is no factor here. Orientation 39 is
    orientation 0 again, as in the official file.

    Args:
        path: The official file instead, dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz or .hdf5.
    Raises:
        FileNotFoundError: There is no file at `path`.
        ValueError: It is not the official file, or damaged.
        OSError: The pictures cannot be kept.
    """

    grid = FactorGrid(("shape", "scale", "orientation", "pos_x", "pos_y"), sprites_renderer.SIZES)
    channels = 1

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        if path is None:
            name, fill = "dsprites-rendered-1", _render
        else:
            name, fill = dsprites_files.prepare(path, self.grid)
        self._mapped = torch.from_numpy(stored(name, (len(self.grid), BYTES), fill))
        self._packed = self._mapped  # or its copy on a GPU
        origin = "rendered" if path is None else "official file"
        self._fingerprint = f"dsprites, {origin}, {digest(self._mapped.numpy())[:16]}"

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    def images(self, index: Int[Tensor, "b"]) -> UInt8[Tensor, "b 1 64 64"]:
        return self._bits(index).mul_(255)

    def batch(self, index: Int[Tensor, "b"]) -> Float[Tensor, "b 1 64 64"]:
        bits = self._bits(index)
        if bits.device.type != "cpu":
            return bits.to(torch.float32)
        batch = torch.empty(bits.shape)
        np.copyto(batch.numpy(), bits.numpy())
        return batch

    def to(self, device: torch.device | str) -> Self:
        """Keeps the packed pictures on a GPU where they take less than half of its free memory."""
        self._packed = resident(self._mapped, self._packed, device)
        return self

    def _bits(self, index: Int[Tensor, "b"]) -> UInt8[Tensor, "b 1 64 64"]:
        """Pixels as 0 and 1, on the device of `index`."""
        wanted = index.device
        index = index.to(self._packed.device)
        check_index(index, len(self.grid))
        if self._packed.device.type == "cpu":
            packed = torch.from_numpy(self._packed.numpy().take(index.numpy(), axis=0)).to(wanted)
        else:  # not by [], which counts negative indices from the end
            packed = self._packed.index_select(0, index).to(wanted)
        bits = unpack_by_table(packed) if wanted.type == "cpu" else unpack_by_shift(packed)
        return bits.view(-1, 1, 64, 64)


def unpack_by_table(packed: UInt8[Tensor, "b n"]) -> UInt8[Tensor, "b 8n"]:
    """Bits, lowest first, as bytes of 0 and 1; on the CPU, by NumPy."""
    return torch.from_numpy(np.unpackbits(packed.numpy(), axis=-1, bitorder="little"))


def unpack_by_shift(packed: UInt8[Tensor, "b n"]) -> UInt8[Tensor, "b 8n"]:
    """Bits, lowest first, as bytes of 0 and 1; on any device."""
    places = torch.arange(8, dtype=torch.uint8, device=packed.device)
    return (packed[..., None] >> places & 1).flatten(-2)


def _render(array: np.ndarray) -> None:
    pictures = array.reshape(-1, 1024, BYTES)
    for sprite, rendered in enumerate(sprites_renderer.render()):
        pictures[sprite] = rendered.astype("<u8").reshape(1024, 64).view(np.uint8)
        if sprite % 40 == 39:
            release(array)
