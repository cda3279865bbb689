# SPDX-License-Identifier: Apache-2.0
"""A look-alike of 3D Shapes: the same factors, rendered; not the dataset."""

import colorsys
from typing import Self

import numpy as np
import torch
from jaxtyping import Float, Int, Int16, UInt8
from torch import Tensor

from disent.data import raycast
from disent.data.base import FactorDataset, check_index
from disent.data.shapes3d import GRID, HUES, ORIENTATIONS, SCALES

SKY_COLOUR = np.array([153, 226, 249]) / 255
LEVELS = 6  # every channel of every hue is a multiple of 1/5
LAYERS = 3 + 3 * LEVELS  # the sky by channel; then floor, wall and object, each by level
MATERIALS = (raycast.FLOOR, raycast.WALL, raycast.OBJECT)  # in the order of their hues in GRID
BITS = 7
UNIT = 1 << BITS  # steps of a layer per grey level: four layers add up without drift
GEOMETRIES = 8 * 4 * 15  # scale, shape, orientation: the last factors of GRID
VERSION = 1  # of the pictures


class Shapes3DLookalike(FactorDataset):
    """Pictures that only look like 3D Shapes, on its grid: never report numbers as 3D Shapes.

    A ray-cast room, fitted to published pictures of 3D Shapes (Burgess & Kim, 2018): the mean
    absolute error is about 4 grey levels of 255. It lacks the texture of walls and floor, bevels,
    and a second light. There are 480 geometries; each is traced when it is first asked for, in
    about 10 ms, and kept, 0.2 MB. A picture is then the sum of sky, floor, wall and object by hue,
    on the device of the index, to which the geometries move.
    """

    grid = GRID
    channels = 3

    def __init__(self) -> None:
        self._layers = torch.zeros(GEOMETRIES * LAYERS, 64 * 64, dtype=torch.int16)
        self._recipes = _recipes()
        self._traced = np.zeros(GEOMETRIES, dtype=bool)

    @property
    def fingerprint(self) -> str:
        return f"look-alike of 3D Shapes, version {VERSION}"

    def images(self, index: Int[Tensor, "b"]) -> UInt8[Tensor, "b 3 64 64"]:
        check_index(index, len(self.grid))
        self.to(index.device)
        geometry, hues = index % GEOMETRIES, index // GEOMETRIES
        self._trace(geometry)
        # not by [], which counts negative indices from the end
        layers = self._recipes.index_select(0, hues) + LAYERS * geometry.view(-1, 1, 1)
        compose = compose_by_numpy if index.device.type == "cpu" else compose_by_torch
        return compose(self._layers, layers).view(len(index), 3, 64, 64)

    def to(self, device: torch.device | str) -> Self:
        """Moves the geometries that have been traced, 83 MB with those to come."""
        self._layers, self._recipes = self._layers.to(device), self._recipes.to(device)
        return self

    def _trace(self, geometry: Int[Tensor, "b"]) -> None:
        """Fills in the geometries that are missing."""
        if self._traced.all():  # then an accelerator need not be waited for
            return
        asked = np.unique(geometry.cpu().numpy())
        for number in asked[~self._traced[asked]].tolist():
            traced = torch.from_numpy(_render(number))
            self._layers[LAYERS * number : LAYERS * (number + 1)] = traced.to(self._layers.device)
            self._traced[number] = True


def compose_by_numpy(
    layers: Int16[Tensor, "n pixel"], chosen: Int[Tensor, "b part 3"]
) -> UInt8[Tensor, "b 3 pixel"]:
    """The sum of the chosen layers, rounded to grey levels; on the CPU, on one core."""
    table = layers.numpy()
    first, *others = chosen.numpy().swapaxes(0, 1)
    total = table.take(first, axis=0)
    for part in others:
        total += table.take(part, axis=0)
    total += UNIT // 2
    return torch.from_numpy((total >> BITS).astype(np.uint8))


def compose_by_torch(
    layers: Int16[Tensor, "n pixel"], chosen: Int[Tensor, "b part 3"]
) -> UInt8[Tensor, "b 3 pixel"]:
    """The same sum on the device of `layers`."""
    first, *others = chosen.unbind(1)
    total = layers.index_select(0, first.flatten())
    for part in others:
        total += layers.index_select(0, part.flatten())
    total += UNIT // 2
    return (total >> BITS).to(torch.uint8).view(*first.shape, -1)


def _recipes() -> Int[Tensor, "1000 4 3"]:
    """For each combination of hues: the layers of sky, floor, wall and object, by channel."""
    colours = np.array([colorsys.hsv_to_rgb(hue, 1, 1) for hue in HUES])
    levels = np.rint(colours * (LEVELS - 1)).astype(np.int64)
    recipes = np.empty((10, 10, 10, 4, 3), np.int64)
    recipes[..., 0, :] = range(3)
    recipes[..., 1, :] = 3 + levels[:, None, None]
    recipes[..., 2, :] = 3 + LEVELS + levels[:, None]
    recipes[..., 3, :] = 3 + LEVELS * 2 + levels
    return torch.from_numpy(recipes.reshape(1000, 4, 3))


def _render(number: int) -> Int16[np.ndarray, "layer pixel"]:
    """The layers of a geometry: what each adds to a channel of the picture."""
    scale, shape, orientation = number // 60, number // 15 % 4, number % 15
    shading = raycast.trace(float(SCALES[scale]), shape, float(ORIENTATIONS[orientation]))
    layers = [_pool(shading.material == raycast.SKY) * channel for channel in SKY_COLOUR]
    for material in MATERIALS:
        seen = shading.material == material
        for level in np.linspace(0, 1, LEVELS):
            grey = (level * shading.intensity + shading.highlight).clip(0, 1)
            layers.append(_pool(seen * grey))
    return np.rint(np.stack(layers) * 255 * UNIT).astype(np.int16).reshape(LAYERS, 64 * 64)


def _pool(rays: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "64 64"]:
    """The mean over the rays of each pixel."""
    samples = len(rays) // 64
    return rays.reshape(64, samples, 64, samples).mean((1, 3))
