# SPDX-License-Identifier: Apache-2.0
"""Priors p(z): what latents are drawn from, as functions of standard normal numbers."""

from disent.priors.mixture import GaussianMixture
from disent.priors.normal import StandardNormal
from disent.priors.swiss_roll import SwissRoll

__all__ = ["GaussianMixture", "StandardNormal", "SwissRoll"]
