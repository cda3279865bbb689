# SPDX-License-Identifier: Apache-2.0
"""The command `disent`: finds the sub-command, and turns house errors into one line."""

import argparse
import contextlib
import os
import re
import signal
import sys
from collections.abc import Sequence

from disent import __version__
from disent.cli import (
    completion,
    copy,
    data,
    doctor,
    evaluate,
    export,
    fleet,
    listing,
    report,
    runs,
    score,
    slurm,
    sweep,
    traverse,
)
from disent.launch.slurm.requeue import answer
from disent.stops import InterruptedRunError, StopRequest

DESCRIPTION = "An experiment suite for disentanglement studies."
FIT = "train a model: disent fit --config quickstart (see disent fit --help)"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit status."""
    status = _run([at_home(word) for word in (sys.argv[1:] if argv is None else argv)])
    distributed = sys.modules.get("torch.distributed")
    if argv is None and distributed is not None and distributed.is_initialized():
        # one of several ranks: threads of gloo abort, now and then, an interpreter that ends in
        # order, and Slurm would end the other ranks with it; all is written by now
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    return status


def at_home(word: str) -> str:
    """A word with ~/ at its beginning, or behind the = of an option, as the home folder has it.

    Shells leave it where it stands behind a =.

    Example:
        >>> at_home("--runs=~/runs") == f"--runs={os.path.expanduser('~')}/runs"
        True
    """
    found = re.fullmatch(r"(-[^=]*=)?(~[\w.-]*/.*)", word, re.DOTALL)
    return f"{found[1] or ''}{os.path.expanduser(found[2])}" if found else word


def _run(argv: Sequence[str]) -> int:
    """Turns the errors of the house into one line."""
    stop = StopRequest()
    _add_working_folder()
    try:
        if argv[:1] == ["fit"]:
            stop.listen()  # before torch is imported: a signal in these seconds is not lost
            from disent.cli import fit

            return fit.run(argv[1:], stop)
        if argv[:1] in (["sweep"], ["fleet"]):
            stop.listen((signal.SIGUSR1,))
        arguments = make_parser().parse_args(argv, argparse.Namespace(stop=stop))
        return arguments.run(arguments)
    except InterruptedRunError as error:
        rank = int(os.environ.get("SLURM_PROCID") or os.environ.get("LOCAL_RANK") or 0)
        if not rank:
            print(f"disent: {error}", file=sys.stderr)
        return answer(error.signum, rank)
    except SystemExit:
        if stop.signum:  # Lightning ends so at a second Ctrl-C
            return 130
        raise
    except KeyboardInterrupt:
        print("disent: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 141
    except BlockingIOError as error:
        print(f"disent: error: {error}", file=sys.stderr)
        return 75  # EX_TEMPFAIL: another process has the run; who waits may try again
    except Exception as error:
        from disent.runs.own_code import in_one_line

        if (said := in_one_line(error)) is None:
            raise
        print(f"disent: error: {said}", file=sys.stderr)
        return 1
    finally:
        stop.release()


def _add_working_folder() -> None:
    """Lets classes of one's own be found in the working folder, in whatever way disent is started.

    It comes last on the path, so that it hides nothing.
    """
    with contextlib.suppress(FileNotFoundError):  # the folder was deleted
        if (folder := os.getcwd()) not in sys.path:
            sys.path.append(folder)


def make_parser() -> argparse.ArgumentParser:
    """The parser of all commands; of `fit` it knows the name alone."""
    parser = argparse.ArgumentParser(prog="disent", description=DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"disent {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    commands.add_parser("fit", help=FIT, add_help=False)
    of_runs = (evaluate, score, traverse, export, runs, report)
    of_sweeps = (sweep, fleet, slurm, copy)
    for command in (*of_runs, *of_sweeps, data, listing, completion, doctor):
        command.add_parser(commands)
    return parser
