# SPDX-License-Identifier: Apache-2.0
"""A look-alike of 3D Shapes: the same factors, rendered; not the dataset."""

import colorsys

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from disent.data import raycast
from disent.data.base import FactorDataset, check_index
from disent.data.shapes3d import GRID, ORIENTATIONS, SCALES

SKY_COLOUR = torch.tensor([153.0, 226.0, 249.0]) / 255
HUES = torch.tensor([colorsys.hsv_to_rgb(k / 10, 1, 1) for k in range(10)])
UNIT = 128  # steps of a kept part per grey level: four parts add up without drift
GEOMETRIES = 8 * 4 * 15  # scale, shape, orientation
VERSION = 1


class Shapes3DLookalike(FactorDataset):
    """Pictures that only look like 3D Shapes, on its grid: never report numbers as 3D Shapes.

    A ray-cast room, fitted to published pictures of 3D Shapes (Burgess & Kim, 2018): the mean
    absolute error is about 4 grey levels of 255. It lacks the texture of walls and floor, bevels,
    and a second light. There are 480 geometries; each is traced when it is first asked for, and
    kept, 0.8 MB. A picture is then the sum of sky, floor, wall and object by hue.
    """

    grid = GRID
    channels = 3

    def __init__(self) -> None:
        self._parts = torch.empty(0, dtype=torch.int16)  # [geometry, part, channel, row, column]
        self._traced = torch.zeros(GEOMETRIES, dtype=torch.bool)

    @property
    def fingerprint(self) -> str:
        return f"look-alike of 3D Shapes, version {VERSION}"

    def images(self, index: Int[Tensor, "b"]) -> UInt8[Tensor, "b 3 64 64"]:
        check_index(index, len(self.grid))
        factors = self.grid.factors(index)
        geometry = (factors[:, 3] * 4 + factors[:, 4]) * 15 + factors[:, 5]
        self._trace(geometry)
        total = self._parts[geometry, 0].int()
        for material in range(3):  # floor, wall, object
            total += self._parts[geometry, 1 + 10 * material + factors[:, material]]
        grey = torch.div(total + UNIT // 2, UNIT, rounding_mode="floor")
        return grey.clamp(0, 255).to(torch.uint8)

    def _trace(self, geometry: Int[Tensor, "b"]) -> None:
        """Fills in the geometries that are missing, on the device of `geometry`."""
        if not len(self._parts):  # memory is taken page by page, as geometries come
            self._parts = torch.empty(GEOMETRIES, 31, 3, 64, 64, dtype=torch.int16)
        if self._parts.device != geometry.device:
            self._parts = self._parts.to(geometry.device)
            self._traced = self._traced.to(geometry.device)
        for number in geometry[~self._traced[geometry]].unique().tolist():
            self._parts[number] = _trace(number).to(geometry.device)
            self._traced[number] = True


def _trace(number: int) -> Int[Tensor, "31 3 64 64"]:
    scale, shape, orientation = number // 60, number // 15 % 4, number % 15
    shading = raycast.trace(float(SCALES[scale]), shape, float(ORIENTATIONS[orientation]))
    parts = [_pool((shading.material == raycast.SKY)[..., None] * SKY_COLOUR)]
    for material in (raycast.FLOOR, raycast.WALL, raycast.OBJECT):
        seen = (shading.material == material)[..., None]
        for hue in HUES:
            colour = shading.intensity[..., None] * hue + shading.highlight[..., None]
            parts.append(_pool(seen * colour.clamp(0, 1)))
    return (torch.stack(parts) * 255 * UNIT).round().to(torch.int16)


def _pool(rays: Float[Tensor, "h w 3"]) -> Float[Tensor, "3 64 64"]:
    """The mean over the rays of each pixel, channels first."""
    samples = len(rays) // 64
    return rays.view(64, samples, 64, samples, 3).mean((1, 3)).permute(2, 0, 1)
