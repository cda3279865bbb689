# SPDX-License-Identifier: Apache-2.0
"""Frames of a training: what each latent does at a step, kept as a PNG; and the film of them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch
from jaxtyping import UInt8
from PIL import Image, PngImagePlugin
from torch import Tensor

from disent.data.base import PictureDataset
from disent.figures.film import Film, Scene
from disent.files import replacing_path
from disent.latents.pictures import evaluating, random_codes
from disent.latents.summary import summarise_latents
from disent.latents.traversal import Moved, PictureModel, Traversal, signed, where

MOVES = Traversal(columns=7)
POINTS = 2_000  # random pictures, at most, that rates and factors are estimated from
ROWS = 12  # of a film: the latents of highest rate at its end
KEY = "disent"  # of the text in the PNG


@dataclass(frozen=True)
class Frame:
    """What each latent does at one step, the others at the code of one picture.

    Attributes:
        step: Of the training.
        pictures: A row for each latent, by number; a column for each value.
        labels: A row's latent, its rate in nats per image (or variance), and the factor it follows.
        weights: The rates; variances of the code where there are none.
        note: What a reader must know to repeat it.
    """

    step: int
    pictures: UInt8[Tensor, "d columns c h w"]
    labels: list[str]
    weights: list[float]
    note: str

    @classmethod
    def of(cls, model: PictureModel, dataset: PictureDataset, step: int, seed: int = 0) -> Self:
        """Draws the model as it is; from no global generator, and its modes stay as they are.

        Args:
            model: What to draw.
            dataset: Where the picture comes from, and those that rates are estimated from.
            step: Of the training.
            seed: Of the latter.
        """
        with evaluating(model):
            table, source = random_codes(model, dataset, seed, POINTS)
            summary = summarise_latents(table, source)
            moved = Moved.of(model, dataset, summary, MOVES)
            numbered = torch.tensor(moved.latents).argsort()
            drawn = moved.pictures(MOVES.values())[numbered.to(model.device)]
        kind, of = "its rate in nats per image", "of the prior"
        weights = summary.rates
        if weights is None:
            kind, of = "the variance of its code", "of its own code around its mean"
            weights = summary.variances
        told = ", and the factor that it follows best" if summary.names else ""
        note = (
            f"Each row moves one latent, in standard deviations {of}; the others stay at the code "
            f"of picture {moved.index:,}{where(dataset, moved.index)}. Beside it {kind}{told}, "
            f"from {source}."
        )
        levels = (drawn.float().clamp(0, 1) * 255).round().to("cpu", torch.uint8)
        labels = [summary.label(latent) for latent in range(len(levels))]
        return cls(step, levels, labels, weights.tolist(), note)

    def save(self, folder: Path) -> Path:
        """Writes the frame as a PNG, whole or not at all; its path, named by the step."""
        d, columns, channels, height, width = self.pictures.shape
        whole = self.pictures.permute(0, 3, 1, 4, 2).reshape(d * height, columns * width, channels)
        image = Image.fromarray(whole.squeeze(-1).numpy())
        told = PngImagePlugin.PngInfo()
        beside = {"labels": self.labels, "weights": self.weights, "note": self.note}
        told.add_text(KEY, json.dumps({"columns": columns, **beside}))
        path = folder / f"{self.step:09d}.png"
        with replacing_path(path) as temporary:
            image.save(temporary, format="PNG", pnginfo=told)
        return path

    @classmethod
    def load(cls, file: Path) -> Self:
        """A frame that `save` wrote.

        Raises:
            ValueError: The file is something else.
        """
        try:
            with Image.open(file, formats=["PNG"]) as image:
                told: dict[str, Any] = json.loads(image.info[KEY])
                levels = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8)
                size, channels = (image.height, image.width), len(image.getbands())
            d, columns = len(told["labels"]), int(told["columns"])
            shape = (d, size[0] // d, columns, size[1] // columns, channels)
            pictures = levels.reshape(shape).permute(0, 2, 4, 1, 3)
            labels, weights, note = told["labels"], told["weights"], told["note"]
            return cls(step_of(file), pictures, labels, weights, note)
        except (
            OSError,
            ValueError,
            LookupError,
            TypeError,
            RuntimeError,
            ArithmeticError,
        ) as error:
            raise ValueError(
                f"{file} is no frame of a film ({type(error).__name__}: {error}). Move it away."
            ) from None


def frame_files(folder: Path) -> list[Path]:
    """The frames that a run has kept, in the order of their steps."""
    return sorted((file for file in folder.glob("*.png") if file.stem.isdigit()), key=step_of)


def step_of(file: Path) -> int:
    """The step of a frame, by its name."""
    return int(file.stem)


def film_of(folder: Path) -> Film:
    """The film of the frames in a folder: a row for each latent, in the order at the last step.

    The latents of highest rate come first (largest variance of the code, where there is no rate),
    12 at most. The bar below a label is as long as the rate, compared with the film's highest.

    Raises:
        FileNotFoundError: There are no frames.
        ValueError: A file is no frame, or not of the same run.
    """
    frames = [Frame.load(file) for file in frame_files(folder)]
    if not frames:
        raise FileNotFoundError(
            f"{folder} holds no frames, so there is no film. A run keeps them with "
            "`disent fit --pictures.film_every_n_steps N`, also one that goes on."
        )
    last = frames[-1]
    weights = torch.tensor(last.weights)
    rows = weights.argsort(descending=True, stable=True)[:ROWS].tolist()
    highest = max(max(frame.weights) for frame in frames) or 1.0
    note = f"{last.note} The bars compare {'it' if len(rows) == 1 else 'them'} with the highest."
    if len(rows) < len(weights):
        note += f" The first {len(rows)} of {len(weights)} latents."
    try:
        scenes = [
            Scene(
                frame.step,
                frame.pictures[rows],
                [frame.labels[row] for row in rows],
                [frame.weights[row] / highest for row in rows],
            )
            for frame in frames
        ]
        return Film(scenes, [signed(float(value)) for value in MOVES.values()], note)
    except (ValueError, LookupError) as error:
        raise ValueError(f"the frames in {folder} are not of one run: {error}") from None
