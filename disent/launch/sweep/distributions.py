# SPDX-License-Identifier: Apache-2.0
"""The distributions of W&B sweeps, with W&B's defaults, each as a function of one uniform number.

What each takes is W&B's published schema (https://github.com/wandb/sweeps, config/schema.json, at
commit 023865a); what each draws is its inverse cumulative distribution function, as that
repository's params.py applies it. A whole number among the multiples of q is drawn as such, for so
it comes to an agent: through JSON, which does not tell 3.0 from 3.
"""

import math
import statistics
from collections.abc import Mapping
from typing import Any

REQUIRED = {
    "constant": ("value",),
    "categorical": ("values",),
    "categorical_w_probabilities": ("values", "probabilities"),
    "int_uniform": ("min", "max"),
    "uniform": ("min", "max"),
    "q_uniform": ("min", "max"),
    "log_uniform": ("min", "max"),
    "log_uniform_values": ("min", "max"),
    "q_log_uniform": ("min", "max"),
    "q_log_uniform_values": ("min", "max"),
    "inv_log_uniform": ("min", "max"),
    "inv_log_uniform_values": ("min", "max"),
    "normal": (),
    "q_normal": (),
    "log_normal": (),
    "q_log_normal": (),
    "beta": (),
    "q_beta": (),
}
Q, NORMAL, BETA = {"q": 1.0}, {"mu": 0.0, "sigma": 1.0}, {"a": 1.0, "b": 1.0}
DEFAULTS: dict[str, dict[str, float]] = {
    "q_uniform": Q,
    "q_log_uniform": Q,
    "q_log_uniform_values": Q,
    "normal": NORMAL,
    "q_normal": NORMAL | Q,
    "log_normal": NORMAL,
    "q_log_normal": NORMAL | Q,
    "beta": BETA,
    "q_beta": BETA | Q,
}
NUMBERS = ("min", "max", "q", "mu", "sigma", "a", "b")
LARGEST = math.log(1.7e308)  # whose exponential is a number


def allowed(distribution: str) -> tuple[str, ...]:
    """The keys that an entry of this distribution may have, besides `distribution`."""
    return (*REQUIRED[distribution], *DEFAULTS.get(distribution, {}))


def quantile(distribution: str, u: float, numbers: Mapping[str, float]) -> float:
    """The number below which a share u of a distribution of numbers lies, 0 < u < 1.

    Example:
        >>> quantile("q_uniform", 0.5, {"min": 0, "max": 5, "q": 2})
        2
    """
    if distribution == "int_uniform":
        low, high = int(numbers["min"]), int(numbers["max"])
        return min(low + int(u * (high + 1 - low)), high)
    value = _continuous(distribution.removeprefix("q_"), u, numbers)
    return whole(round(value / numbers["q"]) * numbers["q"]) if "q" in numbers else value


def whole(value: float) -> float:
    """A whole number as an integer, any other as it is.

    Example:
        >>> whole(3.0), whole(2.5)
        (3, 2.5)
    """
    return int(value) if float(value).is_integer() else value


def wrong(distribution: str, numbers: Mapping[str, Any]) -> str:
    """What is wrong with the numbers of a distribution; empty where nothing is."""
    if numbers.get("q", 1) <= 0:
        return f"has q: {numbers['q']}, but q must be > 0"
    if numbers.get("sigma", 0) < 0:
        return f"has sigma: {numbers['sigma']}, but sigma must be >= 0"
    if min(numbers.get("a", 1), numbers.get("b", 1)) <= 0:
        return f"has a: {numbers['a']} and b: {numbers['b']}, but both must be > 0"
    if "min" not in numbers:
        return ""
    low, high = numbers["min"], numbers["max"]
    if not low < high:
        return f"runs from {low} to {high}, but min must be below max (a single one: value:)"
    if distribution == "int_uniform" and not (isinstance(low, int) and isinstance(high, int)):
        return f"is int_uniform from {low} to {high}, but whole numbers are wanted"
    if distribution.endswith("log_uniform_values") and low <= 0:
        return f"is log-uniform from {low}, but min must be > 0"
    if distribution.endswith("log_uniform") and max(abs(low), abs(high)) > LARGEST:
        return (
            f"is {distribution} from {low} to {high}, which are exponents of e: too large. "
            f"{distribution}_values takes the values themselves"
        )
    return ""


def _continuous(distribution: str, u: float, numbers: Mapping[str, float]) -> float:
    low, high = numbers.get("min", 0.0), numbers.get("max", 0.0)
    match distribution:
        case "uniform":
            return low + u * (high - low)
        case "log_uniform":
            return math.exp(low + u * (high - low))
        case "inv_log_uniform":  # of which log(1/x) is uniform from min to max
            return math.exp(-(low + (1 - u) * (high - low)))
        case "log_uniform_values":
            return low * (high / low) ** u
        case "inv_log_uniform_values":  # log(1/x) is uniform, and so is log x
            return 1 / (1 / high * ((1 / low) / (1 / high)) ** (1 - u))
        case "beta":
            from scipy.special import betaincinv  # here: sweeps without it start sooner

            return float(betaincinv(numbers["a"], numbers["b"], u))
    z = statistics.NormalDist().inv_cdf(min(max(u, 1e-12), 1 - 1e-12))
    value = numbers["mu"] + numbers["sigma"] * z
    return math.exp(min(value, LARGEST)) if distribution == "log_normal" else value
