# SPDX-License-Identifier: Apache-2.0
"""Datasets of pictures and what is known of them, and the one DataModule over any of them."""

from disent.data.cars3d import Cars3D
from disent.data.datamodule import FactorDataModule
from disent.data.digits import Digits
from disent.data.dsprites import DSprites
from disent.data.dsprites_painted import ColourDSprites, NoisyDSprites, ScreamDSprites
from disent.data.four_pixels import FourPixels
from disent.data.mnist import MNIST, FashionMNIST
from disent.data.mpi3d import MPI3D
from disent.data.shapes3d import Shapes3D
from disent.data.shapes3d_lookalike import Shapes3DLookalike
from disent.data.smallnorb import SmallNORB

__all__ = [
    "MNIST",
    "MPI3D",
    "Cars3D",
    "ColourDSprites",
    "DSprites",
    "Digits",
    "FactorDataModule",
    "FashionMNIST",
    "FourPixels",
    "NoisyDSprites",
    "ScreamDSprites",
    "Shapes3D",
    "Shapes3DLookalike",
    "SmallNORB",
]
