# SPDX-License-Identifier: Apache-2.0
"""Slurm tasks that train one run together: the first leads it, the others take part."""

import os
import time
from collections.abc import Mapping, Sequence

from disent.launch.sweep.trials import local_command
from disent.launch.workers.workers import Workers

PATIENCE = 600.0  # seconds for the first task to choose the trial, where it goes by results


def trains_together(only: Sequence[int] | None, environment: Mapping[str, str]) -> bool:
    """Whether the tasks of this Slurm step share one run: they were given one trial.

    Without --trial each task is a worker of its own, and drains the sweep beside the others.

    Example:
        >>> step = {"SLURM_STEP_NUM_TASKS": "2"}
        >>> trains_together([3], step), trains_together(None, step), trains_together([3], {})
        (True, False, False)
    """
    tasks = int(environment.get("SLURM_STEP_NUM_TASKS") or 1)
    return tasks > 1 and only is not None and len(only) == 1


def run_as_rank(workers: Workers, *, retry: bool = False) -> int:
    """Becomes the run of the one trial that was asked for; returns if that has ended.

    Args:
        workers: Whose trial it is.
        retry: Whether the first task runs the trial again if it has failed.
    """
    assert workers.study.only
    number, end = workers.study.only[0], time.monotonic() + PATIENCE
    while len(trials := workers.planner.trials()) <= number:
        if time.monotonic() > end:
            raise ValueError(f"the first task of this step has not chosen trial {number}.")
        time.sleep(1)
    state = workers.outcomes.read(trials[number].name).state
    if state == "waiting" or (retry and state == "failed"):
        words = local_command(workers.sweep, trials[number], str(workers.runs), workers.extra)
        os.execv(words[0], words)
    return 0  # the first task leaves as well: who became the run would wait for it forever
