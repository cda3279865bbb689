# SPDX-License-Identifier: Apache-2.0
"""One run from its config to "finished": trains, scores, draws; its status is true throughout."""

import copy
import os
import warnings
from typing import Any, cast

from lightning.pytorch import Callback, Trainer
from lightning.pytorch.callbacks import Timer
from lightning.pytorch.utilities import rank_zero_only

from disent.callbacks.evaluate import Evaluate
from disent.callbacks.guard import Guard
from disent.callbacks.pictures import Pictures
from disent.callbacks.progress import Progress
from disent.callbacks.record import Record
from disent.callbacks.wandb_log import WandbLog
from disent.codes import CodeTable
from disent.config.fit import Built, FitConfig
from disent.evaluation import encode_together, evaluate_run
from disent.runs.directory import RunDir
from disent.runs.own_code import keep_traceback, place_of, what
from disent.runs.run import Run
from disent.stops import REQUEUE, InterruptedRunError, StopRequest
from disent.training.engine import steps_at_once, take_steps
from disent.training.precision import describe
from disent.training.trainer import listed, make_trainer

RANK = int(getattr(rank_zero_only, "rank", None) or 0)


def train(config: FitConfig, built: Built, folder: RunDir, stop: StopRequest) -> None:
    """Trains, scores, draws; the status says at every moment what happens.

    Raises:
        InterruptedRunError: A signal came; the run is saved, and says so in its status.
    """
    options = take_steps(config, built)
    log = _wandb_log(config, folder)
    try:
        stop.check()
        if not RANK:
            reached = folder.status().get("step") if folder.last.exists() else None
            folder.write_status("running", reason="starting")
            folder.traceback.unlink(missing_ok=True)
            print(f"run: {folder.path}", flush=True)
            if reached:
                print(f"goes on from step {reached:,} of {config.trainer['max_steps']:,}")
            if config.fast:
                print(describe(config, steps_at_once(built)), flush=True)
        trainer = _fit(config, built, options, folder, stop, log)
        stop.check()
        if reason := _ran_out(trainer):
            if trainer.is_global_zero:
                log.close(done=False)
                folder.write_status("stopped", reason=reason, step=trainer.global_step)
                print(f"{reason}; disent evaluate {folder.path} scores it as it is")
            return
        table = _encode(config, built, trainer)
        if trainer.is_global_zero:
            _tell(config, folder, trainer, log, table)
            log.close()
            folder.write_status("finished", step=trainer.global_step, max_steps=trainer.max_steps)
    except InterruptedRunError as error:
        if not RANK:
            folder.write_status(error.state, reason=str(error))
            # quickly: what the next start makes anyway is not uploaded within the time that is left
            log.close(0 if error.signum == REQUEUE else 1, done=False)
        raise
    except BaseException as error:
        if not RANK:
            keep_traceback(error, folder.traceback)
            reason = what(error)
            if place := place_of(error):
                reason += f" ({place})"
            if not (isinstance(error, SystemExit) and stop.signum):  # a second Ctrl-C: Record told
                folder.write_status("failed", reason=reason)
            log.close(1, done=False)
        raise


def _wandb_log(config: FitConfig, folder: RunDir) -> WandbLog:
    written = folder.read_config() if not RANK else {}
    return WandbLog(folder, written, **vars(config.wandb))


def _fit(
    config: FitConfig,
    built: Built,
    options: dict[str, Any],
    folder: RunDir,
    stop: StopRequest,
    log: WandbLog,
) -> Trainer:
    """Trains, from the last checkpoint where there is one."""
    callbacks = _callbacks(config, built, folder, stop, log)
    trainer = make_trainer({**options, "callbacks": callbacks})
    resume = folder.last if folder.last.exists() else None
    trainer.fit(built.model, datamodule=built.loader, ckpt_path=resume, weights_only=True)
    return trainer


def _ran_out(trainer: Trainer) -> str:
    """What to say of a training that --trainer.max_time ended; empty for any other."""
    timers = [c for c in cast(Any, trainer).callbacks if isinstance(c, Timer)]
    over = any((left := timer.time_remaining()) is not None and left <= 0 for timer in timers)
    if not over or trainer.global_step >= trainer.max_steps:
        return ""
    return (
        f"stopped by --trainer.max_time at step {trainer.global_step:,} of {trainer.max_steps:,}; "
        "the same command with more time goes on"
    )


def _callbacks(
    config: FitConfig, built: Built, folder: RunDir, stop: StopRequest, log: WandbLog
) -> list[Callback]:
    """What watches the training. The order matters at a step that is saved.

    First the guard: what it stops is not saved. Then all who note the step, and only then Record
    saves: what is killed in between comes again, with its rows. Pictures show the rows that Record
    has written.
    """
    callbacks: list[Callback] = [Guard()]
    if config.logger == "wandb" or (config.logger is None and "WANDB_SWEEP_ID" in os.environ):
        callbacks.append(log)
    if config.trainer["enable_progress_bar"] is not False:
        callbacks.append(Progress())
    if every := config.evaluate.every_n_steps:
        scores, untrained = (
            config.evaluate.options(config.evaluate.points),
            copy.deepcopy(built.model),
        )
        callbacks.append(Evaluate(folder, built.dataset, untrained, every, scores, log.show_scores))
    if every := config.pictures.film_every_n_steps:
        from disent.callbacks.film import KeepFrames  # loads what draws

        callbacks.append(KeepFrames(folder, built.dataset, every))
    callbacks += listed(built.trainer["callbacks"])
    callbacks.append(Record(folder, config.checkpoint_every_n_steps, stop))
    if every := config.pictures.every_n_steps:
        callbacks.append(Pictures(folder, built.dataset, every, log.show_pictures))
    return callbacks


def _encode(config: FitConfig, built: Built, trainer: Trainer) -> CodeTable | None:
    """The codes, by all ranks together; None for one process, which encodes when it scores."""
    if trainer.world_size == 1 or not config.evaluate.at_end:
        return None
    model = built.model.to(trainer.strategy.root_device)
    return encode_together(model, built.dataset, config.evaluate.options())


def _tell(
    config: FitConfig, folder: RunDir, trainer: Trainer, log: WandbLog, table: CodeTable | None
) -> None:
    """Scores and draws the trained model, and prints where everything lies.

    What this takes is loaded here: the first step of a training need not wait for it.
    """
    device = trainer.strategy.root_device.type
    if config.evaluate.at_end:
        from disent.report.terminal import print_scores

        options = config.evaluate.options()
        record, table = evaluate_run(folder.path, options, device=device, table=table)
        print_scores(folder.path, record)
        log.show_scores(record)
    if config.pictures.at_end:
        from disent.latents.pictures import draw_pictures, save_pictures
        from disent.runs.histories import read_log

        metrics = read_log(folder.metrics)
        run = Run.load(folder.path)
        drawn = draw_pictures(run.model().to(device), run.dataset(), table=table, metrics=metrics)
        log.show_pictures(save_pictures(drawn, folder.figures))
    if any(folder.film.glob("*.png")):
        from disent.latents.film import film_of
        from disent.latents.pictures import save_pictures

        try:
            film = film_of(folder.film)
        except (OSError, ValueError) as error:
            warnings.warn(f"the film was not drawn: {error}", stacklevel=2)
        else:
            log.show_pictures(save_pictures({"traversals_film": film}, folder.figures))
    print(f"run directory: {folder.path}")
    for picture in sorted([*folder.figures.glob("*.png"), *folder.figures.glob("*.gif")]):
        print(f"  {picture}")
