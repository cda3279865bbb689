# SPDX-License-Identifier: Apache-2.0
"""disent traverse RUN: draws the pictures of a trained run, or the traversals of many in one."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from disent.latents.traversal import Traversal
    from disent.runs import Run

OF_ONE = ("latents", "animate", "film")
COLUMNS, OF_MANY = 9, 5  # pictures in a row


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds `traverse` to the commands."""
    parser = commands.add_parser(
        "traverse",
        help="draw a run: latent traversals, reconstructions, samples, interpolations, curves",
        description="Draws the latent traversals of a trained run, its latents ordered by rate, "
        "each beside the factor that it follows best; and reconstructions, samples of the prior, "
        "interpolations and training curves. Of several runs, or a folder of them, one figure: "
        "their traversals side by side, the latents matched to the factors (to those of the first "
        "run, where there are none), so that a row means the same in each. Prints the paths "
        "written.",
    )
    parser.add_argument(
        "folder",
        metavar="RUN",
        nargs="+",
        help="a run, such as runs/NAME; several, or a folder of them",
    )
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
        "--columns",
        type=int,
        metavar="N",
        help=f"pictures in a row (default: {COLUMNS}; of several runs {OF_MANY})",
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
    parser.add_argument(
        "--film",
        action="store_true",
        help="only a film of the traversals over the steps of the training, of the frames that "
        "`disent fit --pictures.film_every_n_steps N` has kept so far",
    )
    parser.add_argument(
        "--output",
        metavar="FOLDER",
        help="where to write (default: RUN/figures; of several runs their folder, or here)",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Draws and writes; prints one path a line."""
    from disent.files import expanded
    from disent.latents.pictures import save_pictures
    from disent.latents.traversal import Traversal
    from disent.runs import Run
    from disent.runs.find import is_run
    from disent.shipped import zoo_run

    folders = [zoo_run(folder) or expanded(folder) for folder in arguments.folder]
    first, many = folders[0], len(folders) > 1 or (folders[0].is_dir() and not is_run(folders[0]))
    columns = arguments.columns
    if columns is None:
        columns = OF_MANY if many else COLUMNS
    traversal = Traversal(
        arguments.latents, arguments.range, columns, arguments.index, animated=arguments.animate
    )
    if many:
        for option in [option for option in OF_ONE if getattr(arguments, option)]:
            raise ValueError(f"--{option} is of one run, but several were given: name one.")
        drawn = {"traversals_of_runs": _of_many(folders, traversal)}
        output = arguments.output or (first if len(folders) == 1 else Path())
    else:
        trained = Run.load(first)
        drawn = _film(trained) if arguments.film else _of_one(trained, traversal)
        shipped = zoo_run(arguments.folder[0]) is not None  # which is not written to
        output = arguments.output or (Path() if shipped else trained.directory.figures)
    for path in save_pictures(drawn, output):
        print(path)
    return 0


def _of_one(trained: "Run", traversal: "Traversal") -> dict[str, Any]:
    from disent.latents.pictures import draw_pictures
    from disent.runs.histories import read_log

    logged = read_log(trained.directory.metrics)
    return dict(
        draw_pictures(trained.model(), trained.dataset(), metrics=logged, traversal=traversal)
    )


def _film(trained: "Run") -> dict[str, Any]:
    from disent.latents.film import film_of

    return {"traversals_film": film_of(trained.directory.film)}


def _of_many(folders: list[Path], traversal: "Traversal") -> Any:
    """The figure of all runs that have weights."""
    from disent.latents.many import draw_many
    from disent.report.short_names import run_titles
    from disent.runs import load_runs, with_families

    runs = _with_weights(folders)
    _check_data(runs)
    titles = run_titles(with_families(load_runs([run.path for run in runs])))
    return draw_many(_models(titles, runs), runs[0].dataset(), traversal)


def _with_weights(folders: list[Path]) -> "list[Run]":
    """The runs at any depth; those without weights are named on stderr."""
    from disent.runs import Run
    from disent.runs.table import run_folders

    runs: list[Run] = []
    for path in dict.fromkeys(path for folder in folders for path in run_folders(folder)):
        try:
            run = Run.load(path)
        except (OSError, ValueError) as error:
            print(f"passed over: {error}", file=sys.stderr)
            continue
        if run.directory.last.exists():
            runs.append(run)
        else:
            print(f"passed over: {path} has no weights", file=sys.stderr)
    if not runs:
        raise ValueError(
            f"no run with weights in {', '.join(map(str, folders))}, so nothing is drawn."
        )
    return runs


def _models(titles: list[str], runs: "list[Run]") -> Iterator[tuple[str, Any]]:
    for title, each in zip(titles, runs, strict=True):
        yield title, each.model()


def _check_data(runs: "list[Run]") -> None:
    """Raises ValueError if the runs are not all of one dataset."""
    first = runs[0]
    fingerprint = first.dataset().fingerprint
    for other in runs[1:]:
        if other.dataset().fingerprint != fingerprint:
            raise ValueError(
                f"{first.path} is of {_data(first)}, but {other.path} of {_data(other)}: a row can "
                "mean the same only within one dataset. Name the runs of one, such as "
                "runs/dsprites-*."
            )


def _data(run: "Run") -> str:
    data = run.config.get("data") or {}
    given = {name: value for name, value in (data.get("init_args") or {}).items() if value}
    name = str(data.get("class_path")).rsplit(".", 1)[-1]
    return f"{name} {given}" if given else name
