# SPDX-License-Identifier: Apache-2.0
"""What is written of a run while it trains, whether it trains alone or among others."""

import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from disent.files import replacing_path
from disent.runs.directory import RunDir
from disent.stops import InterruptedRunError


class Journal:
    """The status, logged rows and checkpoints of one run.

    Args:
        run: Where to write.
        judge: Name of the logged value whose mean before a checkpoint says which is the best; with
            "-" before it the lowest is.

    Attributes:
        best: The best such mean so far, the higher the better.
        values: Those logged since the last checkpoint.
    """

    def __init__(self, run: RunDir, judge: str = "elbo") -> None:
        self.run, self.judge = run, judge
        self.best, self.values = -float("inf"), list[float]()
        self._mark = (0.0, 0)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps of it."""
        return {"best": self.best, "values": list(self.values)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Goes on from a `state_dict`."""
        if "best_elbo" in state_dict:  # as versions before 0.2 wrote it
            state_dict = {"best": state_dict["best_elbo"], "values": state_dict["elbos"]}
        self.best, self.values = state_dict["best"], list(state_dict["values"])

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
            logged: The terms, in nats per image; that of `judge` among them.
            pictures: Of a step.
            write: Whether this process is the one that writes.
        """
        now = time.monotonic()
        seconds, steps = now - self._mark[0], step - self._mark[1]
        self._mark = (now, step)
        speed = steps * pictures / max(seconds, 1e-9)
        value = logged[self.judge.removeprefix("-")]
        self.values.append(-value if self.judge.startswith("-") else value)
        if write:
            row = {"step": step, **logged, "images_per_second": speed}
            self.run.append_row(self.run.metrics, row)

    def checkpoint(
        self, save: Callable[[Path], None], step: int, max_steps: int, *, write: bool = True
    ) -> None:
        """Replaces last.ckpt, and best.ckpt if what the run is judged by was never better.

        Args:
            save: Writes the checkpoint of now to a path, in the process that is to write.
            step: Counted from 1.
            max_steps: Of the whole training.
            write: Whether this process is the one that writes; all of them save.
        """
        best = False
        if self.values:
            mean = sum(self.values) / len(self.values)
            best = mean > self.best
            self.best = max(mean, self.best)
            self.values.clear()
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
            self.run.write_status("stopped", reason=reason, step=step)
            return
        self.run.write_status("failed", reason=reason, step=step)
