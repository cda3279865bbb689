# SPDX-License-Identifier: Apache-2.0
"""Compares this suite with its published peers: python -m tests.benchmarks.peers

Makes an environment for each peer (1.4 GB each, a few minutes, once), writes all pictures of
dSprites for them (3 GB, once), lets everyone train the same network in turn, and prints one table:
medians, and how many times better ours is, as the median of the ratios within the rounds, with the
smallest and the largest. README.md beside this file says what exactly is compared.
"""

import argparse
import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path

import torch
from rich.console import Console

from tests.benchmarks.peers import environments, programs
from tests.benchmarks.peers.programs import Program
from tests.benchmarks.peers.ratios import Round
from tests.benchmarks.peers.table import table, verdicts


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    made = argparse.ArgumentParser(prog="python -m tests.benchmarks.peers")
    made.add_argument("--steps", type=int, default=500, help="timed steps of a training")
    made.add_argument("--warm", type=int, default=50, help="steps before them")
    made.add_argument("--pairs", type=int, default=5, help="rounds in which everyone trains once")
    made.add_argument("--score-pairs", type=int, default=1, help="rounds of scores; 0: none")
    made.add_argument(
        "--folder",
        type=Path,
        default=environments.default_folder(),
        help="environments and pictures",
    )
    made.add_argument(
        "--ours-options",
        action="append",
        default=[],
        metavar="OPTIONS",
        help='ours once more, with these of disent fit: --ours-options="--fast true"',
    )
    made.add_argument(
        "--channels-last", action="store_true", help="give the peers our network's memory layout"
    )
    return made


def settle(
    entrants: Sequence[Program], homes: dict[str, Path], common: Sequence[str]
) -> tuple[list[Program], list[str]]:
    """Everyone with its fastest settings, and what was found."""
    both = [programs.settled(p, programs.interpreter(p, homes), common) for p in entrants]
    return [program for program, _ in both], [found for _, found in both if found]


def train_rounds(
    entrants: Sequence[Program],
    homes: dict[str, Path],
    common: Sequence[str],
    asked: argparse.Namespace,
) -> list[Round]:
    """Everyone in turn, `asked.pairs` times."""
    rounds: list[Round] = []
    length = ["--warm", str(asked.warm), "--steps", str(asked.steps)]
    for number in range(asked.pairs):
        rounds.append({})
        for program in entrants:
            python = programs.interpreter(program, homes)
            figures = programs.train(program, python, [*common, *length])
            rounds[-1][program.name] = figures
            speed = f"{figures['steps_per_s']:.1f} steps/s"
            print(f"round {number + 1} of {asked.pairs}: {program.name} {speed}", flush=True)
    return rounds


def score_rounds(homes: dict[str, Path], common: Sequence[str], pairs: int) -> list[Round]:
    """Ours and the peer that has scores, in turn."""
    rounds: list[Round] = []
    for number in range(pairs):
        rounds.append({})
        for program in (*programs.ours(), programs.PEERS[0]):
            print(f"scores {number + 1} of {pairs}: {program.name}, minutes", flush=True)
            script = environments.HERE / program.script.replace("run", "score")
            python = programs.interpreter(program, homes)
            figures = programs.start(python, script, common, own=program.peer is None)
            rounds[-1][program.name] = figures
    return rounds


def main() -> None:
    asked = parser().parse_args()
    folder = asked.folder.expanduser().resolve()
    homes = {peer: environments.environment(peer, folder) for peer in environments.PEERS}
    common = ["--pictures", str(environments.pictures(folder))]
    common += ["--channels-last"] if asked.channels_last else []
    ours = programs.ours(asked.ours_options)
    peers, notes = settle(programs.PEERS, homes, common)
    load = os.getloadavg()[0]
    rounds = train_rounds([*ours, *peers, *programs.BARE], homes, common, asked)
    rounds += score_rounds(homes, common, asked.score_pairs)
    (folder / "last.json").write_text(json.dumps(rounds, indent=1), encoding="utf-8")
    title = (
        f"{asked.steps} steps after {asked.warm}, {asked.pairs} rounds; torch {torch.__version__}, "
        f"{torch.get_num_threads()} threads, {platform.machine()} "
        f"{torch.backends.cpu.get_cpu_capability()}; load average {load:.1f} at the start"
    )
    names = [[program.name for program in group] for group in (ours, peers, programs.BARE)]
    console = Console(width=160)
    console.print(table(rounds, names[0], names[1] + names[2], title))
    for line in (*verdicts(rounds, names[0], names[1], names[2][0]), *notes):
        console.print(line)
    console.print(f"Every figure: {folder / 'last.json'}")


if __name__ == "__main__":
    main()
