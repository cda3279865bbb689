# SPDX-License-Identifier: Apache-2.0
"""Scores a model every n steps of its training."""

from collections.abc import Sequence
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from disent.data.base import FactorDataset
from disent.evaluation import evaluate, find_scores, flat_scores
from disent.models.vae import VAE
from disent.runs.directory import RunDir


class Evaluate(Callback):
    """Adds a row of scores to evaluations.csv, and replaces metrics.json, every n steps.

    Args:
        run: Where to write.
        dataset: What to encode.
        untrained: The same network with its initial weights.
        every_n_steps: Steps between two evaluations.
        metrics: Names of the scores, as in disent.metrics.
        points: Thin the grid to at most so many points.
        seed: Of the scores that draw.
    """

    def __init__(
        self,
        run: RunDir,
        dataset: FactorDataset,
        untrained: VAE,
        every_n_steps: int,
        metrics: Sequence[str] = ("mig", "beta_vae_score"),
        points: int = 50_000,
        seed: int = 0,
    ) -> None:
        if every_n_steps < 1:
            raise ValueError(f"every_n_steps must be >= 1, got {every_n_steps}.")
        find_scores(metrics)
        self.run, self.dataset, self.untrained = run, dataset, untrained
        self.every_n_steps, self.metrics = every_n_steps, list(metrics)
        self.points, self.seed = points, seed
        self._last = -1

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        step = trainer.global_step
        if step % self.every_n_steps or step == self._last:
            return
        self._last = step
        if trainer.is_global_zero:
            record = evaluate(
                pl_module,
                self.untrained.to(pl_module.device),
                self.dataset,
                self.metrics,
                seed=self.seed,
                points=self.points,
            )[0]
            self.run.write_scores({"step": step, **record})
            self.run.append_row(self.run.evaluations, {"step": step, **flat_scores(record)})
        trainer.strategy.barrier()
