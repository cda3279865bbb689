# SPDX-License-Identifier: Apache-2.0
"""What several settings make of the same pictures: reconstructions, samples, the average."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from disent.figures.grids import image_grid

SCALE = "R: rate, D: distortion, ELBO = \N{MINUS SIGN}(R + D), in nats per image."


class SettingExamples(NamedTuple):
    """What one setting draws. Pictures are in [0, 1].

    Attributes:
        setting: Its name, such as "beta 4".
        rate: R, mean over pictures, nats per image.
        distortion: D, mean over pictures, nats per image.
        reconstructions: Of the originals, in their order.
        samples: Mean pictures of codes drawn from the prior; the same codes in every setting.
        average: The decoder's mean picture, averaged over the prior.
    """

    setting: str
    rate: float
    distortion: float
    reconstructions: Float[Tensor, "n c h w"]
    samples: Float[Tensor, "m c h w"]
    average: Float[Tensor, "c h w"]


def examples_of_settings(
    originals: Float[Tensor, "n c h w"], settings: Sequence[SettingExamples], *, note: str = ""
) -> Figure:
    """A row a setting: reconstructions under their originals, samples, and the average picture.

    A decoder that ignores its code draws one picture everywhere: its samples equal its average
    (the auto-decoding limit). Three originals and three samples fill the width of a page with
    text that stays readable.

    Args:
        originals: Pictures in [0, 1], drawn once, in the first row.
        settings: The rows below it, in their order.
        note: Below the pictures, after what the letters mean.
    Raises:
        ValueError: There is no setting, the pictures of a row do not fit, or are not in [0, 1].
    References:
        Alemi et al. (2018), "Fixing a Broken ELBO", figure 4, https://arxiv.org/abs/1711.00464.
    """
    _check(originals, settings)
    number, drawn = len(originals), len(settings[0].samples)
    white = torch.ones_like(originals[:1]).cpu()
    top = torch.cat([originals.cpu(), white.expand(drawn + 3, *white.shape[1:])])
    rows = [_row(setting, white) for setting in settings]
    figure = image_grid(
        torch.stack([top, *rows]),
        row_labels=["original", *(_label(setting) for setting in settings)],
        column_labels=[""] * len(top),
        title="Reconstructions, samples of the prior and the average picture, by setting",
        note=f"{SCALE} {note}".strip(),
    )
    (axes,) = figure.axes
    centres = axes.get_xticks()
    groups = {
        "reconstructions": centres[:number],
        "samples": centres[number + 1 : number + 1 + drawn],
        "average": centres[-1:],
    }
    axes.set_xticks([float(np.mean(group)) for group in groups.values()], list(groups))
    return figure


def _row(setting: SettingExamples, white: Float[Tensor, "1 c h w"]) -> Tensor:
    """Reconstructions, samples and average, a white tile between them."""
    parts = (setting.reconstructions, white, setting.samples, white, setting.average[None])
    return torch.cat([part.detach().cpu() for part in parts])


def _label(setting: SettingExamples) -> str:
    elbo = f"{-(setting.rate + setting.distortion):.1f}".replace("-", "\N{MINUS SIGN}")
    terms = f"R {setting.rate:.1f}   D {setting.distortion:.1f}"
    return f"{setting.setting}\n{terms}\nELBO {elbo}"


def _check(originals: Tensor, settings: Sequence[SettingExamples]) -> None:
    if not settings:
        raise ValueError("there is no setting to draw: give one SettingExamples a row.")
    samples = settings[0].samples.shape
    for setting in settings:
        got = [
            list(part.shape) for part in (setting.reconstructions, setting.samples, setting.average)
        ]
        wanted = [list(originals.shape), list(samples), list(originals.shape[1:])]
        if got != wanted or got[1][1:] != got[2] or not samples[0]:
            raise ValueError(
                f"{setting.setting!r} has reconstructions, samples and an average of the shapes "
                f"{got}, but {wanted} are wanted: a reconstruction of each original, as many "
                "samples in every setting, at least one, and one average picture."
            )
