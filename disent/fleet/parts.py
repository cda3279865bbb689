# SPDX-License-Identifier: Apache-2.0
"""The parts that a fleet trains in turn: a model alone, or several with their weights stacked."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from disent.data.base import Batch
from disent.models.base import Model, Update
from disent.streams import Stream

LOSSES = "losses"  # under which stacked models tell the loss of each
State = dict[str, Any]


class Part(Protocol):
    """What `take_step` steps as one model, with the states of the members that it holds.

    Attributes:
        members: Their numbers in the fleet.
        updates: What a step does.
    """

    members: list[int]
    updates: tuple[Update, ...]

    def __call__(self, batch: Batch, noise: Tensor, step: Any, loss: str) -> Any: ...
    def share(self, rows: Tensor) -> Tensor:
        """What the part takes of a tensor that has all members of the fleet in front."""
        ...

    def optimizers(self) -> list[torch.optim.Optimizer]:
        """One for each update."""
        ...

    def split(self, told: Mapping[str, Tensor], loss: Tensor, k: int) -> dict[str, Tensor]:
        """What a step told of its k-th member, `loss` among it."""
        ...

    def weights(self, k: int) -> State:
        """State dict of its k-th member, on the CPU."""
        ...

    def load(self, states: Sequence[State]) -> None:
        """Takes the weights of state dicts, one a member."""
        ...

    def apart(self, state: State, update: int, k: int) -> State:
        """The k-th member's share of the state of an update's optimizer."""
        ...

    def joined(self, states: Sequence[State], update: int) -> State:
        """The state of an update's optimizer from those of its members."""
        ...


class Alone(nn.Module):
    """One member, through the kernels of a run alone: it equals that run, bit for bit."""

    def __init__(self, model: Model, member: int) -> None:
        super().__init__()
        self.model, self.members, self.updates = model, [member], model.updates

    def forward(self, batch: Batch, noise: Tensor, step: Any, loss: str) -> Any:
        return self.model(batch, noise, step, loss)

    def share(self, rows: Tensor) -> Tensor:
        return rows[self.members[0]]

    def optimizers(self) -> list[torch.optim.Optimizer]:
        return self.model.configure_optimizers()

    def split(self, told: Mapping[str, Tensor], loss: Tensor, k: int) -> dict[str, Tensor]:
        return {"loss": loss, **told}

    def weights(self, k: int) -> State:
        return {name: _copied(value, value) for name, value in self.model.state_dict().items()}

    def load(self, states: Sequence[State]) -> None:
        self.model.load_state_dict(states[0])

    def apart(self, state: State, update: int, k: int) -> State:
        return copy.deepcopy(state)

    def joined(self, states: Sequence[State], update: int) -> State:
        return states[0]


