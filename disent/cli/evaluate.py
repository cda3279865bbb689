# SPDX-License-Identifier: Apache-2.0
"""disent evaluate RUN...: encodes every picture once and writes the scores of each run."""

import argparse
import functools
from collections.abc import Callable

from disent.loading import loading

OPTIONS = ("metrics", "seed", "codes", "repeats", "points", "precision", "samples", "pictures")
OPTIONS += ("drawn",)


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds `evaluate` to the commands."""
    parser = commands.add_parser(
        "evaluate",
        help="score trained runs: MIG, beta-VAE score, ... beside their baselines",
        description="Encodes every picture once, scores the posterior means, and "
        "writes RUN/metrics.json.",
    )
    parser.add_argument("folders", nargs="+", metavar="RUN", help="a run, such as runs/NAME")
    option = add_score_options(parser)
    option(
        "--codes",
        choices=("mean", "sampled"),
        help="the mean of each posterior, or a sample of it (default: mean)",
    )
    option("--points", type=int, help="at most so many pictures, evenly spread (default: all)")
    option(
        "--precision",
        choices=("float32", "bfloat16"),
        help="of the encoder's arithmetic (default: float32)",
    )
    option("--samples", type=int, help="K of log_likelihood (default: 1000)")
    option("--pictures", type=int, help="random ones, of log_likelihood (default: 1024)")
    option(
        "--drawn",
        type=int,
        metavar="N",
        help="compare N pictures that the model draws with the nearest real ones (default: 0)",
    )
    parser.add_argument("--best", action="store_true", help="take best.ckpt, not last.ckpt")
    parser.add_argument("--device", help="cpu, cuda, ... (default: cuda where there is one)")
    parser.set_defaults(run=run)


def add_score_options(parser: argparse.ArgumentParser) -> Callable[..., argparse.Action]:
    """Adds what every command that scores takes; returns what adds more such options.

    What is not said is left to disent.evaluation.Options, which knows the defaults.
    """
    option = functools.partial(parser.add_argument, default=argparse.SUPPRESS)
    option(
        "--metrics",
        type=names,
        help="with commas between (default: mig,beta_vae_score); or all, which leaves out what is "
        "a matter of minutes: all,log_likelihood,downstream,fairness",
    )
    option("--seed", type=int, help="of what draws, and of the chance baseline (default: 0)")
    option(
        "--repeats",
        type=int,
        help="draw what is drawn so many times; gives mean and spread (default: 1)",
    )
    return option


def run(arguments: argparse.Namespace) -> int:
    """Scores each run; a run that cannot be scored is named, and the others go on."""
    import sys

    with loading("torch"):
        import torch

        from disent.evaluation import Options, evaluate_runs
        from disent.memory import keep_freed_memory
    from disent.report.terminal import print_scores
    from disent.runs.own_code import in_one_line

    keep_freed_memory()
    given = {name: value for name, value in vars(arguments).items() if name in OPTIONS}
    options = Options(**given)
    device = arguments.device or ("cuda" if torch.cuda.is_available() else "cpu")
    failed = 0
    for folder, result in evaluate_runs(
        arguments.folders, options, best=arguments.best, device=device
    ):
        if isinstance(result, Exception):
            failed += 1
            print(f"disent: error: {folder}: {in_one_line(result) or result}", file=sys.stderr)
        else:
            print_scores(folder, result)
    return min(failed, 1)


def names(given: str) -> list[str]:
    """The names in a list with commas between."""
    return given.split(",")
