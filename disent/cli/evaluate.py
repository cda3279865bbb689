# SPDX-License-Identifier: Apache-2.0
"""disent evaluate RUN...: encodes every picture once and writes the scores of each run."""

import argparse


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds `evaluate` to the commands."""
    parser = commands.add_parser(
        "evaluate",
        help="score trained runs: MIG, beta-VAE score, ... beside their baselines",
        description="Encodes every picture once, scores the posterior means, and "
        "writes RUN/metrics.json.",
    )
    parser.add_argument("folders", nargs="+", metavar="RUN", help="a run, such as runs/NAME")
    parser.add_argument(
        "--metrics", default="mig,beta_vae_score", help="names with commas between, or: all"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the scores that draw (default: 0)")
    parser.add_argument(
        "--codes",
        choices=("mean", "sampled"),
        default="mean",
        help="the mean of each posterior, or a sample of it (default: mean)",
    )
    parser.add_argument(
        "--repeats",
        type=int,
        default=1,
        help="draw what is drawn so many times; gives mean and spread (default: 1)",
    )
    parser.add_argument(
        "--points", type=int, help="take at most so many pictures, evenly spread (default: all)"
    )
    parser.add_argument(
        "--precision",
        choices=("float32", "bfloat16"),
        default="float32",
        help="of the encoder's arithmetic (default: float32)",
    )
    parser.add_argument("--best", action="store_true", help="take best.ckpt, not last.ckpt")
    parser.add_argument("--device", help="cpu, cuda, ... (default: cuda where there is one)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Scores each run; a run that cannot be scored is named, and the others go on."""
    import sys

    import torch

    from disent.evaluation import Options, evaluate_runs
    from disent.memory import keep_freed_memory
    from disent.report.terminal import print_scores

    keep_freed_memory()
    options = Options(
        metrics=arguments.metrics.split(","),
        codes=arguments.codes,
        seed=arguments.seed,
        repeats=arguments.repeats,
        points=arguments.points,
        precision=arguments.precision,
    )
    device = arguments.device or ("cuda" if torch.cuda.is_available() else "cpu")
    failed = 0
    for folder, result in evaluate_runs(
        arguments.folders, options, best=arguments.best, device=device
    ):
        if isinstance(result, Exception):
            failed += 1
            print(f"disent: error: {folder}: {result}", file=sys.stderr)
        else:
            print_scores(folder, result)
    return min(failed, 1)
