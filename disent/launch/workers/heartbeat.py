# SPDX-License-Identifier: Apache-2.0
"""The sign of life of a process that holds trials: their leases, touched every few seconds."""

import threading
from typing import Self

from disent.launch.workers.leases import PATIENCE, Lease

HEARTBEAT = 5.0  # seconds between two touches


class Heartbeat:
    """The leases that this process holds, and which of them it has lost.

    As a context manager it beats in a thread of its own, for whoever is busy with the trials. Who
    starts processes calls `beat` between two looks instead: a thread that holds a lock at that
    moment would leave it locked in the new process.

    Args:
        patience: Seconds without a touch after which others may take a trial over.

    Attributes:
        pause: Seconds between two beats.
        lost: Trials that others have taken over; they are no longer ours to write.
    """

    def __init__(self, patience: float = PATIENCE) -> None:
        self.pause = min(HEARTBEAT, patience / 4)
        self.lost: set[str] = set()
        self._leases: dict[str, Lease] = {}
        self._over, self._touching = threading.Event(), threading.Lock()
        self._thread = threading.Thread(target=self._keep_beating, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        """Stops, and gives back what is still held."""
        self._over.set()
        self._thread.join()
        for name in list(self._leases):
            self.release(name)

    def add(self, name: str, lease: Lease) -> None:
        """One more trial to hold."""
        with self._touching:
            self._leases[name] = lease
            self.lost.discard(name)  # whoever had taken it over has given it back

    def release(self, name: str) -> None:
        """Gives one trial back, for anyone to take at once, unless somebody has taken it over."""
        with self._touching:  # or a beat could take up again what was just given back
            lease = self._leases.pop(name, None)
            if lease is not None and name not in self.lost:
                lease.release()

    def is_mine(self, name: str) -> bool:
        """Whether a trial has not been taken over."""
        return name not in self.lost

    def beat(self) -> None:
        """Touches every lease; what others have taken over is lost from now on."""
        for name in list(self._leases):
            with self._touching:
                self._touch(name)

    def _keep_beating(self) -> None:
        while not self._over.wait(self.pause):
            self.beat()

    def _touch(self, name: str) -> None:
        lease = self._leases.get(name)
        try:
            if lease is not None and name not in self.lost and not lease.beat():
                self.lost.add(name)
        except OSError:  # a file system that is away for a moment: the next beat tells
            return
