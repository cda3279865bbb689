# SPDX-License-Identifier: Apache-2.0
"""disent score FILE.npz...: the scores of codes that any encoder made, in any framework."""

import argparse

from disent.cli.evaluate import add_score_options

OPTIONS = ("metrics", "seed", "repeats")


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds `score` to the commands."""
    parser = commands.add_parser(
        "score",
        help="score anybody's codes: an .npz with arrays codes and factors",
        description="Scores the arrays codes [n, d] and factors [n, k] of each file beside chance, "
        "and beside PCA where it has images too; names [k] are those of the factors. Writes "
        "FILE.scores.json.",
    )
    parser.add_argument("files", nargs="+", metavar="FILE.npz", help="what numpy.savez writes")
    add_score_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Scores each file; one that cannot be scored is named, and the others go on."""
    import sys

    from disent.evaluation import Options, score_file
    from disent.report.terminal import print_scores

    given = {name: value for name, value in vars(arguments).items() if name in OPTIONS}
    options, failed = Options(**given), 0
    for path in arguments.files:
        try:
            record, written = score_file(path, options)
        except (OSError, ValueError, ArithmeticError) as error:
            failed += 1
            print(f"disent: error: {path}: {error}", file=sys.stderr)
            continue
        print_scores(path, record)
        print("\nfactors as they were taken:")
        for line in record["factors_as_taken"]:
            print(f"  {line}")
        print(f"written: {written}")
    return min(failed, 1)
