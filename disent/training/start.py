# SPDX-License-Identifier: Apache-2.0
"""From the arguments of `disent fit` to a run: finds its folder, and starts it or goes on."""

import logging
import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

from disent.config.compare import changes, is_finished
from disent.config.fit import FitConfig
from disent.config.naming import options_of, run_name
from disent.config.provenance import write_config
from disent.memory import keep_freed_memory
from disent.runs.directory import RunDir
from disent.runs.run import Run
from disent.stops import StopRequest
from disent.training.initial import start_from
from disent.training.precision import choose_arithmetic, keep_arithmetic
from disent.training.run import RANK, train
from disent.training.trainer import check_trainer


def fit(argv: Sequence[str], stop: StopRequest) -> None:
    """Parses the arguments, finds the run's folder, and trains.

    Raises:
        ValueError: An option is wrong, or the folder holds a run with other settings.
        InterruptedRunError: A signal came.
    """
    prepare_process()
    check_tasks(os.environ)
    config = read(argv)
    folder = RunDir(_place(config, argv))
    keep_arithmetic(config, folder)
    config.again = again = config.again and not _is_restarted()
    written = {**config.dump(), "again": again}
    if is_finished(folder, written) and not again:
        print(
            f"{folder.path} is finished, so nothing is done. To train it again from scratch, "
            "add --again true; to score it again: disent evaluate."
        )
        return
    if folder.last.exists() and not again:
        Run(folder, {}).step()  # a damaged checkpoint is said before anything is written
    built = config.build()  # before anything is written: bad values leave nothing behind
    check_trainer(built.trainer, config.trainer_defaults())
    origins = {}
    if config.init_from and (again or not folder.last.exists()):
        origins["init_from"] = start_from(built.model, config.init_from)
    if RANK:
        train(config, built, folder, stop)
        return
    with folder.lock():
        if again:
            _set_aside(folder)
        write_config(folder, written, argv, **origins)
        train(config, built, folder, stop)


def _place(config: FitConfig, argv: Sequence[str]) -> Path:
    """Where the run lies.

    A run that is named by its config.yaml goes on where that lies, wherever it was moved; with
    options that make it another run, it is a new one with a name of its own.
    """
    given = options_of(argv)
    files = [Path(value) for option, value in given if option in ("config", "c")]
    named = any(option in ("run", "runs") for option, _ in given)
    home = RunDir(files[-1].parent) if files and not named else None
    if home is None or files[-1].name != home.config.name or not home.status():
        return Path(config.runs) / (config.run or run_name(argv, config.dump()))
    if changes(home, config.dump()):
        return Path(config.runs) / run_name(argv, config.dump())
    return home.path


def prepare_process() -> None:
    """Memory, and what Lightning says, as every training wants them."""
    keep_freed_memory()
    for package in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(package).setLevel(logging.WARNING)
    # Lightning's own use of torch: no news to a user
    warnings.filterwarnings("ignore", ".*isinstance.treespec, LeafSpec", FutureWarning)
    warnings.filterwarnings("ignore", "The `srun` command is available")  # sweeps need none


def check_tasks(environment: Mapping[str, str]) -> None:
    """Raises ValueError where a Slurm job's tasks cannot train one run together, as they stand.

    Lightning shares a run out by the tasks of each node, and takes every task for one of them.

    Example:
        >>> check_tasks({"SLURM_NTASKS": "2", "SLURM_NTASKS_PER_NODE": "2"})
    """
    tasks = environment.get("SLURM_NTASKS", "1")
    shells = environment.get("SLURM_JOB_NAME") in ("bash", "interactive")  # none is a task there
    if tasks == "1" or shells or "SLURM_NTASKS_PER_NODE" in environment:
        return
    raise ValueError(
        f"this Slurm job has --ntasks={tasks}, of which nobody knows how many a node has. Write "
        f"--ntasks-per-node={tasks} in its script, with --trainer.devices {tasks}, for one run on "
        "all of them; or --ntasks=1 for one process."
    )


def read(argv: Sequence[str]) -> FitConfig:
    """The parsed arguments, completed, with the precisions that they come to here."""
    config = FitConfig.read(argv)
    choose_arithmetic(config)
    return config


def _is_restarted() -> bool:
    """Whether Slurm has started this job again: its first start has set the old run aside."""
    return int(os.environ.get("SLURM_RESTART_COUNT") or 0) > 0


def _set_aside(folder: RunDir) -> None:
    """Moves what a run has written into NAME.1, NAME.2 ...; its lock stays."""
    n = 1
    while (aside := folder.path.with_name(f"{folder.path.name}.{n}")).exists():
        n += 1
    kept = [entry for entry in folder.path.iterdir() if entry.name != ".lock"]
    if kept:
        aside.mkdir()
    for entry in kept:
        entry.rename(aside / entry.name)
