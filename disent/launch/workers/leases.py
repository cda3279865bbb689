# SPDX-License-Identifier: Apache-2.0
"""Leases on trials: files in a shared folder by which any number of processes agree who runs what.

A lease is a file NAME/0, then NAME/1 and so on: whoever creates the next number holds the trial,
and a file is created by one process only, on local disks as on NFS. The holder touches its file now
and then; a file that has not been touched for a while belongs to a process that is gone. Nothing is
ever deleted or overwritten, so that no two processes can act on an outdated view.
"""

import json
import os
import socket
import time
from pathlib import Path
from typing import Any

from disent.documents import read_json
from disent.files import create

PATIENCE = 60.0  # seconds without a touch after which the holder counts as gone


class Lease:
    """A trial that this process holds.

    Attributes:
        file: The lease file.
    """

    def __init__(self, file: Path) -> None:
        self.file = file

    def beat(self) -> bool:
        """Says that the holder lives; False if another process has taken over: stop the trial."""
        if self.file.with_name(f"{int(self.file.name) + 1}").exists():
            return False
        os.utime(self.file)
        return True

    def release(self) -> None:
        """Gives the trial back, for anyone to take at once."""
        os.utime(self.file, (0, 0))


class Leases:
    """The leases in one folder.

    Whether a holder lives is judged by the changes that this process sees, by its own clock: the
    clocks of the machines that share the folder need not agree.

    Args:
        folder: Shared by all processes that take part.
        patience: Seconds without a sign of life after which a trial may be taken over.
    """

    def __init__(self, folder: Path, patience: float = PATIENCE) -> None:
        self.folder, self.patience = folder, patience
        self._seen: dict[str, tuple[int, float, float]] = {}

    def claim(self, name: str) -> Lease | None:
        """Takes the trial if nobody holds it, else None."""
        number = self._latest(name)
        if number is not None and self._held(name, number):
            return None
        file = self.folder / name / f"{0 if number is None else number + 1}"
        return Lease(file) if create(file, _holder()) else None

    def is_held(self, name: str) -> bool:
        """Whether a living process holds the trial, as far as can be seen."""
        number = self._latest(name)
        return number is not None and self._held(name, number)

    def _latest(self, name: str) -> int | None:
        try:
            files = os.listdir(self.folder / name)
        except FileNotFoundError:
            return None
        return max((int(file) for file in files if file.isdecimal()), default=None)

    def _held(self, name: str, number: int) -> bool:
        file = self.folder / name / f"{number}"
        touched, now = file.stat().st_mtime, time.monotonic()
        if touched == 0 or _is_gone(file):
            return False
        key, last, since = self._seen.get(name, (-1, 0.0, 0.0))
        if key != number or last != touched:
            self._seen[name] = (number, touched, now)
            return True
        return now - since < self.patience


def _holder() -> str:
    """Who this process is, for the lease."""
    pid = os.getpid()
    return json.dumps({"machine": _machine(), "pid": pid, "started": _started(pid), **_job()})


def _is_gone(file: Path) -> bool:
    """Whether the holder is known to have ended, so that there is no need to wait.

    It was a process of this machine that is no more, or an earlier start of this same Slurm job.
    """
    try:
        holder = read_json(file)
    except ValueError:
        return False  # half-written, on a file system without hard links
    if not isinstance(holder, dict):
        return False  # nobody's: it is left alone until nothing has touched it for a while
    mine, restart, pid = _job(), holder.get("restart"), holder.get("pid")
    same_job = bool(mine) and mine["job"] == holder.get("job") and isinstance(restart, int)
    if same_job and mine["restart"] > restart:
        return True
    started = holder.get("started")
    if holder.get("machine") != _machine() or started is None or type(pid) is not int:
        return False
    return _started(pid) != started


def _job() -> dict[str, Any]:
    """The Slurm job of this process, and how often it was started again."""
    job = os.environ.get("SLURM_JOB_ID")
    if job is None:
        return {}
    return {"job": job, "restart": int(os.environ.get("SLURM_RESTART_COUNT") or 0)}


def _machine() -> str:
    """This machine and its process numbers: containers of one host may each have their own."""
    try:
        return f"{socket.gethostname()} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return socket.gethostname()


def _started(pid: int) -> str | None:
    """When a process started, so that a later one with its number is not taken for it."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stream:
            return stream.read().rpartition(")")[2].split()[19]
    except OSError:
        return None
