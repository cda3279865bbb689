# SPDX-License-Identifier: Apache-2.0
"""What the suite carries beside its code: presets, sweeps, profiles, templates, trained runs."""

import difflib
import os
from importlib import resources
from pathlib import Path

from disent.files import create, expanded

# where each lies, and what its names end in; in a checkout some lie beside the package
KINDS = {
    "preset": ("presets", ".yaml"),
    "sweep": ("sweeps", ".yaml"),
    "profile": ("slurm/profiles", ".yaml"),
    "template": ("slurm", ".sbatch"),
}


def shipped(kind: str) -> dict[str, Path]:
    """The files of a kind, by name.

    Example:
        >>> shipped("profile")["gpu"].name
        'gpu.yaml'
    """
    folder, suffix = KINDS[kind]
    return {file.stem: file for file in sorted(_folder(folder).glob(f"*{suffix}"))}


def find(given: str | os.PathLike[str], kind: str, beside: Path | None = None) -> Path:
    """The file that is meant: a path of one, or the name of one that the suite carries.

    Args:
        given: A file that exists wins over a name.
        kind: One of KINDS.
        beside: A folder whose files have names, too, before those of the suite.
    Raises:
        FileNotFoundError: It is neither; the message has the nearest name, and all that there are.
    """
    known = shipped(kind)
    if beside is not None:
        suffix = KINDS[kind][1]
        known |= {file.stem: file for file in sorted(beside.glob(f"*{suffix}"))}
    if (file := expanded(given)).is_file():
        return file
    if (name := os.fspath(given)) in known:
        return known[name]
    near = difflib.get_close_matches(file.stem, known, n=1, cutoff=0.4)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise FileNotFoundError(
        f"there is no {kind} {name}: no such file, and none of that name.{hint} The {kind}s are: "
        f"{', '.join(known)}."
    )


def zoo() -> dict[str, Path]:
    """The trained runs that the suite carries, one of each family, by name: of several seeds the
    first, with its weights."""
    folder = _folder("zoo", beside="analysis/zoo")
    configs = sorted(folder.glob("**/seed0/config.yaml"))
    return {file.parents[1].relative_to(folder).as_posix(): file.parent for file in configs}


def zoo_run(given: str | os.PathLike[str]) -> Path | None:
    """The folder that is meant by zoo/NAME; None where something else is.

    Raises:
        FileNotFoundError: There is none of that name; the message has all that there are.
    """
    room, _, name = os.fspath(given).partition("/")
    if room != "zoo" or not name or os.path.exists(given):
        return None
    known = zoo()
    if (folder := known.get(name.rstrip("/"))) is not None:
        return folder
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    hint = f" Did you mean zoo/{near[0]}?" if near else ""
    raise FileNotFoundError(
        f"there is no {given}: no such folder, and none of that name in the zoo.{hint} In the zoo "
        f"are: {', '.join(known) or 'no runs'}."
    )


def check_not_shipped(given: str | os.PathLike[str]) -> None:
    """Raises ValueError if zoo/NAME is meant: the suite's own files are not written to."""
    if (folder := zoo_run(given)) is not None:
        raise ValueError(
            f"{given} is the suite's own, and nothing is written there. Copy it, and name the "
            f"copy: cp -r {folder} {folder.parent.name}"
        )


def kind_of(name: str, said: str | None = None) -> str:
    """The kind of the file that has a name.

    Args:
        name: Of a preset, sweep, profile or template.
        said: The kind that is meant; None: that of the only one with the name.
    Raises:
        FileNotFoundError: Nothing has the name.
        ValueError: Two kinds have it, and none is said.
    """
    kinds = [each for each in ([said] if said else KINDS) if name in shipped(each)]
    if not kinds:
        known = [known for each in ([said] if said else KINDS) for known in shipped(each)]
        near = difflib.get_close_matches(name, known, n=2, cutoff=0.4)
        hint = f" Did you mean {' or '.join(dict.fromkeys(near))}?" if near else ""
        raise FileNotFoundError(
            f"nothing here is called {name}.{hint} There are: {', '.join(dict.fromkeys(known))}."
        )
    if len(kinds) > 1:
        raise ValueError(f"{name} is a {' and a '.join(kinds)}. Say which: --kind {kinds[0]}.")
    return kinds[0]


def copy(name: str, to: Path, kind: str) -> Path:
    """Writes a file of the suite beside one's own, to be edited; returns its path.

    Args:
        name: Of the file.
        to: A folder that exists, or the path of the new file.
        kind: One of KINDS.
    Raises:
        FileExistsError: There is a file already; nothing is overwritten.
    """
    source = shipped(kind)[name]
    file = to / source.name if to.is_dir() else to
    if not create(file, source.read_text(encoding="utf-8")):
        raise FileExistsError(
            f"{file} is there already, and is not overwritten. Name another place, or move it away."
        )
    return file


def _folder(name: str, beside: str | None = None) -> Path:
    """Inside the package, as a wheel has it, or beside it, as a checkout has it."""
    package = Path(str(resources.files("disent")))
    inside = package / name
    return inside if inside.is_dir() else package.parent / (beside or name)
