# SPDX-License-Identifier: Apache-2.0
"""Sends a run to Weights & Biases as it is written here; the run directory stays the truth."""

import os
import uuid
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from lightning.pytorch import Callback, LightningModule, Trainer

from disent.models.hooks import is_logged
from disent.runs.directory import RunDir
from disent.stops import InterruptedRunError

ADVICE = (
    "W&B wants WANDB_API_KEY (or `wandb login`) and a server that answers. Without either: "
    "WANDB_MODE=offline, and later `wandb sync`; or --logger none."
)


class WandbLog(Callback):
    """Scalars and rates as they are logged, the config, and at the end scores and pictures.

    Obeys W&B's own environment variables: WANDB_MODE, WANDB_PROJECT, WANDB_RUN_ID and the rest. A
    run keeps its id over restarts: that of WANDB_RUN_ID, or one that is kept in RUN/wandb/run_id.

    Args:
        run: The run directory; W&B's files lie in its folder wandb.
        config: What made the run: class paths and versions included.
        project: W&B's project, where WANDB_PROJECT does not say.
        on_failure: If W&B cannot be reached: continue without it, or stop.
        timeout: Seconds to wait for W&B, at the start and at the end.
        checkpoints: Whether last.ckpt and best.ckpt are uploaded at the end.
    """

    def __init__(
        self,
        run: RunDir,
        config: dict[str, Any],
        project: str = "disent",
        on_failure: Literal["continue", "stop"] = "continue",
        timeout: float = 60.0,
        checkpoints: bool = False,
    ) -> None:
        self.run, self.config, self.project = run, config, project
        self.on_failure, self.timeout, self.checkpoints = on_failure, timeout, checkpoints
        self._wandb: Any = None
        self._logged: Any = None

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # not on_train_start: a run that was stopped while it was scored has nothing left to train
        if trainer.is_global_zero and self._logged is None:
            self._try("W&B did not start", self._open)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        step = trainer.global_step
        if self._logged is None or not is_logged(trainer, step):
            return
        row = {name: float(value) for name, value in trainer.callback_metrics.items()}
        self._try("W&B took no more", lambda: self._log(row, step))

    def show_scores(self, scores: dict[str, Any]) -> None:
        """A table of the scores beside their baselines, and each value in the summary."""
        if self._logged is not None:
            self._try("W&B took no scores", lambda: self._log_scores(scores))

    def show_pictures(self, pictures: Sequence[Path]) -> None:
        """PNG and GIF files, as they are."""
        if self._logged is not None:
            images = {f"pictures/{path.stem}": path for path in pictures}
            self._try("W&B took no pictures", lambda: self._log_pictures(images))

    def close(self, exit_code: int = 0, *, done: bool = True) -> None:
        """Sends what is left, and ends W&B's run; the next start of the run goes on with it.

        Args:
            exit_code: 0, or 1 for a failure.
            done: Whether the run has come to its end, so that its checkpoints may be uploaded.
        """
        logged, self._logged = self._logged, None
        if logged is not None:
            if done and self.checkpoints:
                self._try("W&B took no checkpoints", lambda: self._upload(logged))
            self._try("W&B did not end", lambda: logged.finish(exit_code=exit_code))

    def _open(self) -> None:
        self._wandb = _wandb()
        self._logged = self._wandb.init(
            project=os.environ.get("WANDB_PROJECT") or self.project,
            name=os.environ.get("WANDB_NAME") or self.run.path.name,
            id=self._id(),
            resume="allow",
            dir=str(self.run.path),
            config=_plain(self.config),
            settings=self._wandb.Settings(
                init_timeout=self.timeout,
                finish_timeout=self.timeout,
                console="off",
                silent=True,
                x_disable_stats="WANDB_X_DISABLE_STATS" in os.environ,
            ),
        )

    def _id(self) -> str:
        """W&B's id of this run: the same at every start."""
        file = self.run.path / "wandb" / "run_id"
        given = os.environ.get("WANDB_RUN_ID")
        if given is None and file.exists():
            return file.read_text(encoding="utf-8").strip()
        made = given or uuid.uuid4().hex[:8]
        self.run.write_text(file, made + "\n")
        return made

    def _log(self, row: dict[str, Any], step: int) -> None:
        if step >= self._logged.step:  # what was sent before an interruption is not sent again
            self._logged.log(row, step=step)

    def _log_scores(self, record: dict[str, Any]) -> None:
        columns = ["score", "value", "spread", "untrained", "pca", "chance", "variant", "seed"]
        entries = record["scores"].items()
        rows = [[name, *(entry.get(c) for c in columns[1:])] for name, entry in entries]
        values = {name: entry["value"] for name, entry in entries if entry["value"] is not None}
        table = self._wandb.Table(columns=columns, data=_texts(rows))
        self._log({**values, "scores": table}, record["step"])
        self._logged.summary.update(values)

    def _log_pictures(self, images: dict[str, Path]) -> None:
        drawn = {name: self._wandb.Image(str(path)) for name, path in images.items()}
        self._log(drawn, self._logged.step)

    def _upload(self, logged: Any) -> None:
        artifact = self._wandb.Artifact(f"{logged.id}-checkpoints", type="model")
        for file in (self.run.last, self.run.best):
            if file.exists():
                artifact.add_file(str(file))
        logged.log_artifact(artifact)

    def _try(self, what: str, act: Callable[[], None]) -> None:
        """Acts; if W&B fails, training goes on without it or stops, as configured."""
        try:
            act()
        except InterruptedRunError:  # a signal's, not W&B's: the run must answer it
            raise
        except Exception as error:  # W&B raises whatever its parts raise
            self._logged = None
            reason = str(error).strip().rstrip(".") or type(error).__name__
            said = f"{what}: {reason}. {ADVICE}"
            if self.on_failure == "stop":
                raise ValueError(said) from error
            warnings.warn(f"{said} The run goes on without W&B.", stacklevel=2)


def _wandb() -> Any:
    try:
        import wandb
    except ImportError:
        raise ValueError("wandb is not installed: pip install wandb") from None
    return wandb


def _plain(config: dict[str, Any]) -> dict[str, Any]:
    """The config without what W&B knows already."""
    return {key: value for key, value in config.items() if key not in ("config", "again")}


def _texts(rows: list[list[Any]]) -> list[list[Any]]:
    """Rows with one type a column: W&B's tables want that."""
    return [
        [cell if isinstance(cell, float) or cell is None else str(cell) for cell in row]
        for row in rows
    ]
