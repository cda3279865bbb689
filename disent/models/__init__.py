# SPDX-License-Identifier: Apache-2.0
"""Models: LightningModules with their training step, and the way back from a run to its model."""

from disent.models.ada_gvae import AdaGVAE, AdaMLVAE, GroupVAE
from disent.models.adversarial_autoencoder import AdversarialAutoEncoder
from disent.models.adversarial_variational import AdversarialVB
from disent.models.autoencoder import AutoEncoder, DenoisingAutoEncoder
from disent.models.beta_vae import (
    DIPVAE,
    AnnealedVAE,
    BetaTCVAE,
    BetaVAE,
    InfoVAE,
    ScheduledVAE,
)
from disent.models.bigan import BiGAN
from disent.models.conditional import ConditionalVAE
from disent.models.factor_vae import FactorVAE
from disent.models.hierarchical import HierarchicalVAE
from disent.models.load import load_run
from disent.models.quantised import QLAE, FactorQVAE
from disent.models.scan import SCAN
from disent.models.vae import VAE

__all__ = [
    "DIPVAE",
    "QLAE",
    "SCAN",
    "VAE",
    "AdaGVAE",
    "AdaMLVAE",
    "AdversarialAutoEncoder",
    "AdversarialVB",
    "AnnealedVAE",
    "AutoEncoder",
    "BetaTCVAE",
    "BetaVAE",
    "BiGAN",
    "ConditionalVAE",
    "DenoisingAutoEncoder",
    "FactorQVAE",
    "FactorVAE",
    "GroupVAE",
    "HierarchicalVAE",
    "InfoVAE",
    "ScheduledVAE",
    "load_run",
]
