# SPDX-License-Identifier: Apache-2.0
"""Between the checkpoint of a fleet and those of its members.

Those of the members are as `disent fit` writes them. The trainer of a fleet counts what the trainer
of each member would count, and knows the same optimizer: only weights, optimizer state, the data's
place and the callbacks' state are replaced.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from disent.fleet.member import Member
from disent.fleet.stack import Stack

Checkpoint = dict[str, Any]
STACK_DATA, DATA = "FleetData", "FactorDataModule"


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
    weights = [whole["state_dict"][f"weights.{k}"] for k in range(len(stack.weights))]
    optimizers = [
        {
            "state": _apart([stack.share(row, i) for row in rows], names),
            "param_groups": [
                {**group, "params": list(range(len(stack.names)))}
                for group in optimizer["param_groups"]
            ],
        }
        for optimizer in whole["optimizer_states"]
        for names, rows in [_by_name(optimizer["state"])]
    ]
    position = whole["loops"]["fit_loop"]["state_dict"]["combined_loader"][0]["position"]
    return {
        **{name: value for name, value in whole.items() if name != STACK_DATA},
        "state_dict": dict(zip(stack.names, stack.share(weights, i), strict=True)),
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
    weights = stack.join([[c["state_dict"][name] for name in stack.names] for c in parts])
    optimizers = []
    for n, optimizer in enumerate(first["optimizer_states"]):
        split = [_by_name(checkpoint["optimizer_states"][n]["state"]) for checkpoint in parts]
        names = split[0][0]
        rows = [stack.join(shares) for shares in zip(*(rows for _, rows in split), strict=True)]
        groups = [
            {**group, "params": list(range(len(stack.weights)))}
            for group in optimizer["param_groups"]
        ]
        optimizers.append({"state": _apart(rows, names), "param_groups": groups})
    state = {f"weights.{k}": weight for k, weight in enumerate(weights)}
    replaced = {"state_dict": state, "optimizer_states": optimizers, "callbacks": dict(callbacks)}
    kept = {name: value for name, value in first.items() if name != DATA}
    return {**kept, **replaced, STACK_DATA: {"position": first[DATA]["position"]}}


def _by_name(state: dict[int, dict[str, Tensor]]) -> tuple[list[str], list[list[Tensor]]]:
    """An optimizer's state as a row of tensors for each name, and the names."""
    names = list(state[0]) if state else []
    return names, [[state[k][name] for k in sorted(state)] for name in names]


def _apart(rows: Sequence[Sequence[Tensor]], names: Sequence[str]) -> dict[int, dict[str, Tensor]]:
    """The inverse of `_by_name`."""
    columns = list(zip(*rows, strict=True))
    return {k: dict(zip(names, column, strict=True)) for k, column in enumerate(columns)}
