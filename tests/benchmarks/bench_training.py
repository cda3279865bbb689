# SPDX-License-Identifier: Apache-2.0
"""Steps per second of `disent fit`'s loop beside a bare PyTorch loop, and encodings per second.

Run: python -m tests.benchmarks training
"""

import contextlib
import io
import logging
import statistics
import tempfile
import time
import warnings
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

WARM, STEPS, PAIRS, BATCH = 10, 100, 5, 64


class Clock(Callback):
    """Seconds from the end of step WARM to the end of the last."""

    seconds = 0.0

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: object, outputs: object, batch: object, batch_idx: int
    ) -> None:
        if trainer.global_step == WARM:
            self.start = time.perf_counter()
        self.seconds = time.perf_counter() - getattr(self, "start", 0.0)


def suite_seconds(network: type[Network], dataset: DSprites) -> float:
    """STEPS steps as `disent fit` takes them, with its callbacks and its log."""
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        callbacks = [Record(RunDir(Path(folder) / "run")), Guard(), Progress(), clock]
        trainer = Trainer(
            accelerator="cpu",
            max_steps=WARM + STEPS,
            max_epochs=-1,
            logger=False,
            enable_checkpointing=False,
            enable_model_summary=False,
            callbacks=callbacks,
        )
        with contextlib.redirect_stderr(io.StringIO()):  # the progress, which is part of the work
            trainer.fit(BetaVAE(network=network), datamodule=FactorDataModule(dataset, BATCH))
    return clock.seconds


def bare_seconds(network: type[Network], dataset: DSprites) -> float:
    """The same arithmetic in a plain loop: gather, forward, backward, Adam."""
    model = BetaVAE(network=network)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4, fused=True)
    start = 0.0
    for step in range(WARM + STEPS):
        if step == WARM:
            start = time.perf_counter()
        x = dataset.batch(torch.randint(len(dataset.grid), (BATCH,)))
        loss, _ = model(x, torch.randn(BATCH, 10), step)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return time.perf_counter() - start


def rows() -> list[tuple[str, str, str]]:
    """(what, figure, note) of training and encoding; pairs run in alternation."""
    keep_freed_memory()  # as every command does
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="lightning")
    dataset, table = DSprites(), []
    coarse = SubGrid.at_most(dataset, 30_000)
    for network in (Burgess2018, Locatello2019):
        pairs = [
            (suite_seconds(network, dataset), bare_seconds(network, dataset)) for _ in range(PAIRS)
        ]
        ours, bare = (
            statistics.median(STEPS / s for s in side) for side in zip(*pairs, strict=True)
        )
        ratio = statistics.median(a / b for a, b in pairs)
        note = f"bare loop {bare:.1f}; time ratio {ratio:.3f}, median of {PAIRS} pairs"
        table.append((f"train {network.__name__}, batch {BATCH}", f"{ours:.1f} steps/s", note))
        model, speeds = BetaVAE(network=network), []
        for _ in range(3):
            start = time.perf_counter()
            CodeTable.encode(model, coarse)
            speeds.append(len(coarse.grid) / (time.perf_counter() - start))
        note = f"float32, {len(coarse.grid):,} pictures; median of 3"
        table.append((f"encode {network.__name__}", f"{statistics.median(speeds):,.0f} /s", note))
    return table