class Stacked(nn.Module):
    """Members of one kind that share their kernels, by `vmap` over stacked weights and knobs.

    Batched kernels round otherwise than those of a run alone, and Adam's first steps amplify that:
    gradients agree, weights and curves drift apart. No member's loss depends on another's weights,
    and Adam and Adagrad act number by number, so one optimizer does what one for each would do.

    Args:
        models: Of one kind, see `kind_of`; they may differ in weights and knobs.
        members: Their numbers in the fleet.
        compiled: Whether the losses are compiled, into CUDA graphs on a GPU.
    """

    def __init__(self, models: Sequence[Model], members: list[int], compiled: bool) -> None:
        super().__init__()
        first = models[0]
        self.members, self.updates = members, first.updates
        self._layouts = {n: w.detach().to("meta") for n, w in first.named_parameters()}
        self._kept = list(first.state_dict())
        stacked = {n: self._stack(n, [m.get_parameter(n) for m in models]) for n in self._layouts}
        # dots are not allowed in the names of parameters
        self._stack_of = nn.ParameterList(stacked.values())
        self._names = list(stacked)
        for name, values in stack_module_state(cast(Any, list(models)))[1].items():
            self.register_buffer(name.replace(".", "/"), values, persistent=False)
        self._template = [copy.deepcopy(first)]  # in a list: its own weights are never used
        for model in models:
            _forget_weights(model)  # they are in the stack now
        self._call = self._at_once
        # the CUDA graph of an update gives its memory to that of the next one
        self._overwrites = compiled and len(self.updates) > 1
        if compiled:
            self._call = torch.compile(self._at_once, mode="reduce-overhead")

    def forward(self, batch: Batch, noise: Tensor, step: Any, loss: str) -> Any:
        # filled on the device: nothing waits for a copy, and no number is compiled in
        now = torch.full((), step, device=noise.device)
        losses, told = self._call(batch.tensors(), noise, now, loss)
        if self._overwrites:
            told = {name: value.detach().clone() for name, value in told.items()}
        first = loss == self.updates[0].loss
        apart = losses.detach().clone() if self._overwrites else losses
        return losses.sum(), {**told, **({LOSSES: apart} if first else {})}

    def _at_once(
        self, tensors: dict[str, Tensor], noise: Tensor, step: Tensor, loss: str
    ) -> tuple[Tensor, dict[str, Tensor]]:
        def one(state: dict[str, Tensor], tensors: dict[str, Tensor], noise: Tensor) -> Any:
            given = (Batch.of(tensors), noise, step, loss)
            return functional_call(self._template[0], state, given)

        knobs = {name.replace("/", "."): values for name, values in self.named_buffers()}
        weights = dict(zip(self._names, self._stack_of, strict=True))
        return vmap(one)({**weights, **knobs}, tensors, noise)

    def share(self, rows: Tensor) -> Tensor:
        return rows[self.members]

    def optimizers(self) -> list[torch.optim.Optimizer]:
        weights = dict(zip(self._names, self._stack_of, strict=True))
        model = self._template[0]
        return [
            model.optimizer_of(update, [weights[name] for name in model.weights_of(update)])
            for update in self.updates
        ]

    def split(self, told: Mapping[str, Tensor], loss: Tensor, k: int) -> dict[str, Tensor]:
        mine = {name: values[k] for name, values in told.items() if name != LOSSES}
        return {"loss": told[LOSSES][k], **mine}

    def weights(self, k: int) -> State:
        stacked: dict[str, Tensor] = dict(zip(self._names, self._stack_of, strict=True))
        stacked |= {name.replace("/", "."): values for name, values in self.named_buffers()}
        return {n: _copied(stacked[n][k], self._layouts.get(n, stacked[n][k])) for n in self._kept}

    def load(self, states: Sequence[State]) -> None:
        with torch.no_grad():
            for name, weight in zip(self._names, self._stack_of, strict=True):
                weight.copy_(torch.stack([state[name] for state in states]))

    def apart(self, state: State, update: int, k: int) -> State:
        layouts = [self._layouts[name] for name in self._moved(update)]
        apart = {
            i: {name: _share(value, layouts[i], k) for name, value in values.items()}
            for i, values in state["state"].items()
        }
        return {"state": apart, "param_groups": copy.deepcopy(state["param_groups"])}

    def joined(self, states: Sequence[State], update: int) -> State:
        names = self._moved(update)
        joined = {
            i: {
                name: self._join(names[i], [s["state"][i][name] for s in states]) for name in values
            }
            for i, values in states[0]["state"].items()
        }
        return {"state": joined, "param_groups": copy.deepcopy(states[0]["param_groups"])}

    def _moved(self, update: int) -> list[str]:
        """The weights that an update moves, in the order of its optimizer."""
        return list(self._template[0].weights_of(self.updates[update]))

    def _join(self, name: str, values: list[Tensor]) -> Tensor:
        """Stacked where there is a number for each weight; such as Adam's count of steps: one."""
        if values[0].ndim < self._layouts[name].ndim:
            return values[0].detach().clone()
        return self._stack(name, values).detach()

    def _stack(self, name: str, values: Sequence[Tensor]) -> nn.Parameter:
        """One tensor with the members in front; each lies in memory as it does alone."""
        layout = self._layouts[name]
        whole = torch.empty_strided(
            (len(values), *layout.shape), (layout.numel(), *layout.stride()), dtype=values[0].dtype
        )
        return nn.Parameter(whole.copy_(torch.stack([value.detach() for value in values])))


def kind_of(model: Model) -> str:
    """What models must share so that only weights and knobs differ, and kernels can be shared."""
    parts = [
        f"{name} {type(part).__qualname__} {_settings(part)}"
        for name, part in model.named_modules()
    ]
    shapes = {name: tuple(weight.shape) for name, weight in model.named_parameters()}
    return f"{parts} {shapes}"


def _settings(part: nn.Module) -> dict[str, Any]:
    """A module's attributes but for its noise; those of Lightning and torch begin with _.

    What is written by its place in memory alone is like no other, and makes a kind of its own.
    """
    of_own = vars(part).items()
    return {k: v for k, v in of_own if not k.startswith("_") and not isinstance(v, Stream)}


def _forget_weights(model: Model) -> None:
    """Leaves a model its knobs, and gives back the memory of its weights."""
    for name, weight in list(model.named_parameters()):
        place, _, last = name.rpartition(".")
        setattr(model.get_submodule(place), last, nn.Parameter(weight.detach().to("meta")))


def _share(value: Tensor, layout: Tensor, k: int) -> Tensor:
    """A member's part of a value of an optimizer; what is one number for all is copied."""
    if value.ndim <= layout.ndim:
        return _copied(value, value)
    return _copied(value[k], layout)


def _copied(value: Tensor, layout: Tensor) -> Tensor:
    """A copy on the CPU with the strides of a model of its own, which optimizers rely on."""
    like = layout if value.shape == layout.shape else value
    copied = torch.empty_strided(value.shape, like.stride(), dtype=value.dtype)
    return copied.copy_(value.detach())
