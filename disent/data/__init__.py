# SPDX-License-Identifier: Apache-2.0
"""Datasets of ground-truth factors, and the one DataModule over any of them."""

from disent.data.datamodule import FactorDataModule
from disent.data.dsprites import DSprites

__all__ = ["DSprites", "FactorDataModule"]
