# SPDX-License-Identifier: Apache-2.0
"""disent fit: trains one model into one run directory, or goes on where it was interrupted."""

import copy
import logging
import os
import pydoc
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pandas as pd
import yaml
from jsonargparse import Namespace
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from lightning.pytorch import Trainer
from lightning.pytorch.utilities import rank_zero_only

from disent.callbacks.evaluate import Evaluate
from disent.callbacks.guard import Guard
from disent.callbacks.pictures import Pictures
from disent.callbacks.progress import Progress
from disent.callbacks.record import Record
from disent.callbacks.wandb_log import WandbLog
from disent.cli.mistakes import explain
from disent.cli.naming import differences, provenance, run_name
from disent.cli.parser import FitCLI
from disent.cli.presets import resolve_presets
from disent.cli.tables import print_scores
from disent.data import FactorDataModule
from disent.data.base import FactorDataset
from disent.data.load import load_dataset
from disent.evaluation import Options, evaluate_run
from disent.launch.requeue import requeue
from disent.memory import keep_freed_memory
from disent.models import load_run
from disent.pictures import draw_pictures, save_pictures
from disent.runs.directory import RunDir
from disent.stops import REQUEUE, InterruptedRunError, StopRequest

RANK = int(getattr(rank_zero_only, "rank", None) or 0)
COMPARED = ("model", "data", "loader", "trainer", "seed_everything")
PLACES = ("accelerator", "devices", "num_nodes", "strategy", "plugins")  # where, not what


def run(argv: Sequence[str], stop: StopRequest) -> int:
    """Parses the arguments, finds the run's folder, and trains; returns the exit status."""
    keep_freed_memory()
    for package in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(package).setLevel(logging.WARNING)
    # Lightning's own use of torch: no news to a user
    warnings.filterwarnings("ignore", ".*isinstance.treespec, LeafSpec", FutureWarning)
    warnings.filterwarnings("ignore", "The `srun` command is available")  # sweeps need none
    cli = FitCLI(resolve_presets(argv))
    complete(cli.config)
    _options(cli.config)  # a score that does not exist is said now, not after the training
    config = yaml.safe_load(cli.parser.dump(cli.config, skip_unset=False))
    folder = RunDir(Path(config["runs"]) / (config["run"] or run_name(argv, config)))
    again = config["again"]
    if _is_finished(folder, config) and not again:
        print(
            f"{folder.path} is finished, so nothing is done. To train it again from scratch, "
            "add --again true; to score it again: disent evaluate."
        )
        return 0
    made = _build(cli)  # before anything is written: bad values leave nothing behind
    if RANK:
        return _train(cli.config, made, folder, stop)
    with folder.lock():
        if again:
            _set_aside(folder)
        config = {**config, "config": None, "again": False, "provenance": provenance(argv)}
        folder.write_text(folder.config, yaml.safe_dump(config, sort_keys=False))
        return _train(cli.config, made, folder, stop)


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


def _is_finished(folder: RunDir, config: dict[str, Any]) -> bool:
    """Whether the run is done; raises ValueError if the folder holds a run with other settings."""
    if folder.config.exists() and not config["again"]:
        old = yaml.safe_load(folder.config.read_text(encoding="utf-8"))
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


def _train(config: Namespace, made: Namespace, folder: RunDir, stop: StopRequest) -> int:
    """Trains, scores, draws; the status says at every moment what happens."""
    log = _wandb_log(config, folder)
    try:
        stop.check()
        if not RANK:
            folder.write_status("running", reason="starting")
            print(f"run: {folder.path}", flush=True)
        trainer = _fit(config, made, folder, stop, log)
        stop.check()
        if trainer.is_global_zero:
            _tell(config, folder, trainer, log)
            folder.write_status("finished", step=trainer.global_step, max_steps=trainer.max_steps)
            log.close()
    except InterruptedRunError as error:
        if not RANK:
            folder.write_status(error.state, reason=str(error))
            log.close(0 if error.signum == REQUEUE else 1)
            print(f"disent: {error}", file=sys.stderr)
        if error.signum == REQUEUE:
            return 0 if RANK else requeue()
        return 128 + error.signum
    except BaseException as error:
        if not RANK:
            reason = f"{type(error).__name__}: {error}".strip(": ")
            folder.write_status("failed", reason=reason)
            log.close(1)
        raise
    return 0


def _wandb_log(config: Namespace, folder: RunDir) -> WandbLog:
    written = yaml.safe_load(folder.config.read_text(encoding="utf-8")) if not RANK else {}
    return WandbLog(folder, written, **config.wandb)


def _fit(
    config: Namespace, made: Namespace, folder: RunDir, stop: StopRequest, log: WandbLog
) -> Trainer:
    """Trains, from the last checkpoint where there is one."""
    dataset, model = made["data"], made["model"]
    # the guard comes first: what it stops is not saved
    callbacks = [Guard(), Record(folder, config.checkpoint_every_n_steps, stop)]
    if config.logger == "wandb" or (config.logger is None and "WANDB_SWEEP_ID" in os.environ):
        callbacks.append(log)
    if config.trainer.enable_progress_bar is not False:
        callbacks.append(Progress())
    if every := config.evaluate.every_n_steps:
        options, untrained = _options(config, points=config.evaluate.points), copy.deepcopy(model)
        scores = Evaluate(folder, dataset, untrained, every, options, log.show_scores)
        callbacks.append(scores)
    if config.pictures.every_n_steps:
        every = config.pictures.every_n_steps
        callbacks.append(Pictures(folder, dataset, every, log.show_pictures))
    options = dict(made["trainer"])
    options["callbacks"] = [*callbacks, *_listed(options["callbacks"])]
    if SLURMEnvironment.detect():  # the run saves and requeues itself, see disent.stops
        slurm = SLURMEnvironment(auto_requeue=False)
        options["plugins"] = [slurm, *_listed(options["plugins"])]
    trainer = Trainer(**options)
    resume = folder.last if folder.last.exists() else None
    trainer.fit(model, datamodule=made.loader, ckpt_path=resume, weights_only=True)
    return trainer


def _tell(config: Namespace, folder: RunDir, trainer: Trainer, log: WandbLog) -> None:
    """Scores and draws the trained model, and prints where everything lies."""
    device, table = trainer.strategy.root_device.type, None
    if config.evaluate.at_end:
        record, table = evaluate_run(folder.path, _options(config), device=device)
        print_scores(folder.path, record)
        log.show_scores(record)
    if config.pictures.at_end:
        metrics = pd.read_csv(folder.metrics) if folder.metrics.exists() else None
        model, dataset = load_run(folder.path).to(device), load_dataset(folder.path)
        drawn = draw_pictures(model, dataset, table=table, metrics=metrics)
        log.show_pictures(save_pictures(drawn, folder.figures))
    print(f"run directory: {folder.path}")
    for picture in sorted(folder.figures.glob("*.png")):
        print(f"  {picture}")


def _options(config: Namespace, points: int | None = None) -> Options:
    asked = config.evaluate
    return Options(asked.metrics, asked.codes, 0, asked.repeats, points, asked.precision)


def _listed(parts: Any) -> list[Any]:
    if parts is None:
        return []
    return list(parts) if isinstance(parts, list | tuple) else [parts]
