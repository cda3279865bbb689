# SPDX-License-Identifier: Apache-2.0
"""The codes of a whole dataset, by flat index: encode once, then every score is arithmetic."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol, Self

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
from disent.data.base import FactorDataset
from disent.gaussian import DiagonalGaussian
from disent.grid import FactorGrid

FORMAT = "disent codes 1"


class Encodes(Protocol):
    """Whatever gives a posterior for pictures [B, C, 64, 64] in [0, 1]."""

    def encode(self, x: Tensor, /) -> DiagonalGaussian: ...


@dataclass(frozen=True)
class CodeTable:
    """The posterior of every picture of a grid, on the CPU.

    Args:
        means: float32 [N, D]; row i belongs to flat index i.
        logvars: float32 [N, D], natural logarithm of the variances.
        grid: The factors; N points.
        fingerprint: Identifies the pictures that were encoded, as their dataset does.
    """

    means: Float[Tensor, "n d"]
    logvars: Float[Tensor, "n d"]
    grid: FactorGrid
    fingerprint: str = ""

    def __post_init__(self) -> None:
        for name, table in (("means", self.means), ("logvars", self.logvars)):
            if table.ndim != 2 or len(table) != len(self.grid) or table.shape != self.means.shape:
                raise ValueError(
                    f"{name} has shape {list(table.shape)}, but [{len(self.grid)}, D] is wanted, "
                    "the same for both: one row per point of the grid, one column per latent."
                )
            if table.dtype != torch.float32 or table.device.type != "cpu":
                raise ValueError(
                    f"{name} is {table.dtype} on {table.device}, but float32 on the CPU is wanted: "
                    f"give {name}.float().cpu()."
                )

    @classmethod
    def encode(
        cls,
        model: Encodes,
        dataset: FactorDataset,
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
        rows = torch.arange(len(dataset.grid))
        means, logvars = encode_rows(
            model,
            dataset,
            rows,
            batch_size=batch_size,
            device=device,
            progress=progress,
            autocast=autocast,
        )
        return cls(means, logvars, dataset.grid, dataset.fingerprint)

    @property
    def factors(self) -> Int[Tensor, "n k"]:
        """Factor values of every row."""
        return self.grid.all_factors()

    def sample(self, generator: torch.Generator) -> Float[Tensor, "n d"]:
        """One draw from the posterior of every picture."""
        noise = torch.randn(self.means.shape, generator=generator, device=generator.device)
        return DiagonalGaussian(self.means, self.logvars).sample(noise.cpu())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the table as an .npz; an older file at `path` stays whole until that is done."""
        with _replacing(Path(path)) as file:
            np.savez(
                file,
                format=np.array(FORMAT),
                means=self.means.numpy(),
                logvars=self.logvars.numpy(),
                names=np.array(self.grid.names),
                sizes=np.array(self.grid.sizes, np.int64),
                fingerprint=np.array(self.fingerprint),
            )

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
            if str(arrays["format"]) != FORMAT:
                raise ValueError(f"its format is {arrays['format']}, not {FORMAT}")
            grid = FactorGrid(tuple(arrays["names"].tolist()), tuple(arrays["sizes"].tolist()))
            means, logvars = (torch.from_numpy(arrays[name]) for name in ("means", "logvars"))
            return cls(means, logvars, grid, str(arrays["fingerprint"]))


def encode_rows(
    model: Encodes,
    dataset: FactorDataset,
    rows: Int[Tensor, "n"],
    *,
    batch_size: int = 256,
    device: torch.device | str | None = None,
    progress: bool = False,
    autocast: torch.dtype | None = None,
) -> tuple[Float[Tensor, "n d"], Float[Tensor, "n d"]]:
    """Means and log-variances of some pictures; arguments and errors of `CodeTable.encode`."""
    if batch_size < 1:
        raise ValueError(f"batch_size must be >= 1, got {batch_size}.")
    device = _device_of(model) if device is None else torch.device(device)
    if device.type != "cpu":
        dataset = dataset.to(device)
    precision = torch.autocast(device.type, autocast) if autocast else nullcontext()
    means, logvars, done = torch.empty(0), torch.empty(0), 0
    with _eval_mode(model), _bar(progress) as bar:
        task = bar.add_task("encoding", total=len(rows))
        for index in rows.split(batch_size):
            with torch.inference_mode(), precision:
                q = model.encode(dataset.batch(index.to(device)))
            if not len(means):
                means, logvars = torch.empty(2, len(rows), q.mean.shape[-1]).unbind()
            part = slice(done, done + len(index))
            means[part] = _checked(q.mean, "means", len(index))
            logvars[part] = _checked(q.logvar, "logvars", len(index))
            done += len(index)
            bar.advance(task, len(index))
    return means, logvars


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


@contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    """A temporary file in the same folder, which becomes `path` if the block succeeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


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
