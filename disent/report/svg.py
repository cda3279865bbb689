# SPDX-License-Identifier: Apache-2.0
"""Figures and pictures as text that an HTML page can hold."""

import base64
import io
import re

import numpy as np
from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.figure import Figure
from PIL import Image

from disent.figures.style import COLOURS, FAINT, INK, MUTED

THEME = {INK: "var(--ink)", MUTED: "var(--muted)", FAINT: "var(--faint)"}
THEME[COLOURS[0]] = "var(--blue)"  # too dark to be read on black
QUALITY = 80  # of WebP, per cent: 64 x 64 pictures look the same


def svg(figure: Figure, label: str) -> Markup:
    """The figure as inline SVG, in the colours of the page, with `label` for screen readers.

    Text stays text, so that it can be searched and read aloud.
    """
    figure.patch.set_alpha(0)
    for axes in figure.axes:
        axes.patch.set_alpha(0)
    file = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": label}):
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    text = file.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    for colour, variable in THEME.items():
        text = text.replace(colour, variable)
    text = text.replace("stroke: #000000", "stroke: var(--ink)")
    opening, rest = text.split(">", 1)
    opening = re.sub(r' (width|height)="[^"]*"', "", opening)
    # the text comes from matplotlib, which escapes what it draws; the label is escaped here
    return Markup(opening) + Markup(' role="img" aria-label="{}">').format(label) + Markup(rest)


def strip(pictures: np.ndarray) -> str:
    """Pictures [n, c, h, w] in [0, 1] side by side, as a data URI."""
    n, channels, height, width = pictures.shape
    whole = (pictures.clip(0, 1) * 255).round().astype(np.uint8)
    row = whole.transpose(2, 0, 3, 1).reshape(height, n * width, channels)
    image = Image.fromarray(row[..., 0] if channels == 1 else row)
    file = io.BytesIO()
    image.save(file, format="WEBP", quality=QUALITY)
    return "data:image/webp;base64," + base64.b64encode(file.getvalue()).decode("ascii")
