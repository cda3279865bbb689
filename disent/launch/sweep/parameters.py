# SPDX-License-Identifier: Apache-2.0
"""One parameter of a sweep file: its values for a grid, and its distribution for random search."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from disent.launch.sweep.distributions import (
    DEFAULTS,
    NUMBERS,
    REQUIRED,
    allowed,
    quantile,
    whole,
    wrong,
)

MOST = 100_000  # values of a parameter in a grid
LARGEST = 1e300  # of a number in a sweep file, lest differences overflow


@dataclass(frozen=True)
class Parameter:
    """A parameter as a sweep file describes it.

    Attributes:
        name: The option of `disent fit` that it sets, without its hyphens: model.beta.
        distribution: A key of REQUIRED.
        values: For the categorical distributions and constants.
        probabilities: One for each value.
        numbers: min, max, q, mu, sigma, a and b, as far as the distribution has them.
    """

    name: str
    distribution: str
    values: tuple[Any, ...] = ()
    probabilities: tuple[float, ...] = ()
    numbers: tuple[tuple[str, float], ...] = ()

    @classmethod
    def read(cls, name: str, entry: Any) -> "Parameter":
        """From the entry in the file; raises ValueError that says what is wrong with it."""
        if not isinstance(entry, dict):
            raise ValueError(
                f"parameter {name} is {entry!r}, but value:, values: or min: and max: "
                "are wanted below it."
            )
        if "parameters" in entry:
            raise ValueError(
                f"parameter {name} is nested, but the options of disent fit are flat: "
                f"write {name}.{next(iter(entry['parameters'] or ['...']))}: instead."
            )
        distribution = entry.get("distribution") or _implied(name, entry)
        if not isinstance(distribution, str) or distribution not in REQUIRED:
            raise ValueError(
                f"parameter {name} has the distribution {distribution!r}, but one of "
                f"{', '.join(REQUIRED)} is wanted."
            )
        _check_keys(name, distribution, entry)
        _check_lists(name, entry)
        values = entry.get("values", [entry["value"]] if "value" in entry else [])
        usual = DEFAULTS.get(distribution, {})
        numbers = {k: entry.get(k, usual.get(k)) for k in allowed(distribution) if k in NUMBERS}
        parameter = cls(
            name,
            distribution,
            tuple(values),
            tuple(entry.get("probabilities", ())),
            tuple(numbers.items()),
        )
        parameter._check(numbers)
        return parameter

    def _check(self, numbers: dict[str, Any]) -> None:
        odd = [k for k, v in numbers.items() if not _is_number(v)]
        if odd:
            raise ValueError(
                f"parameter {self.name}: {', '.join(odd)} must be numbers, got "
                f"{', '.join(repr(numbers[k]) for k in odd)}. (YAML reads 1e-4 as a "
                "word; write 1.0e-4.)"
            )
        if "values" in REQUIRED[self.distribution] and not self.values:
            raise ValueError(f"parameter {self.name} has an empty list of values.")
        if said := wrong(self.distribution, numbers):
            raise ValueError(f"parameter {self.name} {said}.")
        if self.probabilities and (
            len(self.probabilities) != len(self.values)
            or min(self.probabilities) < 0
            or abs(sum(self.probabilities) - 1) > 1e-6
        ):
            raise ValueError(
                f"parameter {self.name} has the probabilities {self.probabilities}, but "
                f"one for each of {len(self.values)} values, none below 0, of sum 1, is wanted."
            )

    @property
    def varies(self) -> bool:
        """Whether runs differ in it, so that their names hold it."""
        return self.distribution != "constant" and len(self.values) != 1

    def grid(self) -> Sequence[Any]:
        """Its values, for a grid, as W&B lists them: of q_uniform all from min on, below max.

        Raises:
            ValueError: It is continuous, or has probabilities, of which a grid knows nothing.
        """
        numbers = dict(self.numbers)
        span = numbers.get("max", 0) - numbers.get("min", 0)
        if self.distribution in ("int_uniform", "q_uniform") and span / numbers.get("q", 1) > MOST:
            raise ValueError(f"parameter {self.name} has more than {MOST:,} values for a grid.")
        match self.distribution:
            case "constant" | "categorical":
                return self.values
            case "int_uniform":
                return range(int(numbers["min"]), int(numbers["max"]) + 1)
            case "q_uniform":
                low, q = numbers["min"], numbers["q"]
                count = math.ceil((numbers["max"] - low) / q - 1e-9)
                return [whole(low + i * q) for i in range(count)]
        raise ValueError(
            f"parameter {self.name} is {self.distribution}, which no grid can list. "
            "Give it values:, or take method: random."
        )

    def quantile(self, u: float) -> Any:
        """The value below which a share u of the distribution lies, 0 < u < 1."""
        match self.distribution:
            case "constant" | "categorical":
                return self.values[min(int(u * len(self.values)), len(self.values) - 1)]
            case "categorical_w_probabilities":
                return self.values[_index(u, self.probabilities)]
        return quantile(self.distribution, u, dict(self.numbers))


def _check_keys(name: str, distribution: str, entry: dict[str, Any]) -> None:
    """Raises ValueError for what a distribution lacks, and for what it does not take."""
    if missing := [k for k in REQUIRED[distribution] if k not in entry]:
        raise ValueError(f"parameter {name} ({distribution}) lacks {', '.join(missing)}.")
    if more := [str(k) for k in entry if k not in ("distribution", *allowed(distribution))]:
        raise ValueError(
            f"parameter {name} ({distribution}) has {', '.join(more)}, but takes "
            f"{', '.join(allowed(distribution))} only."
        )


def _is_number(value: Any) -> bool:
    """Whether a value is a number that can be computed with."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and abs(value) < math.inf and abs(value) <= LARGEST


def _check_lists(name: str, entry: dict[str, Any]) -> None:
    """Raises ValueError unless what should be lists are; a word would be read letter by letter."""
    for key in ("values", "probabilities"):
        given = entry.get(key, [])
        if not isinstance(given, list):
            raise ValueError(
                f"parameter {name} has {key}: {given!r}, but a list is wanted: [{given}]. "
                "A single one is written value:."
            )
    wrong = [p for p in entry.get("probabilities", []) if type(p) not in (int, float)]
    if wrong:
        raise ValueError(
            f"parameter {name} has the probability {wrong[0]!r}, but numbers go there."
        )


def _implied(name: str, entry: dict[str, Any]) -> str:
    """The distribution of an entry that names none, as W&B reads it."""
    if "value" in entry:
        return "constant"
    if "values" in entry:
        return "categorical_w_probabilities" if "probabilities" in entry else "categorical"
    if "min" in entry and "max" in entry:
        whole = isinstance(entry["min"], int) and isinstance(entry["max"], int)
        return "int_uniform" if whole else "uniform"
    raise ValueError(
        f"parameter {name} has {', '.join(map(str, entry)) or 'nothing'}, but value:, values: or "
        "min: and max: are wanted."
    )


def _index(u: float, probabilities: Sequence[float]) -> int:
    total = 0.0
    for i, p in enumerate(probabilities):
        total += p
        if u < total:
            return i
    return len(probabilities) - 1
