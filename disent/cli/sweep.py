# SPDX-License-Identifier: Apache-2.0
"""disent sweep SWEEP: runs a W&B sweep file on this machine, offline."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from disent.launch.sweep.file import Sweep
    from disent.launch.workers.status import Status
    from disent.launch.workers.workers import Workers


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds `sweep` to the commands."""
    parser = commands.add_parser(
        "sweep",
        help="run a W&B sweep file here, offline; any number of processes share the work",
        description="Runs every trial of a W&B sweep file on this machine, without W&B. Start it "
        "in as many places as you like on one folder of runs: each trial is run once. Stop it with "
        "Ctrl-C and start it again: it goes on where it was.",
    )
    add_options(parser)
    parser.add_argument(
        "--fleet",
        action="store_true",
        help="train runs of one network together where that is faster, see disent fleet",
    )
    parser.set_defaults(run=run, fleet_size=None, compile=False)


def add_options(parser: argparse.ArgumentParser) -> None:
    """What all ways to run a sweep here have in common."""
    parser.add_argument("file", metavar="SWEEP", help="name of a sweep, such as beta, or a file")
    parser.add_argument("--workers", type=int, default=1, help="trials to run at once (default: 1)")
    parser.add_argument("--runs", default="runs", help="folder of runs (default: runs)")
    parser.add_argument(
        "--dry-run", action="store_true", help="list the trials and measure what they will cost"
    )
    parser.add_argument(
        "--retry", action="store_true", help="run failed trials again, from their last checkpoint"
    )
    parser.add_argument(
        "--trial",
        metavar="N",
        help="run trial number N only, or those from A-B, counted from 0",
    )
    parser.add_argument(
        "--extra",
        action="append",
        default=[],
        metavar="OPTION",
        help="an option for every run, such as --extra=--logger=wandb; may be repeated",
    )
    parser.add_argument(
        "--patience",
        type=float,
        default=60.0,
        help="seconds without a sign of life after which another process's trial is taken over "
        "(default: 60)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Lists, or drains, the sweep; 1 if a trial failed, 128 + n after signal n."""
    from disent.launch.slurm.ranks import run_as_rank, trains_together
    from disent.launch.sweep.aim import doubts
    from disent.launch.sweep.file import read_sweep
    from disent.launch.workers.workers import Workers
    from disent.shipped import find

    _refuse_again(arguments.extra)
    sweep, only = read_sweep(find(arguments.file, "sweep")), _numbers(arguments.trial)
    together = trains_together(only, os.environ)
    workers = Workers(
        sweep,
        Path(arguments.runs),
        arguments.workers,
        only=only,
        patience=arguments.patience,
        extra=arguments.extra,
        together=together,
    )
    workers.study.check(keep=not arguments.dry_run)
    for doubt in doubts(sweep, arguments.extra):
        print(f"note: {doubt}", flush=True)
    if arguments.dry_run:
        return _plan(sweep, workers, arguments)
    if together and os.environ["SLURM_PROCID"] != "0":
        return run_as_rank(workers, retry=arguments.retry)
    if arguments.retry:
        for name in workers.study.retry():
            print(f"again: {name}")
    if arguments.fleet and not together:
        _train_together(workers, arguments)
    return _drain(workers, arguments)


def _train_together(workers: "Workers", arguments: argparse.Namespace) -> None:
    """Trains in fleets what can be; what is left of each run is for the workers."""
    from disent.fleet.sweep import Fleets

    arguments.stop.listen()
    Fleets(workers, arguments.fleet_size, arguments.stop, arguments.compile).train()


def _drain(workers: "Workers", arguments: argparse.Namespace) -> int:
    """Runs what is left by `disent fit`, one process a trial."""
    from disent.launch.slurm.requeue import ASKED, requeue
    from disent.launch.workers.progress import Board, counts

    name, stop = workers.sweep.name, arguments.stop
    if stop.signum not in (0, ASKED):  # one that came while a fleet was trained
        print("interrupted; the same command goes on from here")
        return 128 + stop.signum
    with Board(name, arguments.runs, arguments.workers) as board:
        status = workers.run(board.show, asked=lambda: stop.signum)
    print(f"{name}: {counts(status)}. Runs: {arguments.runs}", flush=True)
    _list_failures(status, workers)
    if without := workers.study.without_metric(status.finished):
        print(f"note: {without}")
    if workers.requeueing and not status.is_done:
        print("saved, to be started again", flush=True)
        return requeue()
    if workers.stopping:
        print("interrupted; the same command goes on from here")
        return 128 + workers.stopping
    return min(len(status.failed), 1)


def _numbers(given: str | None) -> Sequence[int] | None:
    """The numbers that --trial names: N or A-B."""
    if given is None:
        return None
    first, _, last = given.partition("-")
    if not first.isdecimal() or not (last or "0").isdecimal() or int(last or first) < int(first):
        raise ValueError(f"--trial is {given!r}, but a number from 0 on, or A-B, is wanted.")
    return range(int(first), int(last or first) + 1)


def _refuse_again(extra: Sequence[str]) -> None:
    if any(option.split("=")[0] == "--again" for option in extra):
        raise ValueError(
            "--extra is --again, but a trial that is resumed would start from zero each time. To "
            "run the sweep anew, give it another name: in its file, or another folder: --runs."
        )


def _list_failures(status: "Status", workers: "Workers") -> None:
    for name, reason in status.failed.items():
        print(f"failed: {name}: {reason}")
        print(f"        log: {workers.study.notes / 'logs' / name}.log")
    if status.failed:
        print("Run them again, from their last checkpoints, with --retry.")


def _plan(sweep: "Sweep", workers: "Workers", arguments: argparse.Namespace) -> int:
    """Prints the trials, then their number and cost."""
    from disent.launch.sweep.trials import draw_arguments, local_command, make_trial
    from disent.launch.workers.calibrate import seconds_of_a_run
    from disent.launch.workers.processes import cores
    from disent.launch.workers.progress import duration

    if sweep.method == "bayes":
        print("each trial is chosen by the results before it; the first might be:")
        trials = [make_trial(sweep, 0, draw_arguments(sweep, 0))]
        count = len(workers.study.trials()) + workers.study.to_come()
    else:
        trials = workers.study.trials()
        count = len(trials)
    for trial in trials:
        given = " ".join(f"--{name}={value}" for name, value in trial.arguments.items())
        print(f"{trial.index:4d}  {trial.name}  {given}")
    first, extra = trials[0], arguments.extra
    command = local_command(sweep, first, arguments.runs, extra)
    print(f"{count} trials. The first: {' '.join(command)}")
    print("measuring two short runs ...", flush=True)
    seconds, steps = seconds_of_a_run(sweep, first, arguments.workers, extra)
    total = seconds * count / arguments.workers
    print(
        f"about {duration(seconds)} of training a trial ({steps:,} steps), so about "
        f"{duration(total)} for {count} trials with --workers {arguments.workers} "
        f"on {cores()} cores; scores and pictures at the end of each are not counted"
    )
    return 0
