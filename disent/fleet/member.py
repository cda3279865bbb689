# SPDX-License-Identifier: Apache-2.0
"""A run of a fleet: the model and the data that it would have alone."""

from dataclasses import dataclass

from disent.data.datamodule import FactorDataModule
from disent.models.base import Model


@dataclass(frozen=True)
class Member:
    """One run among others.

    Attributes:
        name: Of its run directory.
        model: As `disent fit` would build it, with its initial weights.
        data: As `disent fit` would build it; members may share the dataset inside.
    """

    name: str
    model: Model
    data: FactorDataModule
