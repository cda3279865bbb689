# SPDX-License-Identifier: Apache-2.0
"""disent traverse RUN: draws the pictures of a trained run."""

import argparse


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds `traverse` to the commands."""
    parser = commands.add_parser(
        "traverse",
        help="draw a run: latent traversals, reconstructions, samples, interpolations, curves",
        description="Draws the latent traversals of a trained run, its latents ordered by rate, "
        "each beside the factor that it follows best; and reconstructions, samples of the prior, "
        "interpolations and training curves. Prints the paths written.",
    )
    parser.add_argument("folder", metavar="RUN", help="a run, such as runs/NAME")
    parser.add_argument(
        "--latents", type=int, metavar="K", help="only the K latents of highest rate (default: all)"
    )
    parser.add_argument(
        "--range",
        type=float,
        default=2.0,
        metavar="S",
        help="from -S to S standard deviations of the prior, or of the latent's own code where a "
        "model has no rate (default: 2)",
    )
    parser.add_argument(
        "--columns", type=int, default=9, metavar="N", help="pictures in a row (default: 9)"
    )
    parser.add_argument(
        "--index",
        type=int,
        metavar="I",
        help="flat index of the picture to start from (default: the middle of every factor; the "
        "first where there is no grid)",
    )
    parser.add_argument(
        "--animate", action="store_true", help="the traversals as an animated picture, too"
    )
    parser.add_argument("--output", metavar="FOLDER", help="where to write (default: RUN/figures)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Draws and writes; prints one path a line."""
    from disent.latents.pictures import draw_pictures, save_pictures
    from disent.latents.traversal import Traversal
    from disent.runs import Run
    from disent.runs.histories import read_log

    traversal = Traversal(
        arguments.latents,
        arguments.range,
        arguments.columns,
        arguments.index,
        animated=arguments.animate,
    )
    trained = Run.load(arguments.folder)
    folder = trained.directory
    drawn = draw_pictures(
        trained.model(),
        trained.dataset(),
        metrics=read_log(folder.metrics),
        traversal=traversal,
    )
    for path in save_pictures(drawn, arguments.output or folder.figures):
        print(path)
    return 0
