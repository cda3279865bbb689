# SPDX-License-Identifier: Apache-2.0
"""From a section of a config to the object that it describes."""

from collections.abc import Mapping
from typing import Any

from disent.runs.classes import class_paths, find_class
from disent.runs.mistakes import explain, what_was_raised

BASES = {"model": "disent.models.base.Model", "data": "disent.data.base.PictureDataset"}
# arguments of a model or an objective that nobody has to type: each follows from seed and data
FILLED = ("seed", "channels", "size", "pictures", "factor_names", "factor_sizes")
UNSAID = {"model.posterior": "diagonal"}  # what runs of older versions do not say


def make(config: Mapping[str, Any], key: str, base: type | None = None) -> Any:
    """The object that section `key` of a config describes.

    Args:
        config: As config.yaml holds it.
        key: Of a section with a class_path, and init_args where the class takes some.
        base: Of what class it must be; None: of the one that it names.
    Raises:
        NoSuchModuleError: The file of a class cannot be found from here.
        ValueError: The section describes nothing that can be made.
    """
    from jsonargparse import ArgumentError, ArgumentParser  # here: the rest needs only pandas

    for path in class_paths(config[key]):
        if "." in path:  # bare names are the parser's to find
            find_class(path)
    parser = ArgumentParser(exit_on_error=False)
    parser.add_subclass_arguments(base or _class_of(config[key]), key)
    try:
        return parser.instantiate(parser.parse_object({key: config[key]}))[key]
    except ArgumentError as error:
        raise ValueError(explain(str(error), [])) from error
    except (ValueError, TypeError, NameError, AttributeError, LookupError) as error:
        raise ValueError(what_was_raised(error)) from error


def make_part(config: Mapping[str, Any], key: str) -> Any:
    """The model or the dataset that a file describes, which may have come from elsewhere.

    Raises:
        NoSuchModuleError: The file of a class cannot be found from here.
        ValueError: The section describes nothing that can be made, or something else: any class
            could be named, and made, to do harm.
    """
    found, wanted = _class_of(config[key]), find_class(BASES[key])
    if not issubclass(found, wanted):
        raise ValueError(f"{found.__module__}.{found.__name__} is no {wanted.__name__}.")
    return make(config, key, found)


def _class_of(section: Any) -> type:
    """The class that a section names by its path."""
    path = section.get("class_path") if isinstance(section, Mapping) else section
    found = find_class(str(path))
    if not isinstance(found, type):
        raise ValueError(f"{path} is no class, but {type(found).__name__}.")
    return found
