# SPDX-License-Identifier: Apache-2.0
"""Member-steps per second of fleets beside runs alone; how far curves drift by shared kernels.

Run: python -m tests.benchmarks fleet. On a machine with a GPU the fleets train there, 36 members
against one run alone on the same card.
"""

import statistics
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from disent.data import DSprites, FactorDataModule
from disent.fleet import Member, Stack
from disent.fleet.loader import FleetLoader
from disent.fleet.speed import separate_speed, stacked_speed
from disent.memory import keep_freed_memory
from disent.models import VAE, AnnealedVAE, BetaVAE
from disent.models.base import take_step
from disent.networks import MLP, Burgess2018, Higgins2017, Linear, Locatello2019

PAIRS, STEPS, EVERY = 3, 2000, 50
Row = tuple[str, str, str]


def small(channels: int, latents: int, outputs: int) -> MLP:
    return MLP(channels, latents, outputs, [256, 128])


SETTINGS: dict[str, tuple[dict, int]] = {
    "quickstart, locatello2019": ({"network": Locatello2019}, 64),
    "burgess2018": ({"network": Burgess2018, "lr": 5e-4}, 64),
    "higgins2017": ({"network": Higgins2017, "optimizer": "adagrad", "lr": 1e-2}, 64),
    "lecture": ({"network": MLP, "lr": 5e-4}, 128),
    "MLP 256-128": ({"network": small}, 64),
    "Linear": ({"network": Linear}, 64),
}


def member(dataset: DSprites, i: int, given: dict, batch: int) -> Member:
    """Number i of a grid of three objectives and any number of seeds."""
    seed = i // 3
    model = (
        VAE(seed=seed, **given),
        BetaVAE(beta=4.0, seed=seed, **given),
        AnnealedVAE(gamma=100.0, capacity=5.0, anneal_steps=1000, seed=seed, **given),
    )[i % 3]
    return Member(f"{i}", model, FactorDataModule(dataset, batch, seed=seed))


def speeds(dataset: DSprites, device: torch.device) -> Iterator[Row]:
    """Of each setting: a run alone, separate processes on a CPU, fleets; medians of pairs."""
    cuda = device.type == "cuda"
    sizes, processes = ((36,), 1) if cuda else ((1, 2, 4), 2)
    for name, (given, batch) in SETTINGS.items():

        def make(i: int, given: dict = given, batch: int = batch) -> Member:
            return member(dataset, i, given, batch)

        for n in sizes:
            for compiled in (False, True) if cuda else (False,):
                pairs = [
                    (
                        separate_speed(make, device, processes),
                        stacked_speed(make, n, device, compiled=compiled),
                    )
                    for _ in range(PAIRS)
                ]
                alone, fleet = (statistics.median(side) for side in zip(*pairs, strict=True))
                ratio = statistics.median(b / a for a, b in pairs)
                others = "one run alone" if cuda else f"{processes} times a one-thread run"
                what = f"{name}, fleet of {n}" + (", compiled" if compiled else "")
                note = f"{others}: {alone:,.1f}; ratio {ratio:.2f}, median of {PAIRS} pairs"
                yield what, f"{fleet:,.1f} member-steps/s", note


def drift(dataset: DSprites, device: torch.device, batched: bool, name: str) -> Row:
    """The largest relative deviation of logged curves between a fleet and runs alone."""
    given, batch = SETTINGS[name]
    members = [member(dataset, i, given, batch) for i in range(3)]
    alone = [member(dataset, i, given, batch).model.to(device) for i in range(3)]
    optimizers = [model.configure_optimizers() for model in alone]
    stack = Stack([m.model for m in members], batched=batched).to(device)
    together, loader = stack.configure_optimizers(), FleetLoader(members, device)
    worst = 0.0
    for step, (batch, noise) in zip(range(STEPS), loader, strict=False):
        told = stack.take(together, batch, noise, step)
        for i, (model, own) in enumerate(zip(alone, optimizers, strict=True)):
            part = batch.each(lambda rows, i=i: rows[i])
            loss, its = take_step(model, own, part, noise[i], step)
            if (step + 1) % EVERY == 0:
                here, there = _curves(told[i]), _curves({"loss": loss, **its})
                gap = (here - there).abs() / there.abs().clamp(min=1)
                worst = max(worst, float(gap.max()))
    how = "shared kernels" if batched else "members in turn"
    note = f"loss, rate, distortion at every {EVERY}th of {STEPS:,} steps; VAE, beta 4, capacity 5"
    return f"{name}, fleet of 3, {how}", f"{worst:.1e} relative", note


def _curves(told: Mapping[str, Tensor]) -> Tensor:
    return torch.stack([told["loss"], told["rate"].sum(-1).mean(), told["distortion"].mean()])


def rows() -> list[Row]:
    """(what, figure, note); on the GPU if there is one."""
    keep_freed_memory()  # as every command does
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    dataset = DSprites().to(device)
    table = list(speeds(dataset, device))
    curves = "quickstart, locatello2019" if device.type == "cuda" else "MLP 256-128"
    for batched in (True,) if device.type == "cuda" else (False, True):
        table.append(drift(dataset, device, batched, curves))
    return table
