# SPDX-License-Identifier: Apache-2.0
"""How wide text is, so that labels fit where they stand and lines end where they must."""

import math
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import matplotlib
from PIL import ImageFont

SLACK = 1.03  # Matplotlib hints letters in another way


@cache
def font(pixels: int) -> ImageFont.FreeTypeFont:
    """The font of all figures, which comes with Matplotlib, of so many pixels."""
    return ImageFont.truetype(Path(matplotlib.get_data_path(), "fonts/ttf/DejaVuSans.ttf"), pixels)


def width(texts: Iterable[str], pixels: float) -> int:
    """Of the longest line in these texts, in pixels; 0 without any."""
    lines = [line for text in texts for line in text.splitlines()]
    return math.ceil(SLACK * max(map(font(math.ceil(pixels)).getlength, lines), default=0))


def broken(text: str, wide: float, pixels: float) -> list[str]:
    """Lines of at most `wide` pixels: broken at spaces, and within a word that is longer.

    Example:
        >>> broken("a word and anotherlongone", 60, 13)
        ['a word', 'and', 'anotherl', 'ongone']
    """
    lines: list[str] = []
    for word in text.split(" "):
        if lines and width([f"{lines[-1]} {word}"], pixels) <= wide:
            lines[-1] += f" {word}"
            continue
        lines.append("")
        for letter in word:
            if lines[-1] and width([lines[-1] + letter], pixels) > wide:
                lines.append("")
            lines[-1] += letter
    return lines
