# SPDX-License-Identifier: Apache-2.0
"""Starts a Slurm job again after a signal: Slurm is asked, or the exit status says so."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping

ASKED = signal.SIGUSR1  # the signal that asks a command to save itself and be started again
REQUEUE = 85  # exit status of a command that has saved itself and wants to be started again
SUPERVISED = "DISENT_SUPERVISED"  # set for runs whose worker asks for the requeue


def requeue() -> int:
    """Requeues the Slurm job of this process; returns the exit status to end with.

    0 where Slurm has taken the order. Where it could not be given (no Slurm, no scontrol as in many
    containers, a refusal), or is somebody else's to give, 85: scripts of disent answer it by
    `scontrol requeue`.
    """
    job = job_name(os.environ)
    if job is None or SUPERVISED in os.environ or shutil.which("scontrol") is None:
        return REQUEUE
    try:
        done = subprocess.run(
            ["scontrol", "requeue", job], capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"disent: scontrol requeue {job}: {error}", file=sys.stderr)
        return REQUEUE
    if done.returncode:  # such as: preempted, so that Slurm has requeued it already
        print(f"disent: scontrol requeue {job}: {done.stderr.strip()}", file=sys.stderr)
        return REQUEUE
    return 0


def answer(signum: int, rank: int = 0) -> int:
    """The exit status after a signal; where it asks for a requeue, rank 0 passes that on.

    Example:
        >>> answer(15), answer(10, rank=3)
        (143, 0)
    """
    if signum != ASKED:
        return 128 + signum
    return requeue() if rank == 0 else 0


def job_name(environment: Mapping[str, str]) -> str | None:
    """The job's name for scontrol: 12, or 12_3 for an element of an array; None outside Slurm.

    Example:
        >>> job_name({"SLURM_JOB_ID": "14", "SLURM_ARRAY_JOB_ID": "12", "SLURM_ARRAY_TASK_ID": "3"})
        '12_3'
    """
    array, task = environment.get("SLURM_ARRAY_JOB_ID"), environment.get("SLURM_ARRAY_TASK_ID")
    return f"{array}_{task}" if array and task else environment.get("SLURM_JOB_ID")
