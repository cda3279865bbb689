# SPDX-License-Identifier: Apache-2.0
"""The figures of a run that only its family has, as its folder holds them."""

import base64
import io
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageSequence

from disent.report.strips import QUALITY

COMMON = {"traversals", "reconstructions", "samples", "interpolation", "curves"}  # of every family
WIDEST, FRAMES, PIXELS = 1000, 200, 50_000_000  # in a page; of a file that is opened at all
FILM, SCENES, LONGEST = "traversals_film", 24, 5000  # of a film: shown in a page, in a file


@dataclass(frozen=True)
class Picture:
    """One figure: its name in words, and its data URI."""

    name: str
    uri: str


def family_figures(folder: Path) -> tuple[list[Picture], list[str]]:
    """The pictures and animations in a run's folder of figures, and what cannot be shown.

    Files may be anybody's: each is decoded and written anew as WebP, one that is too large or
    cannot be decoded is left out and named.
    """
    files = sorted([*folder.glob("*.png"), *folder.glob("*.gif")])
    files.sort(key=lambda file: file.stem != FILM)  # it comes first, below the traversals
    pictures, missing = [], []
    for file in [file for file in files if file.stem not in COMMON]:
        try:
            pictures.append(Picture(file.stem.replace("_", " "), _uri(file)))
        except (OSError, ValueError, Image.DecompressionBombError) as error:
            missing.append(f"figures/{file.name} cannot be shown: {error}")
    return pictures, missing


def _uri(file: Path) -> str:
    with Image.open(file, formats=["PNG", "GIF"]) as image:
        frames = getattr(image, "n_frames", 1)
        film = file.stem == FILM
        most = LONGEST if film else FRAMES
        if image.width * image.height > PIXELS or frames > most:
            raise ValueError(
                f"it has {frames} frames of {image.width} x {image.height}, but at most {most} "
                f"and {PIXELS:,} pixels are taken"
            )
        kept = scenes(frames) if film else range(frames)
        size = (min(image.width, WIDEST), round(image.height * min(1, WIDEST / image.width)))
        lasts = image.info.get("duration", 100) * frames // len(kept)
        parts = ImageSequence.Iterator(image)
        shown = [part.convert("RGB").resize(size) for n, part in enumerate(parts) if n in kept]
    out = io.BytesIO()
    more = {"save_all": True, "append_images": shown[1:], "duration": lasts, "loop": 0}
    shown[0].save(out, format="WEBP", quality=QUALITY, **(more if len(shown) > 1 else {}))
    return "data:image/webp;base64," + base64.b64encode(out.getvalue()).decode("ascii")


def scenes(frames: int) -> set[int]:
    """Which frames of a film a page shows: 24 at most, evenly spaced, the first and last of them.

    Example:
        >>> sorted(scenes(100))[:3], max(scenes(100)), len(scenes(100))
        ([0, 4, 9], 99, 24)
    """
    return {round(n * (frames - 1) / (SCENES - 1)) for n in range(SCENES)}
