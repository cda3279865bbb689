# SPDX-License-Identifier: Apache-2.0
"""disent slurm SWEEP: runs a W&B sweep file as a Slurm job array that survives preemption."""

import argparse
import shlex
import sys
from pathlib import Path


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds `slurm` to the commands."""
    parser = commands.add_parser(
        "slurm",
        help="run a W&B sweep file as a Slurm job array; survives preemption",
        description="Renders one sbatch script, an element of the array for each trial, and "
        "submits it. Runs that meet their time limit or are preempted save themselves and are "
        "requeued. Submitting again runs what is not finished; what has failed only with --retry.",
    )
    parser.add_argument("file", metavar="SWEEP", help="name of a sweep, such as beta, or a file")
    parser.add_argument(
        "--profile", required=True, help="name of a profile, such as gpu, or a file"
    )
    parser.add_argument("--runs", default="runs", help="folder of runs (default: runs)")
    parser.add_argument(
        "--chunk",
        type=int,
        help="trials of an element, in turn (default: 1; with --fleet all of them)",
    )
    parser.add_argument(
        "--fleet",
        action="store_true",
        help="train the trials of an element together where that is faster, see disent fleet",
    )
    parser.add_argument(
        "--retry", action="store_true", help="run failed trials again, from their last checkpoint"
    )
    parser.add_argument("--dry-run", action="store_true", help="print the script, submit nothing")
    parser.add_argument(
        "--program",
        help="what starts disent on the nodes (default: this Python; in a container: disent)",
    )
    parser.add_argument("--template", default="array", help="a file instead of the suite's own")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Prints or submits the script."""
    from disent.launch.slurm.array import find_sbatch, keep, kept_path, render, submit
    from disent.launch.slurm.profile import read_profile
    from disent.launch.sweep.file import read_sweep
    from disent.launch.workers.study import Study
    from disent.shipped import find

    if arguments.chunk is not None and arguments.chunk < 1:
        raise ValueError(f"--chunk is {arguments.chunk}, but a number from 1 on is wanted.")
    template, file = find(arguments.template, "template"), find(arguments.file, "sweep")
    sweep = read_sweep(file)
    profile = read_profile(arguments.profile, template.parent / "profiles")
    runs = Path(arguments.runs).absolute()
    folder = runs / ".sweeps" / sweep.name / "slurm"
    study, kept = Study(sweep, runs), kept_path(file, folder)
    study.check(keep=False)
    script = render(
        template,
        sweep,
        kept,
        profile,
        runs,
        chunk=arguments.chunk,
        fleet=arguments.fleet,
        program=_program(arguments.program, profile.container),
    )
    if arguments.dry_run:
        print(script, end="")
        return 0
    find_sbatch()  # before anything is written
    keep(file, kept)
    study.check()
    if arguments.retry:  # here and once: in the script, a requeue would try them again and again
        for name in study.retry():
            print(f"again: {name}")
    number = submit(script, folder / "array.sbatch")
    print(f"job {number}: squeue --me shows it, scancel {number} ends it")
    print(f"script: {folder / 'array.sbatch'}\nlogs: {folder}/{number}_*.log\nruns: {runs}")
    return 0


def _program(given: str | None, container: str | None) -> list[str]:
    """The words that start disent on a node, which sees the same folders as this machine."""
    if given is not None:
        return shlex.split(given)
    return ["disent"] if container else [sys.executable, "-m", "disent"]
