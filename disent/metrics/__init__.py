# SPDX-License-Identifier: Apache-2.0
"""Scores of disentanglement: pure functions of codes and factors, or of codes and their grid."""

from disent.metrics.beta_vae_score import beta_vae_score
from disent.metrics.mig import mig
from disent.metrics.mig_chen import mig_chen

__all__ = ["beta_vae_score", "mig", "mig_chen"]
