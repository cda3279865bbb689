# SPDX-License-Identifier: Apache-2.0
"""Between the checkpoint of a fleet and those of its members.

Those of the members are as `disent fit` writes them. The trainer of a fleet counts what the trainer
of each member would count: only weights, optimizers, the data's place and the callbacks' state are
replaced.
"""

from collections.abc import Mapping, Sequence
from typing import Any

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
    own, k, first = stack.place_of(i)
    states = whole["optimizer_states"][first:][: len(own.updates)]
    return {
        **{name: value for name, value in whole.items() if name != STACK_DATA},
        "state_dict": own.weights(k),
        "optimizer_states": [own.apart(state, u, k) for u, state in enumerate(states)],
        "callbacks": dict(callbacks),
        DATA: {**members[i].data.state_dict(), "position": whole[STACK_DATA]["position"]},
    }


def join(parts: Sequence[Checkpoint], stack: Stack, callbacks: Mapping[str, Any]) -> Checkpoint:
    """The checkpoint from which the trainer of the fleet goes on, from those of its members.

    The weights of the stack are those of the checkpoints afterwards.

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
    optimizers = []
    for own in stack.parts:
        of_own = [parts[i] for i in own.members]
        own.load([checkpoint["state_dict"] for checkpoint in of_own])
        for u in range(len(own.updates)):
            optimizers.append(own.joined([c["optimizer_states"][u] for c in of_own], u))
    kept = {name: value for name, value in first.items() if name != DATA}
    replaced = {"state_dict": stack.state_dict(), "optimizer_states": optimizers}
    place = {STACK_DATA: {"position": first[DATA]["position"]}}
    return {**kept, **replaced, "callbacks": dict(callbacks), **place}
