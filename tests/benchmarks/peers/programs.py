# SPDX-License-Identifier: Apache-2.0
"""The programs that are compared: how each is started, and how its answer is read."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).parents[3]
PARAMETERS = 502_005
TRIAL = ("--warm", "20", "--steps", "80")  # of a peer's settings
Figures = dict[str, float]


@dataclass(frozen=True)
class Program:
    """A program of the comparison.

    Args:
        name: What the table calls it.
        script: Its file in this folder; the one that scores is that with `score` for `run`.
        peer: Whose environment it runs in; None: the interpreter of this process.
        arguments: Arguments that are its own.
        settings: Arguments to choose from; the fastest are taken.
    """

    name: str
    script: str
    peer: str | None = None
    arguments: tuple[str, ...] = ()
    settings: tuple[tuple[str, ...], ...] = ()


WORKERS = (("--workers", "0"), ("--workers", "2"))
PEERS = (
    Program("disent 0.8.0", "run_nmichlo.py", "nmichlo", settings=WORKERS),
    Program("pythae 0.1.2", "run_pythae.py", "pythae", settings=WORKERS),
)
BARE = (
    Program("bare, compiled", "run_bare.py"),
    Program("bare, eager", "run_bare.py", arguments=("--eager",)),
)


def ours(options: Sequence[str] = ()) -> tuple[Program, ...]:
    """Ours as it comes, and once more with each of these options of disent fit."""
    more = (Program(f"ours {o}", "run_ours.py", arguments=("--options", o)) for o in options)
    return Program("ours", "run_ours.py"), *more


def start(python: str | Path, script: Path, arguments: Sequence[str], own: bool) -> Figures:
    """Runs a program to its end, in an empty folder; returns its answer.

    Raises:
        RuntimeError: It failed, or gave no answer.
    """
    variables = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    if own:
        variables["PYTHONPATH"] = str(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        command = [str(python), str(script), "--begun", repr(time.time()), *arguments]
        done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(
            f"{script.name} ended with status {done.returncode}. Its last words:\n"
            f"{done.stderr[-2000:]}\nRun it by hand: {' '.join(command)}"
        )
    return answer(done.stdout, script.name)


def answer(output: str, name: str) -> Figures:
    """The figures in a program's output: its last line that is a JSON object.

    Example:
        >>> answer('a bar 10%\\n{"steps_per_s": 20.0}\\nanother bar', "run.py")
        {'steps_per_s': 20.0}
    """
    for line in reversed(output.splitlines()):
        if line.startswith("{") and line.endswith("}"):
            return json.loads(line)
    raise RuntimeError(
        f"{name} ended well, but printed no line of JSON. It printed:\n{output[-2000:]}"
    )


def train(program: Program, python: str | Path, arguments: Sequence[str]) -> Figures:
    """One training; RuntimeError unless its network is everyone's."""
    script = Path(__file__).with_name(program.script)
    figures = start(python, script, [*arguments, *program.arguments], own=program.peer is None)
    if figures["parameters"] != PARAMETERS:
        raise RuntimeError(
            f"{program.name} trained {figures['parameters']:,} parameters, but all are to train "
            f"{PARAMETERS:,}: make its network that of network.py."
        )
    return figures


def settled(program: Program, python: str | Path, common: Sequence[str]) -> tuple[Program, str]:
    """The program with its fastest settings, and what was found; nothing is run without choice."""
    if len(program.settings) < 2:
        return program, ""
    print(f"trying the settings of {program.name}", flush=True)
    speeds: dict[tuple[str, ...], float] = {}
    for setting in program.settings:
        figures = train(program, python, [*common, *TRIAL, *setting])
        speeds[setting] = figures["steps_per_s"]
    best = max(speeds, key=lambda setting: speeds[setting])
    found = ", ".join(f"{' '.join(s)}: {speed:.1f} steps/s" for s, speed in speeds.items())
    chosen = replace(program, arguments=program.arguments + best)
    return chosen, f"{program.name}: {found}; taken: {' '.join(best)}"


def interpreter(program: Program, environments: dict[str, Path]) -> str | Path:
    """The Python that runs the program."""
    return sys.executable if program.peer is None else environments[program.peer]
