# SPDX-License-Identifier: Apache-2.0
"""Pictures as text that an HTML page can hold."""

import base64
import io

import numpy as np
from PIL import Image

QUALITY = 80  # of WebP, per cent: 64 x 64 pictures look the same


def strip(pictures: np.ndarray) -> str:
    """Pictures [n, c, h, w] in [0, 1] side by side, as a data URI."""
    n, channels, height, width = pictures.shape
    whole = (pictures.clip(0, 1) * 255).round().astype(np.uint8)
    row = whole.transpose(2, 0, 3, 1).reshape(height, n * width, channels)
    image = Image.fromarray(row[..., 0] if channels == 1 else row)
    file = io.BytesIO()
    image.save(file, format="WEBP", quality=QUALITY)
    return "data:image/webp;base64," + base64.b64encode(file.getvalue()).decode("ascii")
