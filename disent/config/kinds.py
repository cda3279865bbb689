# SPDX-License-Identifier: Apache-2.0
"""The kinds of classes that options can name, and what is said of one that will not do."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from lightning.pytorch import LightningDataModule
from torch import nn

import disent.data
import disent.likelihoods
import disent.models
import disent.networks
import disent.objectives
import disent.priors
from disent.config.complete import arguments_of
from disent.config.naming import options_of
from disent.data.base import PictureDataset
from disent.documents import parse_yaml, read_yaml
from disent.likelihoods.base import Likelihood
from disent.models.base import Model
from disent.networks.base import Network
from disent.objectives.base import Objective
from disent.priors.base import Prior
from disent.runs.classes import NoSuchModuleError, class_paths, did_you_mean, find_class
from disent.runs.sources import where_kept


@dataclass(frozen=True)
class Kind:
    """What an option of the command line wants a class of.

    Attributes:
        noun: What such a class is called.
        room: Where the suite has its own.
        base: Of which class one's own must be.
        wanted: Members that one cannot do without.
    """

    noun: str
    room: ModuleType
    base: type
    wanted: tuple[str, ...]

    def names(self) -> list[str]:
        """Those of the suite."""
        members = ((name, getattr(self.room, name)) for name in self.room.__all__)
        classes = [(name, member) for name, member in members if isinstance(member, type)]
        names = (name for name, kind in classes if not issubclass(kind, LightningDataModule))
        return sorted(names, key=str.lower)

    def find(self, name: str) -> Any:
        """The class of a name, or of a path; ValueError where there is none that will do."""
        found = find_class(name) if "." in name else self._named(name)
        lacks = self._lacks(found)
        if lacks:
            base = f"{self.base.__module__}.{self.base.__qualname__}"
            raise ValueError(f"it is no {self.noun}: {lacks}. One is a subclass of {base}.")
        return found

    def _named(self, name: str) -> Any:
        if name in (names := self.names()):
            return getattr(self.room, name)
        for kind in _subclasses(self.base):  # one's own that is imported
            if kind.__name__ == name:
                return kind
        others = [kind.noun for kind in KINDS.values() if name in kind.names()]
        hint = f" {name} is a {others[0]}." if others else did_you_mean(name, names)
        if Path(f"{name}.py").is_file():
            hint = f" Of a class in {name}.py the name is wanted, too: {name}.CLASS."
        raise ValueError(
            f"there is no such {self.noun}.{hint} The "
            f"{self.noun}s are: {', '.join(names)}; or FILE.CLASS of your own FILE.py."
        )

    def _lacks(self, found: Any) -> str:
        """Why something is not of this kind; empty if it is."""
        if not isinstance(found, type):
            is_made = self.base is Network and isinstance(found, Callable)  # by a function
            return "" if is_made else f"it is no class, but {type(found).__name__}"
        updates = getattr(found, "updates", ())
        losses = [update.loss for update in updates] if isinstance(updates, tuple) else []
        lacks = [name for name in (*self.wanted, *losses) if not _has(found, name)]
        said = [f"it has no {', '.join(lacks)}"] if lacks else []
        if not issubclass(found, self.base) and not said:
            return "it has its methods, but not its base"
        if issubclass(self.base, nn.Module) and not issubclass(found, nn.Module):
            said.insert(0, "it is no torch.nn.Module")
        return ", and ".join(said)


KINDS = {
    "model": Kind("model", disent.models, Model, ("updates", "encode", "decode", "picture")),
    "data": Kind("dataset", disent.data, PictureDataset, ("__len__", "fingerprint", "images")),
    "network": Kind("network", disent.networks, Network, ("encode", "decode")),
    "likelihood": Kind(
        "likelihood", disent.likelihoods, Likelihood, ("outputs", "log_prob", "mean")
    ),
    "objective": Kind("objective", disent.objectives, Objective, ("forward",)),
    "prior": Kind("prior", disent.priors, Prior, ("sample",)),
}
PARTS = ("network", "likelihood", "objective", "prior")  # of a model, by the argument's name


def member_names() -> list[str]:
    """The classes that options can name, and the options that those classes bring."""
    names: list[str] = []
    for key, kind in KINDS.items():
        option = f"model.{key}" if key in PARTS else key
        for name in kind.names():
            member = getattr(kind.room, name)
            names += [name, *(f"--{option}.{each}" for each in sorted(arguments_of(member)))]
    return names


def check_classes(words: Sequence[str]) -> None:
    """Raises ValueError, in one line, for the first class on a command line that will not do.

    Args:
        words: Of `disent fit`; presets are paths already.
    """
    for option, value in options_of(words):
        name = option.removesuffix(".class_path")
        if option in ("config", "c"):
            for key in ("model", "data"):
                _check_section(Path(value), key)
        elif (kind := _kind_of(name)) is not None:
            _check(f"--{name}", kind, value)


def _check_section(file: Path, key: str) -> None:
    """Looks at the classes of a section of a config file, which may be that of a run."""
    section = (_as_yaml(file) or {}).get(key)
    try:
        _check(f"{file}: {key}", KINDS[key], section)
    except NoSuchModuleError as error:
        kept = (where_kept(file.parent, path) for path in class_paths(section))
        raise ValueError(f"{error}{next(filter(None, kept), '')}") from error


def _check(label: str, kind: Kind, section: Any) -> None:
    """Looks at a class and those among its arguments."""
    if isinstance(section, str) and section.startswith("{"):
        try:
            section = parse_yaml(section)
        except ValueError:  # the parser says it better
            return
    if isinstance(section, dict):
        given = section.get("init_args")
        for name, value in given.items() if isinstance(given, dict) else ():
            if name in PARTS:
                _check(f"{label}.{name}", KINDS[name], value)
        section = section.get("class_path")
    if not isinstance(section, str) or section in ("null", "") or Path(section).is_file():
        return
    said = f"{label} {' '.join(section.split())}"
    try:
        kind.find(section)
    except NoSuchModuleError as error:
        raise NoSuchModuleError(f"{said}: {error}") from error
    except ValueError as error:
        raise ValueError(f"{said}: {error}") from error


def _kind_of(option: str) -> Kind | None:
    """The kind that an option wants; None for one that takes no class."""
    if option in ("model", "data"):
        return KINDS[option]
    first, last = option.partition(".")[0], option.rpartition(".")[2]
    return KINDS[last] if first == "model" and last in PARTS else None


def _as_yaml(file: Path) -> dict[str, Any] | None:
    try:
        content = read_yaml(file)
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _has(kind: type, name: str) -> bool:
    """Whether a class, or a base of it, has a member, and not only the promise of one."""
    promised = name in getattr(kind, "__abstractmethods__", ())
    return not promised and getattr(kind, name, None) not in (None, nn.Module.forward)


def _subclasses(base: type) -> Iterator[type]:
    for kind in base.__subclasses__():
        yield kind
        yield from _subclasses(kind)
