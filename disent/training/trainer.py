# SPDX-License-Identifier: Apache-2.0
"""Lightning's Trainer as a run has it, and its refusals in one line."""

import copy
from collections.abc import Mapping
from typing import Any

from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from lightning.pytorch import Trainer

from disent import internals
from disent.runs.own_code import place_of

BARE = {"callbacks": None, "logger": False}  # objects, which a second trainer might upset


def make_trainer(options: Mapping[str, Any]) -> Trainer:
    """A trainer that leaves signals and requeueing to the run, see disent.stops."""
    if SLURMEnvironment.detect():
        slurm = SLURMEnvironment(auto_requeue=False)
        options = {**options, "plugins": [slurm, *listed(options["plugins"])]}
    return internals.leave_signals(Trainer(**options))


def check_trainer(options: Mapping[str, Any], usual: Mapping[str, Any]) -> None:
    """Raises ValueError, in one line with the option's name, where no trainer can be had here.

    Args:
        options: Arguments of Lightning's Trainer.
        usual: The same where nobody has said anything.
    """
    options = {**options, **BARE}
    if (error := _refusal(options)) is None:
        return
    given = [n for n in options if n not in BARE and options[n] != usual.get(n)]
    # the one without which the trainer can be had
    alone = [n for n in given if _refusal({**options, n: usual.get(n)}) is None]
    names = alone or given
    said = ", ".join(f"--trainer.{name} {options[name]}" for name in names) or "the trainer"
    raise ValueError(f"{said}: {_sentence(error)} Leave it out, or see disent fit --help all.")


def listed(parts: Any) -> list[Any]:
    """One, several or none of a trainer's parts, as a list."""
    if parts is None:
        return []
    return list(parts) if isinstance(parts, list | tuple) else [parts]


def _refusal(options: Mapping[str, Any]) -> Exception | None:
    """Why there is no such trainer; None where there is. Lightning checks its types nowhere."""
    filled = {name: copy.deepcopy(options.get(name)) for name in ("strategy", "plugins")}
    try:
        make_trainer({**options, **filled})  # a strategy serves one trainer
    except Exception as error:
        if place_of(error) is not None:  # a plugin or strategy of one's own
            raise
        return error
    return None


def _sentence(error: Exception) -> str:
    """The first sentence of what Lightning says."""
    text = " ".join(str(error).replace("`", "").split())
    first = text.partition(". ")[0].rstrip(".:!") or type(error).__name__
    return f"{first}."
