# SPDX-License-Identifier: Apache-2.0
"""Runs as processes: each with its share of the machine, none outliving its worker."""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from disent.launch.slurm.requeue import SUPERVISED

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
ERROR = "disent: error: "  # how `disent fit` begins its last words
BUSY = 75  # exit status of `disent fit` when another process has the run (EX_TEMPFAIL)


class Process:
    """A run as a process, in a session of its own: Ctrl-C reaches it through its worker only.

    Args:
        command: What to start.
        environment: Its environment.
        log: Its output is appended to this file.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self.log, self.started, self.asked_to_stop = log, time.monotonic(), ""
        with log.open("ab") as stream:
            self.process = subprocess.Popen(
                command,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_prepare,
            )

    @property
    def status(self) -> int | None:
        """The exit status; 128 + n after signal n; None while it runs."""
        status = self.process.poll()
        return 128 - status if status is not None and status < 0 else status

    @property
    def seconds(self) -> float:
        """Since it was started."""
        return time.monotonic() - self.started

    def stop(self, why: str) -> None:
        """Asks it once to save itself and end."""
        if not self.asked_to_stop:
            self.asked_to_stop = why
            self.signal(signal.SIGTERM)

    def signal(self, signum: int) -> None:
        """Sends a signal, if it still runs."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signum)

    def last_words(self) -> str:
        """The error that it ended with, whole, in one line; of others' programs the last line."""
        with self.log.open("rb") as stream:
            stream.seek(max(0, self.log.stat().st_size - 4096))
            text = stream.read().decode("utf-8", "replace").strip()
        start = text.rfind(ERROR)
        lines = (text if start < 0 else text[start:]).splitlines()
        return " ".join(line.strip() for line in (lines[-1:] if start < 0 else lines))


def environment_of(
    slot: int, slots: int, gpus: Sequence[str], together: bool = False
) -> dict[str, str]:
    """The environment of the runs in one of several slots: its share of cores, and its GPU.

    A run that other Slurm tasks take part in sees Slurm's variables, and all GPUs; any other sees
    none of Slurm's, or it would wait for tasks that have runs of their own.
    """
    environment = dict(os.environ) | {SUPERVISED: "1"}
    share = environment.get(THREADS[0], str(max(1, cores() // slots)))
    for name in THREADS:  # one that is set alone is meant for all, as in a command by hand
        environment.setdefault(name, share)
    if together:
        return environment
    if gpus:
        environment["CUDA_VISIBLE_DEVICES"] = gpus[slot % len(gpus)]
    return {k: v for k, v in environment.items() if not k.startswith(("SLURM_", "PMI"))}


def cores() -> int:
    """Processor cores that this process may use."""
    here = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        here = len(os.sched_getaffinity(0))
    return min(here, int(os.environ.get("SLURM_CPUS_PER_TASK") or here))


def visible_gpus() -> list[str]:
    """The GPUs that runs may use: those of CUDA_VISIBLE_DEVICES, else all that nvidia-smi lists."""
    if "CUDA_VISIBLE_DEVICES" in os.environ:
        listed = os.environ["CUDA_VISIBLE_DEVICES"].split(",")
        return [name.strip() for name in listed if name.strip() not in ("", "-1", "NoDevFiles")]
    if shutil.which("nvidia-smi") is None:
        return []
    found = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False)
    gpus = [line for line in found.stdout.splitlines() if line.startswith("GPU ")]
    return [str(i) for i in range(len(gpus))]


def _prepare() -> None:
    """In the new process, before it becomes the run.

    SIGUSR1 is ignored until the run answers it: else one in its first moments would kill it. Linux:
    SIGTERM, to which a run answers by saving itself, when the worker is gone.
    """
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(1, signal.SIGTERM, 0, 0, 0)  # 1: PR_SET_PDEATHSIG
