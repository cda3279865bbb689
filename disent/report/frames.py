# SPDX-License-Identifier: Apache-2.0
"""Latent traversals for sliders: the pictures of each latent that is not faint."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from disent.encoding import encoder_of
from disent.figures.style import FAINT_RATE
from disent.latents.traversal import Traversal, traverse
from disent.report.strips import strip
from disent.runs import Run

STEPS = Traversal(limit=2.5, columns=11)


@dataclass(frozen=True)
class Slider:
    """One latent's traversal: a strip of pictures, and the value of the latent in each.

    Attributes:
        shape: Width and height of a picture, as CSS writes a ratio.
    """

    latent: int
    name: str
    strip: str
    shape: str
    values: list[str]
    start: int


@dataclass(frozen=True)
class Frames:
    """The sliders of a run, highest rate (or variance) first; or why there are none."""

    sliders: list[Slider]
    faint: list[int]
    note: str


def frames_of(path: Path, record: Mapping[str, Any], factors: Mapping[int, str]) -> Frames:
    """Traverses the latents that are not faint, from the picture in the middle of the grid.

    Args:
        path: The run.
        record: Its metrics.json, with the rate of each latent, or the variance of its code.
        factors: The factor that a latent follows, by its number.
    """
    rates: list[float] | None = record["rates"]
    weights: list[float] = record["code_variances"] if rates is None else rates
    order = sorted(range(len(weights)), key=lambda latent: -weights[latent])
    seen = order if rates is None else [z for z in order if rates[z] >= FAINT_RATE]
    try:
        run = Run.load(path)
        model, dataset = run.model(), run.dataset()
        index = STEPS.start(dataset)
        with torch.inference_mode():
            row = torch.tensor([index])
            model = encoder_of(model, dataset, row)
            code = model.encode(dataset.batch(row)).mean[0]
            drawn = traverse(model, code, seen, _values(record, seen)) if seen else []
    except (OSError, ValueError, RuntimeError) as error:
        return Frames([], [], f"no traversal: {error}")
    values = [f"{float(value):+.1f}".replace("+0.0", "0.0") for value in STEPS.values()]
    kind = "variance {:.2f}" if rates is None else "{:.2f} nats"
    sliders = [
        Slider(
            latent,
            f"z{latent}: {factors.get(latent, 'no factor')}, {kind.format(weights[latent])}",
            strip(pictures.float().numpy()),
            f"{pictures.shape[-1]} / {pictures.shape[-2]}",
            values,
            len(values) // 2,
        )
        for latent, pictures in zip(seen, drawn, strict=True)
    ]
    of = "the prior" if rates is not None else "its own code, around its mean"
    note = (
        f"Each slider moves one latent from {values[0]} to {values[-1]} standard deviations of "
        f"{of}; the others stay at the code of picture {index:,}."
    )
    return Frames(sliders, sorted(set(order) - set(seen)), note)


def _values(record: Mapping[str, Any], latents: list[int]) -> Float[Tensor, "rows columns"]:
    """What each latent is set to."""
    if record["rates"] is not None:
        return STEPS.values().expand(len(latents), -1)
    mean, variance = (
        torch.tensor(record[name])[latents, None] for name in ("code_means", "code_variances")
    )
    return mean + variance.sqrt() * STEPS.values()
