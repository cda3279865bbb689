# SPDX-License-Identifier: Apache-2.0
"""The same runs alone and in a fleet."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from lightning.pytorch import Callback, LightningDataModule, LightningModule, Trainer

from disent.callbacks.guard import Guard
from disent.callbacks.record import Record
from disent.data import FactorDataModule
from disent.fleet import FleetData, Member, Stack, join
from disent.fleet.record import KEY, FleetRecord
from disent.models import VAE, AnnealedVAE, BetaVAE
from disent.networks import MLP
from disent.runs import RunDir
from disent.stops import StopRequest
from tests.tiny import Squares

Make = Callable[..., VAE]
SQUARES = Squares()
MIXED: tuple[Callable[..., VAE], ...] = (
    lambda **more: VAE(seed=3, **more),
    lambda **more: BetaVAE(beta=4.0, seed=3, **more),
    lambda **more: BetaVAE(beta=0.5, seed=4, **more),
    lambda **more: AnnealedVAE(gamma=30.0, capacity=5.0, anneal_steps=100, seed=5, **more),
)


def small(channels: int, latents: int, outputs: int) -> MLP:
    """A fully connected network of a few thousand weights."""
    return MLP(channels, latents, outputs, [16, 8])


def run_of(folder: Path, i: int) -> RunDir:
    return RunDir(folder / f"member{i}")


def member(make: Make, i: int, batch: int = 4, **more: Any) -> Member:
    model = make(**more)
    return Member(f"member{i}", model, FactorDataModule(SQUARES, batch, seed=model.noise.seed))


def fit(
    model: LightningModule,
    data: LightningDataModule,
    callbacks: Sequence[Callback],
    steps: int,
    resume: Path | None,
) -> None:
    trainer = Trainer(
        accelerator="cpu",
        max_steps=steps,
        max_epochs=-1,
        log_every_n_steps=5,
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=False,
        callbacks=list(callbacks),
    )
    trainer.fit(model, datamodule=data, ckpt_path=resume, weights_only=True)


def alone(folder: Path, makes: Sequence[Make], steps: int, every: int = 20, **more: Any) -> None:
    """Each run by itself, as `disent fit` trains it; goes on from its last checkpoint."""
    for i, make in enumerate(makes):
        one, run = member(make, i, **more), run_of(folder, i)
        resume = run.last if run.last.exists() else None
        fit(one.model, one.data, [Guard(), Record(run, every)], steps, resume)


def together(
    folder: Path,
    makes: Sequence[Make],
    steps: int,
    every: int = 20,
    batched: bool = False,
    **more: Any,
) -> FleetRecord:
    """All in one fleet; goes on from their last checkpoints."""
    members = [member(make, i, **more) for i, make in enumerate(makes)]
    runs = [run_of(folder, i) for i in range(len(makes))]
    stack, resume = Stack([m.model for m in members], batched=batched), None
    record = FleetRecord(members, runs, every, StopRequest())
    if runs[0].last.exists():
        parts = [torch.load(run.last, weights_only=True) for run in runs]
        states = {"FleetRecord": {"journals": [part["callbacks"][KEY] for part in parts]}}
        resume = folder / "whole.ckpt"
        torch.save(join(parts, stack, states), resume)
    fit(stack, FleetData(members), [record], steps, resume)
    return record


def weights(folder: Path, i: int, name: str = "last") -> dict[str, torch.Tensor]:
    file = run_of(folder, i).path / "checkpoints" / f"{name}.ckpt"
    return torch.load(file, weights_only=True)["state_dict"]


def deviation(one: Path, other: Path, i: int) -> float:
    """The largest distance between weights of a member, relative to the largest weight there."""
    a, b = weights(one, i), weights(other, i)
    assert a.keys() == b.keys()
    assert all(a[name].stride() == b[name].stride() for name in a)
    return max(float((a[name] - b[name]).abs().max() / a[name].abs().max()) for name in a)


def logged(folder: Path, i: int) -> pd.DataFrame:
    return pd.read_csv(run_of(folder, i).metrics).drop(columns="images_per_second")
