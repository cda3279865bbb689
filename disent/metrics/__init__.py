# SPDX-License-Identifier: Apache-2.0
"""Scores of disentanglement and of likelihood: pure functions of codes, factors, log-weights."""

from disent.metrics.active_units import active_units
from disent.metrics.beta_vae_score import beta_vae_score
from disent.metrics.dci import dci
from disent.metrics.dcimig import dcimig
from disent.metrics.downstream import downstream
from disent.metrics.elbo_decomposition import elbo_decomposition
from disent.metrics.explicitness import explicitness
from disent.metrics.factor_vae_score import factor_vae_score
from disent.metrics.fairness import fairness
from disent.metrics.infomec import infomec
from disent.metrics.irs import irs
from disent.metrics.jemmig import jemmig
from disent.metrics.log_likelihood import log_likelihood
from disent.metrics.mig import mig
from disent.metrics.mig_chen import mig_chen
from disent.metrics.mig_sup import mig_sup
from disent.metrics.minimality_sufficiency import minimality, sufficiency
from disent.metrics.modularity import modularity
from disent.metrics.sap import sap, sap_r2
from disent.metrics.udr import udr
from disent.metrics.unsupervised import (
    gaussian_total_correlation,
    gaussian_wasserstein_correlation,
    mutual_info_score,
)

__all__ = [
    "active_units",
    "beta_vae_score",
    "dci",
    "dcimig",
    "downstream",
    "elbo_decomposition",
    "explicitness",
    "factor_vae_score",
    "fairness",
    "gaussian_total_correlation",
    "gaussian_wasserstein_correlation",
    "infomec",
    "irs",
    "jemmig",
    "log_likelihood",
    "mig",
    "mig_chen",
    "mig_sup",
    "minimality",
    "modularity",
    "mutual_info_score",
    "sap",
    "sap_r2",
    "sufficiency",
    "udr",
]
