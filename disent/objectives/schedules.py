# SPDX-License-Identifier: Apache-2.0
"""Schedules: a value as a function of the step, with no counter that a resumed run could lose."""

import torch
from torch import Tensor


def constant(step: int | Tensor, *, value: float | Tensor) -> Tensor:
    """`value` at every step.

    Example:
        >>> constant(7, value=4.0)
        tensor(4.)
    """
    return torch.as_tensor(value) + 0 * torch.as_tensor(step)


def linear(step: int | Tensor, *, stop: float | Tensor, over: int | Tensor) -> Tensor:
    """Rises from 0 at step 0 to `stop` at step `over`, then stays (Burgess et al., 2018, sec. 5).

    Example:
        >>> linear(50_000, stop=25.0, over=100_000)
        tensor(12.5000)
    """
    return stop * (torch.as_tensor(step) / over).clamp(0, 1)


def cyclic(step: int | Tensor, *, stop: float | Tensor, period: int | Tensor) -> Tensor:
    """Rises from 0 to `stop` over the first half of each `period`, then stays for the second half.

    Fu et al. (2019), "Cyclical Annealing Schedule", eq. 6 with ratio 1/2.

    Example:
        >>> [float(cyclic(step, stop=1.0, period=8)) for step in (0, 2, 4, 7, 8)]
        [0.0, 0.5, 1.0, 1.0, 0.0]
    """
    phase = (torch.as_tensor(step) % period) / period
    return stop * (2 * phase).clamp(0, 1)
