# SPDX-License-Identifier: Apache-2.0
"""Models: LightningModules with their training step, and the way back from a run to its model."""

from disent.models.load import load_run
from disent.models.vae import VAE, AnnealedVAE, BetaVAE

__all__ = ["VAE", "AnnealedVAE", "BetaVAE", "load_run"]
