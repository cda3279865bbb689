# SPDX-License-Identifier: Apache-2.0
"""Trains, scores and draws one run, and leaves a true status whatever happens."""

import copy
import os
import sys
from typing import Any

import pandas as pd
from jsonargparse import Namespace
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.utilities import rank_zero_only

from disent.callbacks.evaluate import Evaluate
from disent.callbacks.guard import Guard
from disent.callbacks.pictures import Pictures
from disent.callbacks.progress import Progress
from disent.callbacks.record import Record
from disent.callbacks.wandb_log import WandbLog
from disent.training.precision import describe
from disent.report.terminal import print_scores
from disent.codes import CodeTable
from disent.data.load import load_dataset
from disent.evaluation import Options, encode_together, evaluate_run
from disent.launch.slurm.requeue import answer
from disent.models import load_run
from disent.latents.pictures import draw_pictures, save_pictures
from disent.runs.directory import RunDir
from disent.runs.stops import REQUEUE, InterruptedRunError, StopRequest

RANK = int(getattr(rank_zero_only, "rank", None) or 0)


def train(config: Namespace, made: Namespace, folder: RunDir, stop: StopRequest) -> int:
    """Trains, scores, draws; the status says at every moment what happens."""
    log = _wandb_log(config, folder)
    try:
        stop.check()
        if not RANK:
            folder.write_status("running", reason="starting")
            print(f"run: {folder.path}", flush=True)
            if config.fast:
                print(describe(config, made.loader.burst), flush=True)
        trainer = _fit(config, made, folder, stop, log)
        stop.check()
        table = _encode(config, made, trainer)
        if trainer.is_global_zero:
            _tell(config, folder, trainer, log, table)
            log.close()
            folder.write_status("finished", step=trainer.global_step, max_steps=trainer.max_steps)
    except InterruptedRunError as error:
        if not RANK:
            folder.write_status(error.state, reason=str(error))
            print(f"disent: {error}", file=sys.stderr)
            # quickly: what the next start makes anyway is not uploaded within the time that is left
            log.close(0 if error.signum == REQUEUE else 1, done=False)
        return answer(error.signum, RANK)
    except BaseException as error:
        if not RANK:
            reason = f"{type(error).__name__}: {error}".strip(": ")
            if not (isinstance(error, SystemExit) and stop.signum):  # a second Ctrl-C: Record told
                folder.write_status("failed", reason=reason)
            log.close(1, done=False)
        raise
    return 0


def options_of(config: Namespace, points: int | None = None) -> Options:
    """Which scores, as the config asks for them."""
    asked = config.evaluate
    return Options(asked.metrics, asked.codes, 0, asked.repeats, points, asked.precision)


def _wandb_log(config: Namespace, folder: RunDir) -> WandbLog:
    written = folder.read_config() if not RANK else {}
    return WandbLog(folder, written, **config.wandb)


def _fit(
    config: Namespace, made: Namespace, folder: RunDir, stop: StopRequest, log: WandbLog
) -> Trainer:
    """Trains, from the last checkpoint where there is one."""
    options = dict(made["trainer"])
    options["callbacks"] = _callbacks(config, made, folder, stop, log)
    trainer = make_trainer(options)
    resume = folder.last if folder.last.exists() else None
    trainer.fit(made["model"], datamodule=made.loader, ckpt_path=resume, weights_only=True)
    return trainer


def make_trainer(options: dict[str, Any]) -> Trainer:
    """A trainer that leaves signals and requeueing to the run, see disent.runs.stops."""
    if SLURMEnvironment.detect():
        slurm = SLURMEnvironment(auto_requeue=False)
        options = {**options, "plugins": [slurm, *_listed(options["plugins"])]}
    return leave_signals(Trainer(**options))


def leave_signals(trainer: Trainer) -> Trainer:
    """Keeps Lightning from handling signals: its handler may end the process at any moment."""
    trainer._signal_connector.register_signal_handlers = lambda: None
    return trainer


def _callbacks(
    config: Namespace, made: Namespace, folder: RunDir, stop: StopRequest, log: WandbLog
) -> list[Callback]:
    """What watches the training. The order matters at a step that is saved.

    First the guard: what it stops is not saved. Then all who note the step, and only then Record
    saves: what is killed in between comes again, with its rows. Pictures show the rows that Record
    has written.
    """
    dataset, model = made["data"], made["model"]
    callbacks: list[Callback] = [Guard()]
    if config.logger == "wandb" or (config.logger is None and "WANDB_SWEEP_ID" in os.environ):
        callbacks.append(log)
    if config.trainer.enable_progress_bar is not False:
        callbacks.append(Progress())
    if every := config.evaluate.every_n_steps:
        options, untrained = options_of(config, points=config.evaluate.points), copy.deepcopy(model)
        scores = Evaluate(folder, dataset, untrained, every, options, log.show_scores)
        callbacks.append(scores)
    callbacks += _listed(made["trainer"]["callbacks"])
    callbacks.append(Record(folder, config.checkpoint_every_n_steps, stop))
    if config.pictures.every_n_steps:
        every = config.pictures.every_n_steps
        callbacks.append(Pictures(folder, dataset, every, log.show_pictures))
    return callbacks


def _encode(config: Namespace, made: Namespace, trainer: Trainer) -> CodeTable | None:
    """The codes, by all ranks together; None for one process, which encodes when it scores."""
    if trainer.world_size == 1 or not config.evaluate.at_end:
        return None
    model = made["model"].to(trainer.strategy.root_device)
    return encode_together(model, made["data"], options_of(config))


def _tell(
    config: Namespace, folder: RunDir, trainer: Trainer, log: WandbLog, table: CodeTable | None
) -> None:
    """Scores and draws the trained model, and prints where everything lies."""
    device = trainer.strategy.root_device.type
    if config.evaluate.at_end:
        record, table = evaluate_run(folder.path, options_of(config), device=device, table=table)
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


def _listed(parts: Any) -> list[Any]:
    if parts is None:
        return []
    return list(parts) if isinstance(parts, list | tuple) else [parts]
