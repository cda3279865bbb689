# SPDX-License-Identifier: Apache-2.0
"""Encoder and decoder pairs, one file per paper: convolutional for 64 x 64, dense for any size."""

from disent.networks.burgess import Burgess2018
from disent.networks.higgins import Higgins2017
from disent.networks.linear import Linear
from disent.networks.locatello import Locatello2019
from disent.networks.mlp import MLP

__all__ = ["MLP", "Burgess2018", "Higgins2017", "Linear", "Locatello2019"]
