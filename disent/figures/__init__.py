# SPDX-License-Identifier: Apache-2.0
"""Figures: tensors or a DataFrame in, a matplotlib Figure out; nothing is loaded or written."""

from disent.figures.curves import curves
from disent.figures.grids import image_grid, interpolation, reconstructions, samples
from disent.figures.traversals import traversals

__all__ = ["curves", "image_grid", "interpolation", "reconstructions", "samples", "traversals"]
