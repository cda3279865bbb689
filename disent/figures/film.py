# SPDX-License-Identifier: Apache-2.0
"""A film of a training: pictures in rows, with what is known of each row at the frame's step."""

import io
import math
import os
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jaxtyping import UInt8
from PIL import Image, ImageDraw
from torch import Tensor

from disent.figures.animation import save_frames
from disent.figures.style import COLOURS, FAINT, INK, MUTED
from disent.figures.text import broken, font, width

SMALLEST_TILE = 64  # screen pixels, as all that follows
MARGIN, GAP, TEXT, LINE, BAR = 12, 3, 13, 16, 4
LASTS = 10_000  # milliseconds of a film, about; a frame stays from 80 to 600, the last one longer
REST = 2_000


@dataclass(frozen=True)
class Scene:
    """One frame.

    Args:
        step: Of the training.
        pictures: One row for each thing that is watched.
        labels: One a row, of two lines at most.
        bars: One a row, from 0 to 1: how long the bar below its label is.
    """

    step: int
    pictures: UInt8[Tensor, "rows columns c h w"]
    labels: Sequence[str]
    bars: Sequence[float]


@dataclass(frozen=True)
class Film:
    """Scenes that follow each other, for ever again from the first.

    Args:
        scenes: All of one shape, in the order of their steps.
        columns: One label a column.
        note: Below the pictures.
    """

    scenes: Sequence[Scene]
    columns: Sequence[str]
    note: str = ""

    def __post_init__(self) -> None:
        shapes = {tuple(scene.pictures.shape) for scene in self.scenes}
        if len(shapes) != 1:
            raise ValueError(
                f"got pictures of the shapes {sorted(shapes)}, but at least one scene, and one "
                "shape for all of them, is wanted."
            )
        rows, columns, channels, *_ = next(iter(shapes))
        lengths = {len(part) for scene in self.scenes for part in (scene.labels, scene.bars)}
        if channels not in (1, 3) or lengths != {rows} or len(self.columns) != columns:
            raise ValueError(
                f"got {channels} channels, {sorted(lengths)} labels and bars for {rows} rows, and "
                f"{len(self.columns)} labels for {columns} columns: 1 or 3 channels, and one of "
                "the others each, are wanted."
            )

    def images(self) -> Iterator[Image.Image]:
        """The frames, one after the other."""
        layout = _Layout(self)
        for scene in self.scenes:
            yield layout.draw(scene)

    def savefig(self, path: str | os.PathLike[str] | io.BytesIO, *, format: str = "gif") -> None:  # noqa: A002
        """Writes the film, about ten seconds long; each pixel fills whole screen pixels."""
        number = len(self.scenes)
        stays = min(600, max(80, LASTS // number))
        save_frames(self.images(), path, [stays] * (number - 1) + [REST], format=format)

    def _repr_html_(self) -> str:
        """The film itself, as notebooks show it."""
        file = io.BytesIO()
        self.savefig(file)
        return f'<img src="data:image/gif;base64,{b64encode(file.getvalue()).decode()}">'


class _Layout:
    """Where everything is, the same in each frame of a film."""

    def __init__(self, film: Film) -> None:
        self.film = film
        rows, columns, channels, *size = film.scenes[0].pictures.shape
        self.mode = "L" if channels == 1 else "RGB"
        scale = math.ceil(SMALLEST_TILE / min(size))
        self.tile = (size[1] * scale, size[0] * scale)
        self.labels = width((text for scene in film.scenes for text in scene.labels), TEXT)
        self.left = MARGIN + self.labels + MARGIN
        self.line = MARGIN + TEXT + 12  # where the line of time is
        self.top = self.line + MARGIN + LINE + 4
        self.pitch = (self.tile[0] + GAP, self.tile[1] + GAP)
        self.right = self.left + columns * self.pitch[0] - GAP
        self.note = broken(film.note, self.right - MARGIN, TEXT)
        self.below = self.top + rows * self.pitch[1] - GAP + MARGIN
        self.bottom = self.below + LINE * len(self.note) + (MARGIN if self.note else 0)
        self.last = max(1, film.scenes[-1].step)

    def draw(self, scene: Scene) -> Image.Image:
        """One frame."""
        image = Image.new(self.mode, (self.right + MARGIN, self.bottom), "white")
        pen = ImageDraw.Draw(image)
        pen.text((MARGIN, MARGIN - 4), f"step {scene.step:,}", INK, font(TEXT + 4))
        ends = [MARGIN, self.line, self.right, self.line + 2]
        pen.rectangle(ends, FAINT)
        ends[2] = MARGIN + round((self.right - MARGIN) * scene.step / self.last)
        pen.rectangle(ends, INK)
        for column, label in enumerate(self.film.columns):
            middle = self.left + column * self.pitch[0] + self.tile[0] // 2
            pen.text((middle, self.top - 4), label, INK, font(TEXT), anchor="mb")
        for row, pictures in enumerate(scene.pictures):
            y = self.top + row * self.pitch[1]
            self._label(pen, y, scene.labels[row], scene.bars[row])
            for column, picture in enumerate(pictures.movedim(1, -1).cpu().numpy()):
                tile = Image.fromarray(picture.squeeze(-1) if self.mode == "L" else picture)
                tile = tile.resize(self.tile, Image.Resampling.NEAREST)
                image.paste(tile, (self.left + column * self.pitch[0], y))
        for number, line in enumerate(self.note):
            pen.text((MARGIN, self.below + LINE * number), line, MUTED, font(TEXT))
        return image

    def _label(self, pen: ImageDraw.ImageDraw, y: int, text: str, bar: float) -> None:
        """A row's label, and the bar below it, in the middle of the row's height."""
        y += max(0, self.tile[1] - LINE * 2 - BAR) // 2
        for number, line in enumerate(text.splitlines()):
            pen.text((MARGIN, y + LINE * number - 3), line, INK, font(TEXT))
        if (long := round(self.labels * min(1.0, max(0.0, bar)))) > 1:
            y += LINE * 2 + 1
            pen.rectangle((MARGIN, y, MARGIN + long, y + BAR - 1), COLOURS[0])
