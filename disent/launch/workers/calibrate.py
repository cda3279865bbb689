# SPDX-License-Identifier: Apache-2.0
"""What a sweep will cost: two short runs of its first trial, measured."""

import subprocess
import tempfile
import time
from collections.abc import Sequence

import yaml

from disent.launch.sweep.file import Sweep
from disent.launch.sweep.trials import Trial, local_command
from disent.launch.workers.processes import environment_of, visible_gpus

SHORT, LONG = 20, 120  # steps of the two runs
QUICK = ("--evaluate.at_end=false", "--pictures.at_end=false", "--evaluate.every_n_steps=0")
QUICK += ("--again=true",)


def seconds_of_a_run(
    sweep: Sweep, trial: Trial, slots: int, extra: Sequence[str] = ()
) -> tuple[float, int]:
    """Seconds that training takes in one of several slots, start included; and its steps.

    Measured alone, so that runs side by side may take somewhat longer; scores and pictures at the
    end are not counted.

    Raises:
        ValueError: The trial cannot be run; the message is what the run said.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = local_command(sweep, trial, folder, extra)
        said, _ = _timed([*command, "--print_config"], trial, slots)
        steps = int(yaml.safe_load(said)["trainer"]["max_steps"])
        times = [
            _timed([*command, *QUICK, f"--trainer.max_steps={n}"], trial, slots)[1]
            for n in (SHORT, LONG)
        ]
    each = max(times[1] - times[0], 0.0) / (LONG - SHORT)
    return max(times[0] - each * SHORT, 0.0) + each * steps, steps


def _timed(command: Sequence[str], trial: Trial, slots: int) -> tuple[str, float]:
    """What a command says, and the seconds that it takes."""
    start = time.perf_counter()
    done = subprocess.run(
        command,
        env=environment_of(0, slots, visible_gpus()) | {"WANDB_MODE": "disabled"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines() or ["it said nothing"]
        raise ValueError(f"{trial.name} cannot be run: {said[-1]}")
    return done.stdout, time.perf_counter() - start
