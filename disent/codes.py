# SPDX-License-Identifier: Apache-2.0
"""The codes of a whole dataset, by flat index: encode once, then every score is arithmetic."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol, Self

import numpy as np
import torch
from jaxtyping import Float, Int
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text
from torch import Tensor

from disent.checks import check_finite
from disent.data.base import FactorDataset, PictureDataset
from disent.files import replacing
from disent.gaussian import DiagonalGaussian, Posterior
from disent.grid import FactorGrid

FORMAT = "disent codes 2"
BEFORE = "disent codes 1"  # held diagonal Gaussians of whole grids alone


class Encodes(Protocol):
    """Whatever gives a posterior for pictures [B, C, H, W] in [0, 1]."""

    def encode(self, x: Tensor, /) -> Posterior: ...


@dataclass(frozen=True)
class CodeTable:
    """The posteriors of pictures, on the CPU; usually of every picture of a dataset.

    Args:
        means: float32 [N, D]; row i belongs to picture i.
        logvars: float32 [N, D], natural logarithm of the variances; None where these alone do not
            make the posteriors.
        grid: The factors, where the pictures are a whole grid of them: N points.
        fingerprint: Identifies the pictures that were encoded, as their dataset does.
        rates: float64 [D], mean KL divergence of each latent from N(0, 1), nats per image; None
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
        table = encode_rows(
            model,
            dataset,
            every,
            batch_size=batch_size,
            device=device,
            progress=progress,
            autocast=autocast,
        )
        return cls.of(dataset, table.means, table.logvars, table.rates)

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
            np.savez(file, **{name: np.array(array) for name, array in arrays.items()})

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
                raise ValueError(f"its format is {form}, not {FORMAT}")
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
    progress: bool = False,
    autocast: torch.dtype | None = None,
) -> CodeTable:
    """The table of some pictures, in the order of `rows`; arguments as of `CodeTable.encode`.

    It has no grid, but the factors of its rows.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be >= 1, got {batch_size}.")
    device = _device_of(model) if device is None else torch.device(device)
    if device.type != "cpu":
        dataset = dataset.to(device)
    precision = torch.autocast(device.type, autocast) if autocast else nullcontext()
    filling = _Filling(len(rows))
    with _eval_mode(model), _bar(progress) as bar:
        task = bar.add_task("encoding", total=len(rows))
        for index in rows.split(batch_size):
            with torch.inference_mode(), precision:
                q = model.encode(dataset.batch(index.to(device)))
                filling.add(q, len(index))
            bar.advance(task, len(index))
    factors = dataset.factors(rows) if dataset.names else None
    return filling.table(dataset.fingerprint, tuple(dataset.names), factors)


class _Filling:
    """A table that is filled batch by batch."""

    def __init__(self, rows: int) -> None:
        self.rows, self.done = rows, 0
        self.means, self.logvars = torch.empty(rows, 0), None
        self.rates: Tensor | None = None

    def add(self, q: Posterior, pictures: int) -> None:
        """The posteriors of the next pictures."""
        means = _checked(q.mean, "means", pictures)
        part = slice(self.done, self.done + pictures)
        logvar, kl = q.logvar, None
        if logvar is None:
            kl = q.kl()
        if not self.done:
            # made outside of inference mode, so that codes can be trained on
            with torch.inference_mode(False):
                self.means = torch.empty(self.rows, means.shape[1])
                self.logvars = None if logvar is None else torch.empty_like(self.means)
                self.rates = None if kl is None else torch.zeros(kl.shape[1]).double()
        self.means[part] = means
        if self.logvars is not None and logvar is not None:
            self.logvars[part] = _checked(logvar, "logvars", pictures)
        if self.rates is not None and kl is not None:
            self.rates += _checked(kl, "rates", pictures).double().sum(0)
        self.done += pictures

    def table(
        self, fingerprint: str, names: tuple[str, ...], factors: Int[Tensor, "n k"] | None
    ) -> CodeTable:
        """What was filled in."""
        rates = None if self.rates is None else self.rates / max(self.rows, 1)
        return CodeTable(self.means, self.logvars, None, fingerprint, rates, names, factors)


def _device_of(model: object) -> torch.device:
    if isinstance(model, torch.nn.Module):
        for tensor in (*model.parameters(), *model.buffers()):
            return tensor.device
    return torch.device("cpu")


@contextmanager
def _eval_mode(model: object) -> Iterator[None]:
    """Puts a module into eval mode, and each of its parts back into its own mode afterwards."""
    if not isinstance(model, torch.nn.Module):
        yield
        return
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def _checked(values: Tensor, name: str, rows: int) -> Float[Tensor, "b d"]:
    """One batch of codes as float32 on the CPU."""
    if values.ndim != 2 or len(values) != rows:
        raise ValueError(
            f"encode gave {name} of shape {list(values.shape)} for {rows} pictures, but one row "
            "per picture and one column per latent is wanted."
        )
    values = values.float().cpu()
    check_finite(values, name)
    return values


class _ImagesPerSecond(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("- images/s" if speed is None else f"{speed:,.0f} images/s")


def _bar(shown: bool) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _ImagesPerSecond(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not shown,
    )
