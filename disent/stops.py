# SPDX-License-Identifier: Apache-2.0
"""What asks a run to stop: signals, noted at once and answered where nothing is lost."""

import signal
from collections.abc import Sequence
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
REQUEUE = signal.SIGUSR1  # what Slurm sends before the end: save, and be started again


class InterruptedRunError(Exception):
    """The run was asked to stop by a signal; its last checkpoint holds what it has learned.

    Attributes:
        signum: Which signal it was.
    """

    def __init__(self, signum: int, step: int | None = None) -> None:
        self.signum = signum
        where = "outside training" if step is None else f"at step {step}"
        name = signal.Signals(signum).name
        super().__init__(f"interrupted by {name} {where}; the same command goes on from there")

    @property
    def state(self) -> Any:
        """What the status says then: requeued, where the signal asks for it, else stopped."""
        return "requeued" if self.signum == REQUEUE else "stopped"


class StopRequest:
    """Notes the first of SIGINT, SIGTERM and SIGUSR1; a second SIGINT does not wait.

    Attributes:
        signum: The signal that came, or 0.
        at_once: Whether a signal raises where it arrives (while a run scores and draws), or waits
            for the end of the batch, where all ranks can stop together (while it trains).
    """

    def __init__(self) -> None:
        self.signum, self.at_once = 0, False
        self._before: dict[int, Any] = {}

    def listen(self, signals: Sequence[int] = SIGNALS) -> None:
        """Takes signals over; may be called again after others did."""
        for signum in signals:
            before = signal.signal(signum, self._note)
            if before != self._note:
                self._before.setdefault(signum, before)

    def release(self) -> None:
        """Gives the signals back."""
        for signum, handler in self._before.items():
            signal.signal(signum, handler)
        self._before.clear()

    def check(self) -> None:
        """Raises InterruptedRunError if a signal came; from now on a signal raises at once."""
        self.at_once = True  # first: a signal that comes after the look at signum raises itself
        if self.signum:
            self.at_once = False  # what answers the error is not interrupted by a second signal
            raise InterruptedRunError(self.signum)

    def _note(self, signum: int, frame: FrameType | None) -> None:
        if self.signum and signum == signal.SIGINT:
            raise KeyboardInterrupt
        self.signum = self.signum or signum
        if self.at_once:
            self.at_once = False  # once: what it raises must be able to end
            raise InterruptedRunError(self.signum)
