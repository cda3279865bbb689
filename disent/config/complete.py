# SPDX-License-Identifier: Apache-2.0
"""What a config gets from its surroundings: seed, channels, size, number of pictures, and such."""

import inspect
import pydoc
from collections.abc import Mapping
from typing import Any

import torch

from disent.data.base import FactorDataset, PictureDataset, check_pictures
from disent.runs.build import make


def facts_of(data: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """What there is to be filled in, by argument: of a dataset's class, or of the dataset itself.

    Args:
        data: The section of the config, with class_path and init_args.
        seed: Of the run.
    """
    kind = pydoc.locate(data["class_path"])
    told = isinstance(kind, type) and issubclass(kind, FactorDataset)
    told = told and hasattr(kind, "grid") and hasattr(kind, "channels")
    dataset: Any = kind if told else make({"data": data}, "data", PictureDataset)
    wanted = ("channels", "size", "grid") if _has_grid(dataset) else ("channels", "size")
    if lacks := [name for name in wanted if not hasattr(dataset, name)]:
        raise ValueError(
            f"{data['class_path']} has no {', '.join(lacks)}: a dataset says how many colour "
            "channels its pictures have, how large they are, and the grid of its factors if it "
            "is a FactorDataset."
        )
    if not told:
        check_pictures(dataset)
    grid = getattr(dataset, "grid", None)
    names = dataset.names if grid is None else grid.names
    return {
        "seed": seed,
        "channels": dataset.channels,
        "size": list(dataset.size),
        "pictures": len(dataset if grid is None else grid),
        "factor_names": list(names),
        "factor_sizes": _sizes(dataset) if grid is None else list(grid.sizes),
    }


def _has_grid(dataset: Any) -> bool:
    kind = dataset if isinstance(dataset, type) else type(dataset)
    return issubclass(kind, FactorDataset)


def _sizes(dataset: PictureDataset) -> list[int]:
    """How many values each label takes: those up to the largest that a picture has."""
    labels = dataset.factors(torch.arange(len(dataset))) if dataset.names else None
    return [] if labels is None else (labels.amax(0).clamp(min=0) + 1).tolist()


def fill_in(section: Any, facts: Mapping[str, Any]) -> None:
    """Gives the class of a section, and those of its arguments, what they ask for.

    Args:
        section: Namespace or dictionary with class_path and init_args, as a parser completes it:
            what init_args do not name, such as a network's channels, is said by who makes the
            object. Changed in place.
        facts: By argument.
    """
    kind = pydoc.locate(section["class_path"])
    given = section.get("init_args")
    if given is None:
        return
    # the values of a Namespace itself would be its leaves
    parts = dict(getattr(given, "__dict__", given))
    for name in arguments_of(kind) & facts.keys() & parts.keys():
        if not (isinstance(facts[name], list) and isinstance(parts[name], int)):  # another meaning
            given[name] = facts[name]
    for value in parts.values():
        nested = isinstance(value, Mapping) or hasattr(value, "class_path")
        if nested and value.get("class_path") is not None:
            fill_in(value, facts)


def arguments_of(kind: Any) -> set[str]:
    """The names of the arguments of a class, those that it hands on to its bases among them.

    Example:
        >>> from disent.models import BetaVAE
        >>> {"beta", "network", "seed"} <= arguments_of(BetaVAE)
        True
    """
    names: set[str] = set()
    for part in kind.__mro__ if isinstance(kind, type) else ():
        if "__init__" not in vars(part):
            continue
        parameters = inspect.signature(part.__init__).parameters.values()
        names |= {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break  # it hands nothing on
    return names - {"self"}


def strength_of(model: Mapping[str, Any]) -> dict[str, str] | None:
    """The knob that a study of a model varies, as the runs' tables name it; None where none is.

    Args:
        model: The section of the config.
    Returns:
        `knob`, such as model.beta or model.objective.capacity, and `symbol`, such as C.
    """
    name, part = "model", model
    while isinstance(part, Mapping) and part.get("class_path"):
        found = getattr(pydoc.locate(part["class_path"]), "strength", None)
        if found:
            return {"knob": f"{name}.{found[0]}", "symbol": found[1]}
        name, part = f"{name}.objective", (part.get("init_args") or {}).get("objective")
    return None
