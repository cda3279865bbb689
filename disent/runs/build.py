# SPDX-License-Identifier: Apache-2.0
"""From a run's config back to the objects that it names."""

from collections.abc import Mapping
from typing import Any

from disent.runs.directory import RunDir


def build(run: RunDir, key: str, base: type) -> Any:
    """The object that section `key` of the run's config describes, an instance of `base`.

    Raises:
        FileNotFoundError: The folder is no run.
        ValueError: The config has no such section, or it describes nothing that can be made.
    """
    if not run.config.exists():
        raise FileNotFoundError(
            f"{run.config} does not exist, so {run.path} is not a run. "
            "Give a folder that `disent fit` made, such as runs/NAME."
        )
    config = run.read_config()
    if key not in config:
        raise ValueError(
            f"{run.config} has no section {key!r}. It was changed, or made by something else."
        )
    try:
        return make(config, key, base)
    except ValueError as error:
        raise ValueError(f"section {key!r} of {run.config} cannot be used: {error}") from error


def make(config: Mapping[str, Any], key: str, base: type) -> Any:
    """The object that section `key` of a config describes, an instance of `base`."""
    from jsonargparse import ArgumentError, ArgumentParser  # here: the rest needs only pandas

    parser = ArgumentParser(exit_on_error=False)
    parser.add_subclass_arguments(base, key)
    try:
        return parser.instantiate(parser.parse_object({key: config[key]}))[key]
    except ArgumentError as error:
        raise ValueError(str(error)) from error
