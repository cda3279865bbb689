# SPDX-License-Identifier: Apache-2.0
"""disent fit: trains one model into one run directory, or goes on where it was interrupted."""

import logging
import os
import pydoc
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import yaml
from jsonargparse import Namespace

from disent.training.precision import choose_arithmetic, keep_arithmetic, set_bursts
from disent.config.mistakes import explain
from disent.config.naming import differences, provenance, run_name
from disent.config.parser import FitCLI
from disent.config.presets import resolve_presets
from disent.training.run import RANK, options_of, train
from disent.data import FactorDataModule
from disent.data.base import FactorDataset
from disent.memory import keep_freed_memory
from disent.runs.directory import RunDir
from disent.runs.stops import StopRequest

COMPARED = ("model", "data", "loader", "trainer", "seed_everything", "fast")
PLACES = ("accelerator", "devices", "num_nodes", "strategy", "plugins")  # where, not what


def run(argv: Sequence[str], stop: StopRequest) -> int:
    """Parses the arguments, finds the run's folder, and trains; returns the exit status."""
    prepare_process()
    cli, config = read_config(argv)
    folder = RunDir(Path(config["runs"]) / (config["run"] or run_name(argv, config)))
    if keep_arithmetic(cli.config, folder):
        config = _dump(cli)
    config["again"] = again = config["again"] and not _is_restarted()
    if is_finished(folder, config) and not again:
        print(
            f"{folder.path} is finished, so nothing is done. To train it again from scratch, "
            "add --again true; to score it again: disent evaluate."
        )
        return 0
    made = _build(cli)  # before anything is written: bad values leave nothing behind
    if RANK:
        return train(cli.config, made, folder, stop)
    with folder.lock():
        if again:
            _set_aside(folder)
        write_config(folder, config, argv)
        return train(cli.config, made, folder, stop)


def prepare_process() -> None:
    """Memory, and what Lightning says, as every training wants them."""
    keep_freed_memory()
    for package in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(package).setLevel(logging.WARNING)
    # Lightning's own use of torch: no news to a user
    warnings.filterwarnings("ignore", ".*isinstance.treespec, LeafSpec", FutureWarning)
    warnings.filterwarnings("ignore", "The `srun` command is available")  # sweeps need none


def read_config(argv: Sequence[str]) -> tuple[FitCLI, dict[str, Any]]:
    """The parsed arguments, completed, and the same as it is written into the run directory."""
    cli = FitCLI(resolve_presets(argv))
    complete(cli.config)
    options_of(cli.config)  # a score that does not exist is said now, not after the training
    return cli, _dump(cli)


def _dump(cli: FitCLI) -> dict[str, Any]:
    return yaml.safe_load(cli.parser.dump(cli.config, skip_unset=False))


def write_config(folder: RunDir, config: Mapping[str, Any], argv: Sequence[str]) -> None:
    """Writes config.yaml."""
    config = {**config, "config": None, "again": False, "provenance": provenance(argv)}
    folder.write_text(folder.config, yaml.safe_dump(config, sort_keys=False))


def complete(config: Namespace) -> None:
    """Gives the model the seed and the colour channels of its surroundings; lists the scores."""
    data = cast(type[FactorDataset], pydoc.locate(config.data.class_path))
    config.model.init_args.seed = config.seed_everything
    config.model.init_args.channels = data.channels
    if isinstance(config.evaluate.metrics, str):
        config.evaluate.metrics = [name.strip() for name in config.evaluate.metrics.split(",")]
    if config.trainer.max_steps < 1:
        raise ValueError(
            "the number of steps is not said. Take a preset (--config quickstart), "
            "or add --trainer.max_steps 10000."
        )
    choose_arithmetic(config)


def _is_restarted() -> bool:
    """Whether Slurm has started this job again: its first start has set the old run aside."""
    return int(os.environ.get("SLURM_RESTART_COUNT") or 0) > 0


def is_finished(folder: RunDir, config: dict[str, Any]) -> bool:
    """Whether the run is done; raises ValueError if the folder holds a run with other settings."""
    if folder.config.exists() and not config["again"]:
        old = folder.read_config()
        changed = differences(_compared(old), _compared(config))
        if changed:
            raise ValueError(
                f"{folder.path} holds a run with other settings: {'; '.join(changed)}. "
                "Name another run with --run, or start this one anew with --again true."
            )
    return folder.status().get("state") == "finished"


def _compared(config: dict[str, Any]) -> dict[str, Any]:
    """What makes a run another run; on how many devices it runs does not."""
    compared = {key: config.get(key) for key in COMPARED}
    compared["fast"] = bool(compared["fast"])  # runs of older versions do not say
    trainer = compared["trainer"] or {}
    return {**compared, "trainer": {k: v for k, v in trainer.items() if k not in PLACES}}


def _build(cli: FitCLI) -> Namespace:
    """Model, dataset, loader and the trainer's parts; a bad value is answered in one line."""
    config = cli.config
    try:
        made = cli.parser.instantiate(config)
    except ValueError as error:
        raise ValueError(explain(str(error), [])) from error
    made.loader = FactorDataModule(made.data, seed=config.seed_everything, **config.loader)
    set_bursts(config, made)
    return made


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
