# SPDX-License-Identifier: Apache-2.0
"""Ranks that train one model together: what one rank alone would compute of the whole batch."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, distributed


def ranks() -> int:
    """How many processes train together; 1 outside a distributed run."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return 1
    return distributed.get_world_size()


def gather(share: Tensor) -> Tensor:
    """The rows of the whole batch in their order, from each rank's share; itself in one process.

    Differentiable. A loss of the whole batch is the same on every rank; its gradient by a rank's
    own share comes out `ranks()` times too large, which the mean of the ranks' gradients undoes:
    the ranks learn what one alone would.
    """
    return share if ranks() == 1 else _Gather.apply(share)  # pyright: ignore[reportReturnType]


def average_gradients(weights: Sequence[Tensor]) -> None:
    """Gives all ranks the mean of their gradients, in one message."""
    if ranks() == 1:
        return
    grads = [weight.grad for weight in weights if weight.grad is not None]
    if not grads:
        return
    flat = torch.cat([grad.flatten() for grad in grads])
    distributed.all_reduce(flat)
    flat /= ranks()
    for grad, part in zip(grads, flat.split([grad.numel() for grad in grads]), strict=True):
        grad.copy_(part.view_as(grad))


class _Gather(torch.autograd.Function):
    """Rank r holds rows r, r + R, r + 2 R ... of the whole batch, as the loader deals them."""

    @staticmethod
    def forward(ctx: Any, share: Tensor) -> Tensor:
        share = share.contiguous()
        parts = [torch.empty_like(share) for _ in range(ranks())]
        distributed.all_gather(parts, share)
        return torch.stack(parts, 1).flatten(0, 1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        whole = gradients[0].contiguous()
        distributed.all_reduce(whole)
        return whole[distributed.get_rank() :: ranks()]
