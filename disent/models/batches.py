# SPDX-License-Identifier: Apache-2.0
"""Whatever a DataLoader hands out, as pictures of a step."""

from typing import Any

import torch
from torch import Tensor

from disent.data.base import Batch

WANTED = (
    "A batch is a tensor of pictures [B, C, H, W] in [0, 1], (pictures,), or (pictures, labels)"
)


def as_batch(given: Any) -> Batch:
    """The batch in what a DataLoader gave: a tensor, (x,), (x, y), or a Batch.

    Raises:
        ValueError: It is something else, or its pictures are no floating-point numbers.
    """
    if isinstance(given, Batch):
        return given
    if isinstance(given, Tensor):
        return Batch(_checked(given))
    if isinstance(given, tuple | list) and len(given) in (1, 2) and isinstance(given[0], Tensor):
        return Batch(_checked(given[0]), _labels(given[1]) if len(given) == 2 else None)
    raise ValueError(f"a batch of type {type(given).__name__} came. {WANTED}.")


def _checked(x: Tensor) -> Tensor:
    if x.ndim != 4 or not x.is_floating_point():
        raise ValueError(
            f"pictures of shape {list(x.shape)} and type {x.dtype} came. {WANTED}; bytes become "
            "such by x.float() / 255."
        )
    return x


def _labels(y: Any) -> Tensor | None:
    """Labels as Int[B, K]; None for what is no table of whole numbers, such as another picture."""
    if not isinstance(y, Tensor) or y.is_floating_point() or y.dtype == torch.bool or y.ndim > 2:
        return None
    return y[:, None] if y.ndim == 1 else y
