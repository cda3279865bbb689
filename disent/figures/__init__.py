# SPDX-License-Identifier: Apache-2.0
"""Figures: tensors or a DataFrame in, a matplotlib Figure out; nothing is loaded or written."""

from disent.figures.bounds import information_bounds
from disent.figures.clouds import clouds
from disent.figures.codes import codes_over_prior
from disent.figures.curves import curves
from disent.figures.examples import examples_of_settings
from disent.figures.grids import image_grid, interpolation, reconstructions, samples
from disent.figures.manifold import manifold
from disent.figures.matrices import information_matrix, rank_correlation_matrix
from disent.figures.pairs import latent_pairs
from disent.figures.posteriors import posteriors_over_prior
from disent.figures.ramp import capacity_ramp
from disent.figures.rate_distortion import rate_distortion_plane
from disent.figures.regime import jacobian_alignment, polarised_regime
from disent.figures.shares import variance_bars
from disent.figures.side_by_side import side_by_side
from disent.figures.strength import score_against_strength
from disent.figures.traversals import traversals

__all__ = [
    "capacity_ramp",
    "clouds",
    "codes_over_prior",
    "curves",
    "examples_of_settings",
    "image_grid",
    "information_bounds",
    "information_matrix",
    "interpolation",
    "jacobian_alignment",
    "latent_pairs",
    "manifold",
    "polarised_regime",
    "posteriors_over_prior",
    "rank_correlation_matrix",
    "rate_distortion_plane",
    "reconstructions",
    "samples",
    "score_against_strength",
    "side_by_side",
    "traversals",
    "variance_bars",
]
