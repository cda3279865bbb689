# SPDX-License-Identifier: Apache-2.0
"""One line for a mistake on the command line, instead of a page."""

import difflib
import re
from collections.abc import Sequence

from lightning.pytorch import LightningDataModule

import disent.data
import disent.likelihoods
import disent.models
import disent.networks
import disent.objectives
import disent.priors
from disent.config.complete import arguments_of


def member_names() -> list[str]:
    """The classes that options can name, and the options that those classes bring."""
    rooms = {
        "model": disent.models,
        "model.network": disent.networks,
        "model.likelihood": disent.likelihoods,
        "model.objective": disent.objectives,
        "model.prior": disent.priors,
        "data": disent.data,
    }
    names: list[str] = []
    for key, room in rooms.items():
        for name in room.__all__:
            member = getattr(room, name)
            if isinstance(member, type) and not issubclass(member, LightningDataModule):
                names.append(name)
                names += [f"--{key}.{argument}" for argument in sorted(arguments_of(member))]
    return names


def explain(message: str, known: Sequence[str]) -> str:
    """What a parser complains of in one line, with the names nearest to a misspelling.

    Example:
        >>> explain("unrecognized arguments: --trainer.max_step 3", ["--trainer.max_steps"])
        '--trainer.max_step is no option. Did you mean --trainer.max_steps?'
    """
    key = "--" + ".".join(re.findall(r'Parser key "([\w.]+)"', message))
    if found := re.search(r"unrecognized arguments: ([^\s=]+)", message):
        return f"{found[1]} is no option.{_nearest(found[1], known)}"
    if "arguments are required: model" in message:
        return "no model is chosen. Take a preset (--config quickstart), or add --model BetaVAE."
    if found := re.search(r"arguments are required: (\w+)", message):
        return f"{key}.{found[1]} is missing, and has no default."
    if found := re.search(r"Option '([\w.]+)' is not accepted", message):
        return f"{key}.{found[1]} is no option.{_nearest(f'{key}.{found[1]}', known)}"
    if found := re.search(r"Expected a dot import path string: (\S+)", message):
        return f"{key} {found[1]}: there is no such class.{_nearest(found[1], known)}"
    if found := re.search(r"(Expected .*?)\.? Got value: (.*)", message):
        return f"{key} {found[2]}: {found[1]}.".replace("<class '", "").replace("'>", "")
    if found := re.search(r"Errors:\n  - (.*)", message):
        return found[1]
    lines = [line.strip(" -") for line in message.splitlines() if line.strip()]
    return " ".join(lines[:3])


def _nearest(word: str, known: Sequence[str]) -> str:
    others = dict.fromkeys(name for name in known if name != word)
    near = difflib.get_close_matches(word, others, n=3, cutoff=0.6)
    return f" Did you mean {' or '.join(near)}?" if near else " See disent fit --help."
