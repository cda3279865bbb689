# SPDX-License-Identifier: Apache-2.0
"""disent data prepare NAME: renders or converts a dataset before the first run needs it."""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # commands answer --help without torch
    from disent.data.base import FactorDataset

RENDERED = ("dsprites", "shapes3d-lookalike")
OFFICIAL = {  # what a dataset is read from
    "shapes3d": "3D Shapes needs its official file, 3dshapes.h5",
    "cars3d": "Cars3D needs nips2015-analogy-data.tar.gz or its folder data/cars",
    "smallnorb": "SmallNORB needs the folder of its six official files",
    "mpi3d-toy": "MPI3D needs its official file, mpi3d_toy.npz",
    "mpi3d-realistic": "MPI3D needs its official file, mpi3d_realistic.npz",
    "mpi3d-real": "MPI3D needs its official file, mpi3d_real.npz",
    "mpi3d-complex": "MPI3D needs its official file, real3d_complicated_shapes_ordered.npz",
}


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
    prepare.add_argument("name", choices=(*RENDERED, *OFFICIAL))
    prepare.add_argument("--path", metavar="FILE", help="the official file or folder")
    prepare.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Makes the dataset once, and says what it is and where."""
    from disent.data.files import cache_folder

    dataset = _make(arguments.name, arguments.path)
    print(f"{len(dataset.grid):,} pictures: {dataset.fingerprint}")
    if arguments.name == "shapes3d-lookalike":
        print("nothing is kept on disk: pictures are rendered as they are asked for")
    else:
        print(f"cache folder: {cache_folder()}")
    return 0


def _make(name: str, path: str | None) -> "FactorDataset":
    from disent.data import MPI3D, Cars3D, DSprites, Shapes3D, Shapes3DLookalike, SmallNORB

    if name == "dsprites":
        return DSprites(path)
    if name == "shapes3d-lookalike":
        if path is not None:
            raise ValueError(
                f"--path is {path}, but the look-alike is rendered. Leave --path out, or prepare "
                "shapes3d from its official file."
            )
        return Shapes3DLookalike()
    if path is None:
        raise ValueError(f"--path is missing: {OFFICIAL[name]}.")
    if name.startswith("mpi3d-"):
        return MPI3D(path, name.removeprefix("mpi3d-"))  # pyright: ignore[reportArgumentType]
    return {"shapes3d": Shapes3D, "cars3d": Cars3D, "smallnorb": SmallNORB}[name](path)
