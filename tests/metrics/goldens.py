# SPDX-License-Identifier: Apache-2.0
"""Reads the golden cases of tests/golden/metrics; its README says what they are."""

import json
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from disent.grid import FactorGrid

FOLDER = Path(__file__).parents[1] / "golden" / "metrics"
VALUES = json.loads((FOLDER / "values.json").read_text())
CASES = VALUES["cases"]
FUNCTIONS = VALUES["functions"]


class Case(NamedTuple):
    """Codes of a whole grid, and the rows of it that the exact values are of.

    `logvars` [n, d] and `samples` [n, d], the latter one draw for each grid point, are empty in
    most cases.
    """

    grid: FactorGrid
    table: Tensor
    train: Tensor
    test: Tensor
    logvars: Tensor = torch.empty(0)
    samples: Tensor = torch.empty(0)

    @property
    def codes(self) -> Tensor:
        return self.table[self.train]

    @property
    def factors(self) -> Tensor:
        return self.grid.factors(self.train)


@lru_cache(maxsize=1)
def load(name: str) -> Case:
    with np.load(FOLDER / f"{name}.npz", allow_pickle=False) as file:
        sizes = tuple(file["sizes"].tolist())
        grid = FactorGrid(tuple(f"factor_{k}" for k in range(len(sizes))), sizes)
        table = file["table"].astype(np.float64) if "table" in file else _from_recipe(file, grid)
        train, test = (_tensor(file[f"{part}_idx"], np.int64) for part in ("train", "test"))
        more = [
            _tensor(file[key], np.float64) if key in file else torch.empty(0)
            for key in ("logvar_table", "z_sample")
        ]
    return Case(grid, torch.from_numpy(table), train, test, *more)


def arrays(name: str) -> dict[str, Tensor]:
    """All arrays of one file, numbers with a point as float64."""
    with np.load(FOLDER / f"{name}.npz", allow_pickle=False) as file:
        whole = {key: np.issubdtype(file[key].dtype, np.integer) for key in file.files}
        return {key: _tensor(file[key], np.int64 if whole[key] else np.float64) for key in whole}


def _tensor(array: np.ndarray, dtype: type) -> Tensor:
    return torch.from_numpy(array.astype(dtype))


def _from_recipe(file: np.lib.npyio.NpzFile, grid: FactorGrid) -> np.ndarray:
    first_row = np.concatenate([[0], np.cumsum(grid.sizes)[:-1]])
    values = grid.all_factors().numpy()
    table = sum(file["lookups"][first + values[:, k]] for k, first in enumerate(first_row))
    table = table @ file["mix"]
    noise = np.random.RandomState(int(file["noise_seed"])).standard_normal(table.shape)
    table += file["noise_scale"] * noise
    np.testing.assert_allclose(table[file["train_idx"][:4]], file["check_head"], rtol=1e-9)
    np.testing.assert_allclose(table.sum(0), file["check_sum"], rtol=1e-9, atol=1e-6)
    return table


def binned(score: str) -> list[tuple[str, int, str]]:
    """Case, bins and kind of the exact values of the suite that cuts codes into 10 or 20 bins."""
    return [
        (name, bins, kind)
        for name in CASES
        for bins in (10, 20)
        for kind in ("discF", "contF")
        if CASES[name].get(f"ubisoft.{score}_b{bins}_{kind}", {}).get("kind") == "exact"
        # contF: it cuts factors into bins too, which merges values where there are more
        and (kind == "discF" or max(load(name).grid.sizes) <= bins)
    ]
