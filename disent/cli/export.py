# SPDX-License-Identifier: Apache-2.0
"""disent export RUN: weights, programs and a card of a trained model, for others to use."""

import argparse


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds `export` to the commands."""
    parser = commands.add_parser(
        "export",
        help="write a trained model to hand on: safetensors, torch.export, ONNX, a model card",
        description="Writes weights.safetensors with model.json, encoder and decoder as programs "
        "of torch.export (.pt2) and ONNX, each kept only where it computes what torch does, and "
        "MODEL_CARD.md. disent.export.load_export(FOLDER) builds the model again.",
    )
    parser.add_argument("folder", metavar="RUN", help="a run, such as runs/NAME")
    parser.add_argument("--to", metavar="DIR", help="a new folder (default: RUN/export)")
    parser.add_argument("--best", action="store_true", help="take best.ckpt, not last.ckpt")
    parser.add_argument("--licence", metavar="NAME", help="of the weights, for the card")
    parser.add_argument(
        "--seeds",
        metavar="RUN",
        nargs="+",
        default=[],
        help="runs of the same setting and other seeds, whose scores the card tells, too",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Exports, and says what was written and what was not."""
    from disent.export import export_run

    place, told = export_run(
        arguments.folder,
        arguments.to,
        best=arguments.best,
        licence=arguments.licence,
        seeds=arguments.seeds,
    )
    print(f"{place}: weights.safetensors, model.json, MODEL_CARD.md")
    for program in told:
        if program.why:
            print(f"{program.file}: not written: {program.why}")
        else:
            print(f"{program.file}: {program.away:.1e} from torch at most")
    return 0
