# SPDX-License-Identifier: Apache-2.0
"""dSprites: a square, an ellipse or a heart, rendered or from the official file."""

import os
from typing import Self

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from disent.data import dsprites_files, sprites_renderer
from disent.data.base import FactorDataset
from disent.data.files import digest, stored
from disent.grid import FactorGrid

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
        self._packed = torch.from_numpy(stored(name, (len(self.grid), BYTES), fill))
        origin = "rendered" if path is None else "official file"
        self._fingerprint = f"dsprites, {origin}, {digest(self._packed.numpy())[:16]}"

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    def images(self, index: Int[Tensor, "b"]) -> UInt8[Tensor, "b 1 64 64"]:
        return self._bits(index) * 255

    def batch(self, index: Int[Tensor, "b"]) -> Float[Tensor, "b 1 64 64"]:
        return self._bits(index).to(torch.float32)

    def to(self, device: torch.device | str) -> Self:
        device = torch.device(device)
        if device.type == "cuda" and self._packed.device != device:
            free, _ = torch.cuda.mem_get_info(device)
            if 2 * self._packed.numel() < free:
                self._packed = self._packed.to(device)
        return self

    def _bits(self, index: Int[Tensor, "b"]) -> UInt8[Tensor, "b 1 64 64"]:
        """Pixels as 0 and 1, on the device of `index`."""
        self._check(index)
        packed = self._packed[index.to(self._packed.device)].to(index.device)
        return unpack(packed).view(-1, 1, 64, 64)

    def _check(self, index: Tensor) -> None:
        if index.ndim != 1 or index.is_floating_point() or index.dtype == torch.bool:
            raise TypeError(
                f"index has shape {list(index.shape)} and dtype {index.dtype}, but a list of flat "
                "indices (int64) is wanted; FactorGrid.index makes them."
            )
        if index.device.type == "cpu" and len(index):
            low, high = (int(value) for value in index.aminmax())
            if low < 0 or high >= len(self.grid):
                raise IndexError(
                    f"flat indices run from 0 to {len(self.grid) - 1}, but {low} to {high} came."
                )


def unpack(packed: UInt8[Tensor, "b n"]) -> UInt8[Tensor, "b 8n"]:
    """Bits, lowest first, as bytes of 0 and 1, on the device of `packed`."""
    if packed.device.type == "cpu":  # several times faster there than shifting
        return torch.from_numpy(np.unpackbits(packed.numpy(), axis=-1, bitorder="little"))
    places = torch.arange(8, dtype=torch.uint8, device=packed.device)
    return (packed[..., None] >> places & 1).flatten(-2)


def _render(array: np.ndarray) -> None:
    pictures = array.reshape(-1, 1024, BYTES)
    for sprite, rendered in enumerate(sprites_renderer.render()):
        pictures[sprite] = rendered.astype("<u8").reshape(1024, 64).view(np.uint8)
