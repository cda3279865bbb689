# SPDX-License-Identifier: Apache-2.0
"""What every score of the room is, and how a caller learns what it wants.

A score is a function that returns one number as a float64 scalar, or a NamedTuple of such numbers;
one that compares m runs, Float64[m]. Its positional parameters name what it is given, out of these:

    codes           Float[n, d], the representation to be judged: posterior means, or samples
    factors         Int[n, k], the factor values of the same pictures
    grid            FactorGrid; then `means` are of the whole grid, by flat index
    means, logvars  Float[n, d], the posterior of every picture
    codes_of_runs   Float[m, n, d], the codes of the same pictures by m runs
    rates_of_runs   Float[m, d], the rate of every latent of the same m runs
    log_weights     Float[n, k], log p(x, z) - log q(z|x) of k samples z of q(z|x), a picture a row

Keyword-only parameters are settings with defaults, which a record states; with `seed`, it draws.
Decorated with `disent.metrics.arrays.takes_arrays`, it takes NumPy arrays as well as tensors.
"""

import inspect
from collections.abc import Callable

from torch import Tensor

# scores that see factors by their mutual information, or as numbers, or that cut them themselves:
# for them a continuous factor may be cut into equal bins, as `information.equal_width` cuts codes
SEES_BINS = frozenset(
    {"dcimig", "irs", "jemmig", "mig", "mig_sup", "minimality", "modularity", "sap_r2"}
    | {"sufficiency"}
)

Score = Callable[..., Tensor | tuple[Tensor, ...]]


def wants(score: Score) -> tuple[str, ...]:
    """The names of what the score is given, in order.

    Example:
        >>> from disent.metrics import beta_vae_score
        >>> wants(beta_vae_score)
        ('codes', 'factors')
    """
    parameters = inspect.signature(score).parameters.values()
    return tuple(p.name for p in parameters if p.kind is not p.KEYWORD_ONLY)


def settings(score: Score) -> dict[str, int | float | str | bool]:
    """The score's settings and their defaults.

    Example:
        >>> from disent.metrics import mig
        >>> settings(mig)
        {'bins': 20}
    """
    parameters = inspect.signature(score).parameters.values()
    return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}


def numbers(name: str, value: Tensor | tuple[Tensor, ...]) -> dict[str, float]:
    """The numbers that a score returned, by name: one, or one for each field of its tuple.

    Example:
        >>> import torch
        >>> numbers("mig", torch.tensor(0.5))
        {'mig': 0.5}
    """
    if isinstance(value, Tensor):
        return {name: float(value)}
    fields = value._asdict()  # type: ignore[attr-defined]  # scores return NamedTuples
    return {f"{name}.{field}": float(number) for field, number in fields.items()}
