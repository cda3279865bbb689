# SPDX-License-Identifier: Apache-2.0
"""Encodes pictures of a dataset, batch by batch, with any model."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, NamedTuple, Protocol

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
from disent.data.base import PictureDataset
from disent.gaussian import Posterior


class Encodes(Protocol):
    """Whatever gives a posterior for pictures [B, C, H, W] in [0, 1]."""

    def encode(self, x: Tensor, /) -> Posterior: ...


class Encoded(NamedTuple):
    """The posteriors of n pictures, on the CPU.

    Attributes:
        means: float32 [n, D].
        logvars: float32 [n, D]; None where these alone do not make the posteriors.
        rates: float64 [D], mean KL divergence of each latent from N(0, 1), nats per image, of
            posteriors without log-variances; None beside these, and where the codes are points.
    """

    means: Float[Tensor, "n d"]
    logvars: Float[Tensor, "n d"] | None
    rates: Float[Tensor, "d"] | None


def encode_pictures(
    model: Encodes,
    dataset: PictureDataset,
    rows: Int[Tensor, "n"],
    batch_size: int = 256,
    device: torch.device | str | None = None,
    autocast: torch.dtype | None = None,
    *,
    progress: bool = False,
) -> Encoded:
    """The posteriors of some pictures, in the order of `rows`, with `model` in eval mode.

    Arguments and errors are those of `disent.codes.CodeTable.encode`.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be >= 1, got {batch_size}.")
    device = _device_of(model) if device is None else torch.device(device)
    if device.type != "cpu":
        dataset = dataset.to(device)
    precision = torch.autocast(device.type, autocast) if autocast else nullcontext()
    filling = _Filling(len(rows))
    with _eval_mode(model), progress_bar(progress) as bar:
        task = bar.add_task("encoding", total=len(rows))
        for index in rows.split(batch_size):
            with torch.inference_mode(), precision:
                q = encoder_of(model, dataset, index).encode(dataset.batch(index.to(device)))
                filling.add(q, len(index))
            bar.advance(task, len(index))
    return filling.whole()


def encoder_of(model: Any, dataset: PictureDataset, rows: Int[Tensor, "n"]) -> Any:
    """The model itself; one that depends on factors, with those of the pictures given."""
    if not getattr(model, "conditions", ()):
        return model
    factors = dataset.factors(rows)
    return model.given(None if factors is None else factors.to(_device_of(model)))


class _Filling:
    """Posteriors, filled in batch by batch."""

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

    def whole(self) -> Encoded:
        """What was filled in."""
        rates = None if self.rates is None else self.rates / max(self.rows, 1)
        return Encoded(self.means, self.logvars, rates)


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


def progress_bar(shown: bool) -> Progress:
    """Pictures done, their number a second and the time left, on stderr; or nothing."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _ImagesPerSecond(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not shown,
    )
