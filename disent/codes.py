# SPDX-License-Identifier: Apache-2.0
"""The codes of a whole dataset, by flat index: encode once, then every score is arithmetic."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from disent.data.base import FactorDataset, PictureDataset
from disent.encoding import Encodes, encode_pictures
from disent.files import replacing
from disent.gaussian import DiagonalGaussian
from disent.grid import FactorGrid

FORMAT = "disent codes 2"
BEFORE = "disent codes 1"  # held diagonal Gaussians of whole grids alone


@dataclass(frozen=True)
class CodeTable:
    """The posteriors of pictures, on the CPU; usually of every picture of a dataset.

    Args:
        means: float32 [N, D]; row i belongs to picture i.
        logvars: float32 [N, D], natural logarithm of the variances; None where these alone do not
            make the posteriors.
        grid: The factors, where the pictures are a whole grid of them: N points.
        fingerprint: Identifies the pictures that were encoded, as their dataset does.
        rates: float64 [D], mean KL divergence of each latent from the prior, nats per image; None
            where the codes are points. Need not be given beside log-variances.
        names: Of the K labels; those of the grid where there is one.
        factors: int64 [N, K], labels of every row, -1 for a missing one; those of the grid where
            there is one, None where nothing is known of the pictures.
    """

    means: Float[Tensor, "n d"]
    logvars: Float[Tensor, "n d"] | None
    grid: FactorGrid | None
    fingerprint: str = ""
    rates: Float[Tensor, "d"] | None = None
    names: tuple[str, ...] = ()
    factors: Int[Tensor, "n k"] | None = None

    def __post_init__(self) -> None:
        self._check()
        fill = object.__setattr__  # as frozen dataclasses do
        if self.grid is not None:
            fill(self, "names", self.grid.names)
            fill(self, "factors", self.grid.all_factors())
        if self.rates is None and self.logvars is not None:
            posterior = DiagonalGaussian(self.means, self.logvars)
            fill(self, "rates", posterior.kl().double().mean(0))

    def _check(self) -> None:
        rows = len(self.means) if self.grid is None else len(self.grid)
        for name, table in (("means", self.means), ("logvars", self.logvars)):
            if table is None:
                continue
            if table.ndim != 2 or len(table) != rows or table.shape != self.means.shape:
                raise ValueError(
                    f"{name} has shape {list(table.shape)}, but [{rows}, D] is wanted, the same "
                    "for both: one row per picture, one column per latent."
                )
            if table.dtype != torch.float32 or table.device.type != "cpu":
                raise ValueError(
                    f"{name} is {table.dtype} on {table.device}, but float32 on the CPU is wanted: "
                    f"give {name}.float().cpu()."
                )
        if self.grid is None and self.factors is not None:
            wanted = [rows, len(self.names)]
            if list(self.factors.shape) != wanted or not self.names:
                raise ValueError(
                    f"factors has shape {list(self.factors.shape)}, but {wanted} is wanted: one "
                    f"row per picture, one column for each of the names ({', '.join(self.names)})."
                )

    @classmethod
    def encode(
        cls,
        model: Encodes,
        dataset: PictureDataset,
        *,
        batch_size: int = 256,
        device: torch.device | str | None = None,
        progress: bool = False,
        autocast: torch.dtype | None = None,
    ) -> Self:
        """Encodes every picture of `dataset` once, in order, with `model` in eval mode.

        Args:
            model: Anything with `encode`; a module gets back the modes that it came with.
            dataset: What to encode.
            batch_size: Pictures per call of `model.encode`.
            device: Where the model is; None: where its parameters are, or the CPU without any.
            progress: Show a bar with images per second and time left, on stderr.
            autocast: Compute in this type, such as torch.bfloat16; None: as the model is.
        Raises:
            ValueError: A code is NaN or infinite, or has not one row per picture.
        """
        every = torch.arange(len(dataset))
        found = encode_pictures(
            model, dataset, every, batch_size, device, autocast, progress=progress
        )
        return cls.of(dataset, *found)

    @classmethod
    def of(
        cls,
        dataset: PictureDataset,
        means: Float[Tensor, "n d"],
        logvars: Float[Tensor, "n d"] | None,
        rates: Float[Tensor, "d"] | None,
    ) -> Self:
        """The table of all pictures of a dataset, with its grid or its labels."""
        if isinstance(dataset, FactorDataset):
            return cls(means, logvars, dataset.grid, dataset.fingerprint, rates)
        names = tuple(dataset.names)
        labels = dataset.factors(torch.arange(len(dataset))) if names else None
        return cls(means, logvars, None, dataset.fingerprint, rates, names, labels)

    def __len__(self) -> int:
        return len(self.means)

    def sample(self, generator: torch.Generator) -> Float[Tensor, "n d"]:
        """One draw from the posterior of every picture; the code itself where that is a point.

        Raises:
            ValueError: The posteriors were no diagonal Gaussians, so that they are not kept.
        """
        if self.logvars is None and self.rates is None:
            return self.means
        if self.logvars is None:
            raise ValueError(
                "the posteriors of these pictures are no diagonal Gaussians, and samples of them "
                'are not kept: take the means (codes="mean"), or encode again and call '
                "`sample` of what `encode` gives."
            )
        noise = torch.randn(self.means.shape, generator=generator, device=generator.device)
        return DiagonalGaussian(self.means, self.logvars).sample(noise.cpu())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the table as an .npz; an older file at `path` stays whole until that is done."""
        arrays: dict[str, Any] = {"format": FORMAT, "means": self.means.numpy()}
        arrays |= {"names": list(self.names), "fingerprint": self.fingerprint}
        if self.grid is not None:
            arrays["sizes"] = np.array(self.grid.sizes, np.int64)
        elif self.factors is not None:
            arrays["factors"] = self.factors.cpu().numpy()
        if self.logvars is not None:
            arrays["logvars"] = self.logvars.numpy()
        elif self.rates is not None:
            arrays["rates"] = self.rates.numpy()
        with replacing(Path(path)) as file:
            np.savez(file, **arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Reads what `save` wrote.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: The file is torn, or is no table of codes.
        """
        if not Path(path).exists():
            raise FileNotFoundError(f"there are no codes at {path}. CodeTable.save writes them.")
        with open(path, "rb") as file:
            try:
                return cls._read(file)
            except Exception as error:  # zipfile and numpy meet damage with errors of ten types
                raise ValueError(
                    f"{path} is torn, or is no table of codes: {error}. "
                    "Remove the file and encode again."
                ) from error

    @classmethod
    def _read(cls, file: IO[bytes]) -> Self:
        with np.load(file, allow_pickle=False) as arrays:
            form = str(arrays["format"])
            if form not in (FORMAT, BEFORE):
                raise ValueError(f"its format is not {FORMAT}")
            if form == BEFORE and not {"logvars", "sizes"} <= set(arrays):
                raise ValueError("it has no log-variances, or no grid")
            names = tuple(map(str, arrays["names"].tolist()))
            grid = FactorGrid(names, tuple(arrays["sizes"].tolist())) if "sizes" in arrays else None
            means, logvars, rates, factors = (
                torch.from_numpy(arrays[name]) if name in arrays else None
                for name in ("means", "logvars", "rates", "factors")
            )
            if means is None:
                raise ValueError("it has no means")
            return cls(means, logvars, grid, str(arrays["fingerprint"]), rates, names, factors)


def encode_rows(
    model: Encodes,
    dataset: PictureDataset,
    rows: Int[Tensor, "n"],
    *,
    batch_size: int = 256,
    device: torch.device | str | None = None,
    autocast: torch.dtype | None = None,
) -> CodeTable:
    """The table of some pictures, in the order of `rows`; arguments as of `CodeTable.encode`.

    It has no grid, but the factors of its rows.
    """
    means, logvars, rates = encode_pictures(model, dataset, rows, batch_size, device, autocast)
    names = tuple(dataset.names)
    factors = dataset.factors(rows) if names else None
    return CodeTable(means, logvars, None, dataset.fingerprint, rates, names, factors)
