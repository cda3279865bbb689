# SPDX-License-Identifier: Apache-2.0
"""Objectives: what a training step minimises, as a function of (terms, step), in nats per image."""

from disent.objectives.beta import BetaELBO
from disent.objectives.capacity import CapacityELBO
from disent.objectives.covariance import CovarianceELBO
from disent.objectives.discrepancy import DiscrepancyELBO
from disent.objectives.scheduled import ScheduledELBO
from disent.objectives.total_correlation import TotalCorrelationELBO

__all__ = [
    "BetaELBO",
    "CapacityELBO",
    "CovarianceELBO",
    "DiscrepancyELBO",
    "ScheduledELBO",
    "TotalCorrelationELBO",
]
