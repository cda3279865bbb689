# SPDX-License-Identifier: Apache-2.0
"""disent data prepare NAME: renders or converts a dataset before the first run needs it."""

import argparse

NAMES = ("dsprites", "shapes3d", "shapes3d-lookalike")


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds `data` to the commands."""
    parser = commands.add_parser(
        "data", help="prepare a dataset", description="Prepares datasets in the cache folder."
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    prepare = actions.add_parser(
        "prepare",
        help="render or convert the pictures now",
        description="Renders or converts a dataset into the cache folder (DISENT_DATA_DIR, or the "
        "user's cache), so that no run has to.",
    )
    prepare.add_argument("name", choices=NAMES)
    prepare.add_argument("--path", metavar="FILE", help="the official file")
    prepare.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Makes the dataset once, and says what it is and where."""
    from disent.data import DSprites, Shapes3D, Shapes3DLookalike
    from disent.data.files import cache_folder

    path: str | None = arguments.path
    if arguments.name == "dsprites":
        dataset = DSprites(path)
    elif arguments.name == "shapes3d":
        if path is None:
            raise ValueError("--path is missing: 3D Shapes needs its official file, 3dshapes.h5.")
        dataset = Shapes3D(path)
    else:
        if path is not None:
            raise ValueError(
                f"--path is {path}, but the look-alike is rendered. Leave --path out, or prepare "
                "shapes3d from its official file."
            )
        dataset = Shapes3DLookalike()
    print(f"{len(dataset.grid):,} pictures: {dataset.fingerprint}")
    if arguments.name == "shapes3d-lookalike":
        print("nothing is kept on disk: pictures are rendered as they are asked for")
    else:
        print(f"cache folder: {cache_folder()}")
    return 0
