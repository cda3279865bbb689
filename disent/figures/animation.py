# SPDX-License-Identifier: Apache-2.0
"""Animated pictures: one frame after the other, as a GIF that every browser shows."""

import io
import os
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from disent.checks import check_finite

SMALLEST_SIDE = 320  # screen pixels


@dataclass(frozen=True)
class Animation:
    """Pictures that follow each other, for ever again from the first.

    Args:
        frames: In [0, 1]; 1 channel is grey, 3 channels are RGB.
        seconds: That each frame stays.
    """

    frames: Float[Tensor, "n c h w"]
    seconds: float = 0.1

    def __post_init__(self) -> None:
        shape = list(self.frames.shape)
        if self.frames.ndim != 4 or shape[1] not in (1, 3) or 0 in shape:
            raise ValueError(f"frames has shape {shape}, but [n, 1 or 3, height, width] is wanted.")
        check_finite(self.frames, "frames")
        low, high = (float(value) for value in self.frames.aminmax())
        if low < 0 or high > 1 or not self.seconds >= 0.02:
            raise ValueError(
                f"frames run from {low:.3g} to {high:.3g}, each for {self.seconds} seconds, but "
                "values in [0, 1] and at least 0.02 seconds are wanted."
            )

    def _repr_html_(self) -> str:
        """The animation itself, as notebooks show it."""
        file = io.BytesIO()
        self.savefig(file)
        return f'<img src="data:image/gif;base64,{b64encode(file.getvalue()).decode()}">'

    def savefig(self, path: str | os.PathLike[str] | io.BytesIO, *, format: str = "gif") -> None:  # noqa: A002
        """Writes the animation, each pixel as a whole number of screen pixels."""
        levels = (self.frames.detach().cpu() * 255).round().to(torch.uint8).permute(0, 2, 3, 1)
        scale = -(-SMALLEST_SIDE // min(levels.shape[1:3]))
        size = (levels.shape[2] * scale, levels.shape[1] * scale)
        shown = (
            Image.fromarray(frame.squeeze(-1).numpy()).resize(size, Image.Resampling.NEAREST)
            for frame in levels
        )
        save_frames(shown, path, round(1000 * self.seconds), format=format)


def save_frames(
    images: Iterable[Image.Image],
    path: str | os.PathLike[str] | io.BytesIO,
    milliseconds: int | list[int],
    *,
    format: str = "gif",  # noqa: A002
) -> None:
    """Writes pictures as one that moves, for ever.

    Args:
        images: At least one, all of one size.
        path: Where to write.
        milliseconds: That each stays.
        format: As Pillow names it.
    """
    first, others = next(frames := iter(images)), frames
    first.save(
        path, format=format, save_all=True, append_images=others, duration=milliseconds, loop=0
    )
