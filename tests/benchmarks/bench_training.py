# SPDX-License-Identifier: Apache-2.0
"""Steps per second of `disent fit`'s loop, plain and fast, beside bare PyTorch loops; encodings.

Run: python -m tests.benchmarks training    (the same on a machine with a GPU, which is then used)
"""

import contextlib
import io
import logging
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from lightning.pytorch import Callback, Trainer

from disent.callbacks.guard import Guard
from disent.callbacks.progress import Progress
from disent.callbacks.record import Record
from disent.codes import CodeTable
from disent.data import DSprites, FactorDataModule
from disent.data.subgrid import SubGrid
from disent.memory import keep_freed_memory
from disent.models import BetaVAE
from disent.networks import Burgess2018, Locatello2019
from disent.networks.base import Network
from disent.runs import RunDir
from disent.training.step import Steps

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
BURST = WARM = 50
STEPS, PAIRS, BATCH = 100 if DEVICE.type == "cpu" else 5_000, 5, 64
COMPUTES_BFLOAT16 = DEVICE.type == "cuda" or (
    torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
)
PRECISION = "bf16-mixed" if COMPUTES_BFLOAT16 else "32-true"  # as --fast chooses
Seconds = Callable[[], float]


def now() -> float:
    """The time, when the device has done what it was told."""
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


class Clock(Callback):
    """Seconds from the end of step WARM to the end of the last."""

    start = seconds = 0.0

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: object, outputs: object, batch: object, batch_idx: int
    ) -> None:
        if trainer.global_step == WARM:
            self.start = now()

    def on_train_end(self, trainer: Trainer, pl_module: object) -> None:
        self.seconds = now() - self.start


def suite(network: type[Network], dataset: DSprites, *, fast: bool) -> float:
    """STEPS steps as `disent fit` takes them, with its callbacks and its log; in seconds."""
    clock = Clock()
    model, data = BetaVAE(network=network), FactorDataModule(dataset, BATCH)
    data.burst, data.train, data.until = BURST if fast else 1, Steps(captured=fast), WARM + STEPS
    model.automatic_optimization = False
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            accelerator="auto",
            devices=1,
            precision=PRECISION if fast else "32-true",
            max_steps=WARM + STEPS,
            max_epochs=-1,
            logger=False,
            enable_checkpointing=False,
            enable_model_summary=False,
            callbacks=[clock, Record(RunDir(Path(folder) / "run")), Guard(), Progress()],
        )
        with contextlib.redirect_stderr(io.StringIO()):  # the progress, which is part of the work
            trainer.fit(model, datamodule=data)
    return clock.seconds


def bare(network: type[Network], dataset: DSprites, *, compiled: bool) -> Seconds:
    """The same arithmetic in a plain float32 loop: gather, forward, backward, Adam; warmed up."""
    model = BetaVAE(network=network).to(DEVICE)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4, fused=True)
    resident = dataset.to(DEVICE)

    def loss_of(x: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        return model(x, noise, 0)[0]

    loss_at = torch.compile(loss_of) if compiled else loss_of

    def steps(count: int) -> float:
        start = now()
        for _ in range(count):
            x = resident.batch(torch.randint(len(dataset.grid), (BATCH,), device=DEVICE))
            loss = loss_at(x, torch.randn(BATCH, 10, device=DEVICE))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return now() - start

    steps(WARM)
    return lambda: steps(STEPS)


def training_rows(network: type[Network], dataset: DSprites) -> list[tuple[str, str, str]]:
    """(what, figure, note) of one network; everyone trains in turn, PAIRS times."""
    everyone: dict[str, Seconds] = {
        "disent fit": lambda: suite(network, dataset, fast=False),
        "disent fit --fast": lambda: suite(network, dataset, fast=True),
        "bare loop": bare(network, dataset, compiled=False),
        "bare compiled loop": bare(network, dataset, compiled=True),
    }
    rounds = [{name: run() for name, run in everyone.items()} for _ in range(PAIRS)]
    table = []
    for name in everyone:
        ratios = sorted(r["bare compiled loop"] / r[name] for r in rounds)
        median = statistics.median(r[name] for r in rounds) / STEPS
        note = f"{1e3 * median:.3f} ms a step; {statistics.median(ratios):.2f}"
        note += f" ({ratios[0]:.2f} to {ratios[-1]:.2f}) of the bare compiled loop"
        table.append((f"{name}, {network.__name__}", f"{1 / median:,.1f} steps/s", note))
    return table


def encoding_row(network: type[Network], coarse: SubGrid) -> tuple[str, str, str]:
    model, speeds = BetaVAE(network=network).to(DEVICE), []
    for _ in range(3):
        start = now()
        CodeTable.encode(model, coarse)
        speeds.append(len(coarse.grid) / (now() - start))
    note = f"float32, {len(coarse.grid):,} pictures; median of 3"
    return f"encode {network.__name__}", f"{statistics.median(speeds):,.0f} /s", note


def rows() -> list[tuple[str, str, str]]:
    """(what, figure, note) of training and encoding."""
    keep_freed_memory()  # as every command does
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="lightning")
    dataset, table = DSprites(), []
    coarse = SubGrid.at_most(dataset, 30_000)
    for network in (Burgess2018, Locatello2019):
        table += [*training_rows(network, dataset), encoding_row(network, coarse)]
    return table
