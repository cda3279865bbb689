# SPDX-License-Identifier: Apache-2.0
"""One parameter of a sweep file: its values for a grid, and its distribution for random search."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

NUMBERS = ("min", "max", "q", "mu", "sigma")
# every distribution of W&B sweeps that is a function of one uniform number, and what it needs
NEEDS = {
    "constant": ("value",),
    "categorical": ("values",),
    "categorical_w_probabilities": ("values", "probabilities"),
    "int_uniform": ("min", "max"),
    "uniform": ("min", "max"),
    "q_uniform": ("min", "max", "q"),
    "log_uniform": ("min", "max"),
    "log_uniform_values": ("min", "max"),
    "q_log_uniform_values": ("min", "max", "q"),
    "inv_log_uniform_values": ("min", "max"),
    "normal": ("mu", "sigma"),
    "q_normal": ("mu", "sigma", "q"),
    "log_normal": ("mu", "sigma"),
}
DEFAULTS: dict[str, float] = {"q": 1, "mu": 0.0, "sigma": 1.0}


@dataclass(frozen=True)
class Parameter:
    """A parameter as a sweep file describes it.

    Attributes:
        name: The option of `disent fit` that it sets, without its hyphens: model.beta.
        distribution: A key of NEEDS.
        values: For the categorical distributions and constants.
        probabilities: One for each value.
        numbers: min, max, q, mu and sigma, as far as the distribution has them.
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
        if distribution not in NEEDS:
            raise ValueError(
                f"parameter {name} has the distribution {distribution!r}, but one of "
                f"{', '.join(NEEDS)} is wanted."
            )
        missing = [k for k in NEEDS[distribution] if k not in entry and k not in DEFAULTS]
        if missing:
            raise ValueError(f"parameter {name} ({distribution}) lacks {', '.join(missing)}.")
        _check_lists(name, entry)
        values = entry.get("values", [entry["value"]] if "value" in entry else [])
        numbers = {k: entry.get(k, DEFAULTS.get(k)) for k in NEEDS[distribution] if k in NUMBERS}
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
        wrong = [
            k for k, v in numbers.items() if isinstance(v, bool) or not isinstance(v, int | float)
        ]
        if wrong:
            raise ValueError(
                f"parameter {self.name}: {', '.join(wrong)} must be numbers, got "
                f"{', '.join(repr(numbers[k]) for k in wrong)}. (YAML reads 1e-4 as a "
                "word; write 1.0e-4.)"
            )
        if "values" in NEEDS[self.distribution] and not self.values:
            raise ValueError(f"parameter {self.name} has an empty list of values.")
        if numbers.get("q", 1) <= 0:
            raise ValueError(f"parameter {self.name} has q: {numbers['q']}, but q must be > 0.")
        if "min" in numbers and not numbers["min"] <= numbers["max"]:
            raise ValueError(
                f"parameter {self.name} runs from {numbers['min']} to "
                f"{numbers['max']}, but min must not exceed max."
            )
        if self.distribution.endswith("uniform_values") and numbers["min"] <= 0:
            raise ValueError(
                f"parameter {self.name} is log-uniform from {numbers['min']}, but min must be > 0."
            )
        if self.probabilities and (
            len(self.probabilities) != len(self.values) or abs(sum(self.probabilities) - 1) > 1e-6
        ):
            raise ValueError(
                f"parameter {self.name} has the probabilities {self.probabilities}, but "
                f"one for each of {len(self.values)} values, of sum 1, is wanted."
            )

    @property
    def varies(self) -> bool:
        """Whether runs differ in it, so that their names hold it."""
        return self.distribution != "constant" and len(self.values) != 1

    def grid(self) -> Sequence[Any]:
        """Its values, for a grid; raises ValueError for a continuous distribution."""
        if self.values:
            return self.values
        numbers = dict(self.numbers)
        if self.distribution == "int_uniform":
            return range(int(numbers["min"]), int(numbers["max"]) + 1)
        if self.distribution == "q_uniform":
            low, q = numbers["min"], numbers["q"]
            return [low + i * q for i in range(math.floor((numbers["max"] - low) / q + 1e-9) + 1)]
        raise ValueError(
            f"parameter {self.name} is {self.distribution}, which no grid can list. "
            "Give it values:, or take method: random."
        )

    def quantile(self, u: float) -> Any:
        """The value below which a share u of the distribution lies, 0 < u < 1."""
        numbers = dict(self.numbers)
        low, high = numbers.get("min", 0.0), numbers.get("max", 0.0)
        mu, sigma, q = (numbers.get(k, DEFAULTS[k]) for k in ("mu", "sigma", "q"))
        match self.distribution:
            case "constant" | "categorical":
                return self.values[min(int(u * len(self.values)), len(self.values) - 1)]
            case "categorical_w_probabilities":
                return self.values[_index(u, self.probabilities)]
            case "int_uniform":
                return min(int(low + u * (high + 1 - low)), int(high))
            case "uniform":
                return low + u * (high - low)
            case "q_uniform":
                return _rounded(low + u * (high - low), q)
            case "log_uniform":
                return math.exp(low + u * (high - low))
            case "log_uniform_values":
                return low * (high / low) ** u
            case "q_log_uniform_values":
                return _rounded(low * (high / low) ** u, q)
            case "inv_log_uniform_values":
                return 1 / (1 / high * ((1 / low) / (1 / high)) ** (1 - u))
        z = mu + sigma * statistics.NormalDist().inv_cdf(min(max(u, 1e-12), 1 - 1e-12))
        if self.distribution == "log_normal":
            return math.exp(z)
        return _rounded(z, q) if self.distribution == "q_normal" else z


def _rounded(value: float, q: float) -> float:
    """To a multiple of q; a whole number where q is one, as W&B draws it."""
    return round(value / q) * q


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
        f"parameter {name} has {', '.join(entry) or 'nothing'}, but value:, values: or "
        "min: and max: are wanted."
    )


def _index(u: float, probabilities: Sequence[float]) -> int:
    total = 0.0
    for i, p in enumerate(probabilities):
        total += p
        if u < total:
            return i
    return len(probabilities) - 1
