# SPDX-License-Identifier: Apache-2.0
"""Latent traversals for sliders: the pictures of each latent that is not faint."""

from dataclasses import dataclass
from pathlib import Path

import torch

from disent.data.load import load_dataset
from disent.figures.style import FAINT_RATE
from disent.models.load import load_run
from disent.latents.pictures import Traversal, traverse
from disent.report.svg import strip

STEPS = Traversal(limit=2.5, columns=11)


@dataclass(frozen=True)
class Slider:
    """One latent's traversal: a strip of pictures, and the value of the latent in each."""

    latent: int
    name: str
    strip: str
    values: list[str]
    start: int


@dataclass(frozen=True)
class Frames:
    """The sliders of a run, highest rate first; or why there are none."""

    sliders: list[Slider]
    faint: list[int]
    note: str


def frames_of(path: Path, rates: list[float], factors: dict[int, str]) -> Frames:
    """Traverses the latents that are not faint from the picture at the middle of every factor.

    Args:
        path: The run.
        rates: Of each latent, nats per image.
        factors: The factor that a latent follows, by its number.
    """
    try:
        model, dataset = load_run(path), load_dataset(path)
        index = STEPS.start(dataset.grid)
        order = sorted(range(len(rates)), key=lambda latent: -rates[latent])
        seen = [latent for latent in order if rates[latent] >= FAINT_RATE]
        with torch.inference_mode():
            code = model.encode(dataset.batch(torch.tensor([index]))).mean[0]
            drawn = traverse(model, code, seen, STEPS.values()) if seen else []
    except (OSError, ValueError, RuntimeError) as error:
        return Frames([], [], f"no traversal: {error}")
    values = [f"{float(value):+.1f}".replace("+0.0", "0.0") for value in STEPS.values()]
    sliders = [
        Slider(
            latent,
            f"z{latent}: {factors.get(latent, 'no factor')}, {rates[latent]:.2f} nats",
            strip(pictures.float().numpy()),
            values,
            len(values) // 2,
        )
        for latent, pictures in zip(seen, drawn, strict=True)
    ]
    note = (
        f"Each slider moves one latent from {values[0]} to {values[-1]} standard deviations of the "
        f"prior; the others stay at the code of picture {index:,}."
    )
    return Frames(sliders, sorted(set(order) - set(seen)), note)
