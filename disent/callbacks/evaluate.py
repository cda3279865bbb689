# SPDX-License-Identifier: Apache-2.0
"""Scores a model every n steps of its training."""

import warnings
from collections.abc import Callable
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from disent.codes import CodeTable
from disent.data.base import PictureDataset
from disent.evaluation import Options, Shared, encode_together, evaluate, flat_scores
from disent.runs.directory import RunDir


class Evaluate(Callback):
    """Adds a row of scores to evaluations.csv, and replaces metrics.json, every n steps.

    Args:
        run: Where to write.
        dataset: What to encode.
        untrained: The same network with its initial weights.
        every_n_steps: Steps between two evaluations.
        options: Which scores, on which codes, of how many points.
        tell: Is given each record too.
    """

    def __init__(
        self,
        run: RunDir,
        dataset: PictureDataset,
        untrained: LightningModule,
        every_n_steps: int,
        options: Options,
        tell: Callable[[dict[str, Any]], None] | None = None,
    ) -> None:
        if every_n_steps < 1:
            raise ValueError(f"every_n_steps must be >= 1, got {every_n_steps}.")
        self.run, self.dataset, self.untrained = run, dataset, untrained
        self.every_n_steps, self.options = every_n_steps, options
        self.tell, self._last = tell, -1
        self._shared = Shared()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        step = trainer.global_step
        if step % self.every_n_steps or step == self._last:
            return
        self._last = step
        table = encode_together(pl_module, self.dataset, self.options)
        if trainer.is_global_zero:
            self._evaluate(pl_module, step, table)
        trainer.strategy.barrier()

    def _evaluate(self, model: LightningModule, step: int, table: CodeTable | None) -> None:
        """Writes the scores of now; what theory forbids is said, and training goes on."""
        untrained = self.untrained.to(model.device)
        try:
            record, _ = evaluate(
                model, untrained, self.dataset, self.options, table=table, shared=self._shared
            )
        except ArithmeticError as error:
            warnings.warn(f"no scores at step {step}: {error}", stacklevel=2)
            return
        record = {"step": step, **record}
        self.run.write_scores(record)
        row = {"step": step, **flat_scores(record)}
        # a score that failed once lacks its columns then
        self.run.append_row(self.run.evaluations, row, widen=True)
        if self.tell:
            self.tell(record)
