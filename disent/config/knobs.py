# SPDX-License-Identifier: Apache-2.0
"""A model named after a preset keeps the preset's network, but not the knobs of its other model."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jsonargparse import ArgumentParser

from disent.config.complete import arguments_of
from disent.documents import read_yaml
from disent.models.base import Model
from disent.models.vae import VAE
from disent.runs.build import FILLED


def own_knobs(argv: Sequence[str], kind: str) -> dict[str, Any]:
    """The knobs of a model that replaces a preset's, as the command line and its class say them.

    The parser keeps what two classes call alike, which is right for network or learning rate. But
    the gamma of one is not the gamma of another.

    Args:
        argv: Of `disent fit`; presets are paths already.
        kind: Class path of the model that it comes to: a --config that follows a --model wins.
    Returns:
        By argument; empty where no model is replaced.
    """
    words, before = _of_model(argv), _class_of_presets(argv)
    said = _parsed(words) if words and before else None
    if said is None or said["class_path"] != kind or kind.endswith(f".{before}"):
        return {}
    named = said.get("init_args") or {}
    common = arguments_of(VAE) | set(FILLED)
    return {name: value for name, value in named.items() if name not in common}


def _of_model(argv: Sequence[str]) -> list[str]:
    """The words of a command line that speak of the model."""
    words: list[str] = []
    for i, word in enumerate(argv):
        option = word.partition("=")[0]
        if option != "--model" and not option.startswith("--model."):
            continue
        words.append(word)
        if "=" not in word and i + 1 < len(argv):
            words.append(argv[i + 1])
    return words


def _parsed(words: Sequence[str]) -> dict[str, Any] | None:
    parser = ArgumentParser(exit_on_error=False)
    parser.add_subclass_arguments(Model, "model", required=False)
    try:
        model = parser.parse_args(list(words)).model
    except Exception:  # what is wrong with them, the whole parser says better
        return None
    return None if model is None or model.get("class_path") is None else model.as_dict()


def _class_of_presets(argv: Sequence[str]) -> str | None:
    """The class of the last model that a --config names."""
    found = None
    for i, word in enumerate(argv):
        option, _, value = word.partition("=")
        if option not in ("--config", "-c"):
            continue
        file = Path(value or (argv[i + 1] if i + 1 < len(argv) else ""))
        content = read_yaml(file) if file.is_file() else None
        model = content.get("model") if isinstance(content, dict) else None
        path = model.get("class_path") if isinstance(model, dict) else model
        found = str(path).rpartition(".")[2] if path else found
    return found
