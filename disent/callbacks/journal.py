# SPDX-License-Identifier: Apache-2.0
"""What is written of a run while it trains, whether it trains alone or among others."""

import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from disent.files import replacing_path
from disent.runs.directory import RunDir
from disent.runs.stops import InterruptedRunError


class Journal:
    """The status, logged rows and checkpoints of one run.

    Args:
        run: Where to write.

    Attributes:
        best_elbo: The highest mean logged elbo before a checkpoint so far, in nats per image.
        elbos: Those logged since the last checkpoint.
    """

    def __init__(self, run: RunDir) -> None:
        self.run = run
        self.best_elbo, self.elbos = -float("inf"), list[float]()
        self._mark = (0.0, 0)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps of it."""
        return {"best_elbo": self.best_elbo, "elbos": list(self.elbos)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Goes on from a `state_dict`."""
        self.best_elbo, self.elbos = state_dict["best_elbo"], list(state_dict["elbos"])

    def begin(self, step: int, max_steps: int, *, write: bool = True) -> None:
        """Training starts, or goes on, after `step`: rows from later than that are dropped."""
        self._mark = (time.monotonic(), step)
        if write:
            self.run.truncate(step)
            self.run.write_status("running", step=step, max_steps=max_steps)

    def log(
        self, step: int, logged: Mapping[str, float], pictures: int, *, write: bool = True
    ) -> None:
        """Adds a row to metrics.csv.

        Args:
            step: Counted from 1.
            logged: The terms, in nats per image; elbo among them.
            pictures: Of a step.
            write: Whether this process is the one that writes.
        """
        now = time.monotonic()
        seconds, steps = now - self._mark[0], step - self._mark[1]
        self._mark = (now, step)
        speed = steps * pictures / max(seconds, 1e-9)
        self.elbos.append(logged["elbo"])
        if write:
            row = {"step": step, **logged, "images_per_second": speed}
            self.run.append_row(self.run.metrics, row)

    def checkpoint(
        self, save: Callable[[Path], None], step: int, max_steps: int, *, write: bool = True
    ) -> None:
        """Replaces last.ckpt, and best.ckpt if the elbo was never higher.

        Args:
            save: Writes the checkpoint of now to a path, in the process that is to write.
            step: Counted from 1.
            max_steps: Of the whole training.
            write: Whether this process is the one that writes; all of them save.
        """
        best = False
        if self.elbos:
            elbo = sum(self.elbos) / len(self.elbos)
            best = elbo > self.best_elbo
            self.best_elbo = max(elbo, self.best_elbo)
            self.elbos.clear()
        # last.ckpt after best.ckpt: what is killed in between comes again
        for file in (self.run.best, self.run.last) if best else (self.run.last,):
            with replacing_path(file) if write else nullcontext(file) as path:
                save(path)
        if write:
            self.run.write_status("running", step=step, max_steps=max_steps)

    def end(self, error: BaseException, step: int) -> None:
        """The status after an interruption or a failure."""
        if isinstance(error, InterruptedRunError):
            self.run.write_status(error.state, reason=str(error), step=step)
            return
        reason = f"{type(error).__name__}: {error}".strip(": ")
        if isinstance(error, KeyboardInterrupt):  # the second Ctrl-C: the first one waits
            reason = "interrupted at once; the same command goes on from last.ckpt"
        self.run.write_status("failed", reason=reason, step=step)
