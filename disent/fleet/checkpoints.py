# SPDX-License-Identifier: Apache-2.0
"""Between the checkpoint of a fleet and those of its members.

Those of the members are as `disent fit` writes them. The trainer of a fleet counts what the trainer
of each member would count, and knows the same optimizer: only weights, optimizer state, the data's
place and the callbacks' state are replaced.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from disent.fleet.member import Member
from disent.fleet.stack import Stack

Checkpoint = dict[str, Any]
STACK_DATA, DATA = "FleetData", "FactorDataModule"
SHARED = "step"  # Adam's and Adagrad's count; the rest of their state has a number per weight


def part(
    whole: Checkpoint, stack: Stack, members: Sequence[Member], i: int, callbacks: Mapping[str, Any]
) -> Checkpoint:
    """The checkpoint of member `i`, on the CPU, from the trainer's checkpoint of the fleet.

    Args:
        whole: Of the fleet.
        stack: Its module.
        members: In the order of the stack.
        i: Which of them.
        callbacks: What the callbacks of `disent fit` would keep for it.
    """
    weights = [whole["state_dict"][f"weights.{k}"] for k in range(len(stack.names))]
    cut = [_cut(w, i, layout) for w, layout in zip(weights, stack.layouts, strict=True)]
    optimizers = []
    for optimizer in whole["optimizer_states"]:
        state = {
            k: {
                name: value.cpu().clone() if name == SHARED else _cut(value, i, stack.layouts[k])
                for name, value in of_one.items()
            }
            for k, of_one in optimizer["state"].items()
        }
        optimizers.append({**optimizer, "state": state})
    position = whole["loops"]["fit_loop"]["state_dict"]["combined_loader"][0]["position"]
    return {
        **{name: value for name, value in whole.items() if name != STACK_DATA},
        "state_dict": dict(zip(stack.names, cut, strict=True)),
        "optimizer_states": optimizers,
        "callbacks": dict(callbacks),
        DATA: {**members[i].data.state_dict(), "position": position},
    }


def join(parts: Sequence[Checkpoint], stack: Stack, callbacks: Mapping[str, Any]) -> Checkpoint:
    """The checkpoint from which the trainer of the fleet goes on, from those of its members.

    Args:
        parts: In the order of the stack, all of one step.
        stack: The fleet's module.
        callbacks: What the callbacks of the fleet go on from.
    """
    first = parts[0]
    steps = sorted({int(checkpoint["global_step"]) for checkpoint in parts})
    if len(steps) > 1:
        raise ValueError(
            f"the members of a fleet go on from one step, but checkpoints of steps {steps} came. "
            "Make a fleet for each step."
        )
    weights = {
        f"weights.{k}": _stacked([c["state_dict"][name] for c in parts])
        for k, name in enumerate(stack.names)
    }
    optimizers = []
    for n, optimizer in enumerate(first["optimizer_states"]):
        states = [checkpoint["optimizer_states"][n]["state"] for checkpoint in parts]
        state = {
            k: {
                name: value if name == SHARED else _stacked([s[k][name] for s in states])
                for name, value in of_one.items()
            }
            for k, of_one in optimizer["state"].items()
        }
        optimizers.append({**optimizer, "state": state})
    replaced = {"state_dict": weights, "optimizer_states": optimizers, "callbacks": dict(callbacks)}
    kept = {name: value for name, value in first.items() if name != DATA}
    return {**kept, **replaced, STACK_DATA: {"position": first[DATA]["position"]}}


def _cut(value: Tensor, i: int, layout: Tensor) -> Tensor:
    """The share of one member: a copy, with the strides that it has in a run alone."""
    share = torch.empty_strided(layout.shape, layout.stride(), dtype=value.dtype)
    return share.copy_(value.detach()[i])


def _stacked(values: Sequence[Tensor]) -> Tensor:
    """The inverse of `_cut` over all members."""
    return torch.stack(list(values)).contiguous()
