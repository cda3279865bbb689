# SPDX-License-Identifier: Apache-2.0
"""From a run directory back to the dataset that it was trained on."""

import os

from disent.data.base import FactorDataset
from disent.runs.build import build
from disent.runs.directory import RunDir


def load_dataset(path: str | os.PathLike[str]) -> FactorDataset:
    """The dataset that the run in folder `path` was trained on."""
    return build(RunDir(path), "data", FactorDataset)
