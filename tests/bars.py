# SPDX-License-Identifier: Apache-2.0
"""Pictures of 28 x 28 that are no grid, without labels and with some; their codes are known."""

import torch
from jaxtyping import Int, UInt8
from torch import Tensor, nn

from disent.data.base import PictureDataset
from disent.gaussian import PointMass


class Bars(PictureDataset):
    """60 pictures: a bar of 4 columns at one of 6 places, in one of 10 brightnesses."""

    channels, size = 1, (28, 28)

    @property
    def fingerprint(self) -> str:
        return "bars-of-the-tests"

    def __len__(self) -> int:
        return 60

    def images(self, index: Int[Tensor, "b"]) -> UInt8[Tensor, "b c h w"]:
        place, brightness = (part.view(-1, 1, 1, 1) for part in (index % 6, index // 6))
        lit = torch.arange(28, device=index.device) // 4 == place
        return (lit * (75 + 20 * brightness)).to(torch.uint8).expand(-1, 1, 28, 28)


class LabelledBars(Bars):
    """The same with their labels; every third picture lacks its brightness."""

    names = ("place", "brightness")

    def factors(self, index: Int[Tensor, "b"]) -> Int[Tensor, "b k"]:
        brightness = torch.where(index % 3 == 0, -1, index // 6)
        return torch.stack([index % 6, brightness], 1)


class BarModel(nn.Module):
    """Encodes a bar as the point (place, brightness), and draws it where a code says."""

    device = torch.device("cpu")

    def encode(self, x: Tensor) -> PointMass:
        columns = x[:, 0, 0]
        place = (columns > 0).int().argmax(1) // 4
        return PointMass(torch.stack([place.float(), (columns.amax(1) * 255 - 75) / 20], 1))

    def picture(self, z: Tensor) -> Tensor:
        place, brightness = z.round().clamp(0, 9).long().T
        return Bars().batch(place.clamp(max=5) + 6 * brightness)

    def reconstruct(self, x: Tensor) -> Tensor:
        return self.picture(self.encode(x).mean)
