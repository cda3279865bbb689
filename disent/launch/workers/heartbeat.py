# SPDX-License-Identifier: Apache-2.0
"""Keeps the leases of many trials alive while this process is busy with them."""

import threading
from typing import Self

from disent.launch.workers.leases import HEARTBEAT, PATIENCE, Lease


class Heartbeat:
    """Touches leases every few seconds, in a thread of its own.

    Args:
        patience: Seconds without a touch after which others may take a trial over.

    Attributes:
        lost: Trials that others have taken over; they are no longer ours to write.
    """

    def __init__(self, patience: float = PATIENCE) -> None:
        self._leases: dict[str, Lease] = {}
        self._pause = min(HEARTBEAT, patience / 4)
        self.lost: set[str] = set()
        self._over, self._touching = threading.Event(), threading.Lock()
        self._thread = threading.Thread(target=self._beat, daemon=True)

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
        self._leases[name] = lease

    def release(self, name: str) -> None:
        """Gives one trial back, for anyone to take at once."""
        with self._touching:  # or a beat could take up again what was just given back
            lease = self._leases.pop(name, None)
            if lease is not None and name not in self.lost:
                lease.release()

    def is_mine(self, name: str) -> bool:
        """Whether a trial has not been taken over."""
        return name not in self.lost

    def _beat(self) -> None:
        while not self._over.wait(self._pause):
            for name in list(self._leases):
                with self._touching:
                    self._touch(name)

    def _touch(self, name: str) -> None:
        lease = self._leases.get(name)
        try:
            if lease is not None and name not in self.lost and not lease.beat():
                self.lost.add(name)
        except OSError:  # a file system that is away for a moment: the next beat tells
            return
