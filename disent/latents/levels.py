# SPDX-License-Identifier: Apache-2.0
"""Pictures of a model of several stochastic levels: what the top one decides, and what is left."""

import math
from typing import Any

import torch
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn.functional import pad

from disent import figures
from disent.figures.animation import Animation
from disent.streams import Stream

ROWS, COLUMNS = 6, 8  # of samples that share a level
TILES, ACROSS = 12, 4  # of the animation, and how many of them in a row
FRAMES, SECONDS = 80, 0.1
WAVES = 3  # harmonics of the walk: it turns about so often


def level_pictures(model: Any, seed: int) -> dict[str, Figure | Animation]:
    """Samples that share the top level, and a walk in it; nothing of a model of one level.

    Args:
        model: With `levels`, the latents of each from the lowest up, all of prior N(0, 1).
        seed: Of what is drawn.
    """
    if len(model.levels) < 2:
        return {}
    return {"top_level_held": _held(model, seed), "top_level_walk": _walk(model, seed)}


def closed_walk(seed: int, frames: int, d: int) -> Float[Tensor, "frames d"]:
    """A smooth random walk that ends where it began; at each moment it is a draw from N(0, 1).

    The first harmonics of a period of so many frames, with coefficients from N(0, 1) each.
    """
    drawn = Stream(seed, "a walk in the top level").normal(0, (2, WAVES, d)) / math.sqrt(WAVES)
    time = torch.arange(frames)[:, None] * (2 * math.pi / frames)
    angle = time * torch.arange(1, WAVES + 1)
    return angle.cos() @ drawn[0] + angle.sin() @ drawn[1]


def _held(model: Any, seed: int) -> Figure:
    top, below = _drawn(model, seed, ROWS, COLUMNS)
    z = torch.cat([below.expand(ROWS, -1, -1), top[:, None].expand(-1, COLUMNS, -1)], -1)
    pictures = model.picture(z.flatten(0, 1).to(model.device))
    return figures.image_grid(
        pictures.unflatten(0, (ROWS, COLUMNS)),
        row_labels=[f"top {row}" for row in range(ROWS)],
        column_labels=[f"below {column}" for column in range(COLUMNS)],
        title="Samples with the top level held: each row shares its top level",
        note=f"Of {len(model.levels)} levels, with {_told(model.levels)} latents from the one next "
        "to the picture up. Each column shares what is drawn of the levels below, in standard "
        f"deviations of their prior given the top one. All from N(0, 1), seed {seed}.",
    )


def _walk(model: Any, seed: int) -> Animation:
    """The top level moves, the same for all tiles; each tile holds what it drew of the others."""
    _, below = _drawn(model, seed, 1, TILES)
    frames = []
    for top in closed_walk(seed, FRAMES, model.levels[-1]):
        z = torch.cat([below, top.expand(TILES, -1)], -1)
        tiles = pad(model.picture(z.to(model.device)).clamp(0, 1), (0, 1, 0, 1), value=1.0)
        rows = [torch.cat(list(row), -1) for row in tiles.split(ACROSS)]
        frames.append(torch.cat(rows, -2))
    return Animation(torch.stack(frames), SECONDS)


def _drawn(model: Any, seed: int, tops: int, others: int) -> tuple[Tensor, Tensor]:
    """Draws of the top level, and of all levels below it."""
    *below, top = model.levels
    stream = Stream(seed, "levels")
    return stream.normal(0, (tops, top)), stream.normal(1, (others, sum(below)))


def _told(levels: list[int]) -> str:
    return f"{', '.join(map(str, levels[:-1]))} and {levels[-1]}"
