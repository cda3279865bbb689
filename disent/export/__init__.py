# SPDX-License-Identifier: Apache-2.0
"""A trained model to hand on: weights, programs of encoder and decoder, and a card about it."""

from disent.export.folder import export_run, load_export

__all__ = ["export_run", "load_export"]
