# SPDX-License-Identifier: Apache-2.0
"""disent: an experiment suite for disentanglement studies. Importing it does not import torch."""

__version__ = "0.1.0"
