# SPDX-License-Identifier: Apache-2.0
"""Models of one network as one module: stacked weights, stacked knobs, one optimizer."""

import copy
from collections.abc import Sequence
from itertools import groupby
from typing import Any, cast

import torch
from jaxtyping import Float
from lightning.pytorch import LightningModule
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from disent.fleet.loader import Batch
from disent.models.vae import VAE
from disent.objectives.base import Objective, Terms


class Stack(LightningModule):
    """n models that are trained together, each on its own batch and by its own objective.

    The terms of all members come from one `vmap` over the pure `VAE.forward`; the losses, from one
    `vmap` for each class of objective, over the knobs. Their sum is minimised: no member's loss
    depends on another's weights, so each gets the gradients of its own. Adam and Adagrad act
    number by number, hence on stacked weights as on those of one member.

    A member equals its run alone up to the rounding of batched kernels.

    Args:
        models: Of one network, likelihood and optimizer; they may differ in objective and seed.
            Their weights move into the stack.
        compiled: Whether the step is compiled (into CUDA graphs on a GPU).

    Attributes:
        names: Of the weights, as in each model's own state dict.
        layouts: Empty tensors with each weight's shape and strides in a model of its own.
    """

    def __init__(self, models: Sequence[VAE], *, compiled: bool = False) -> None:
        super().__init__()
        _check_same(models)
        optimizer = models[0].configure_optimizers()
        self._optimizer = (type(optimizer), dict(optimizer.defaults))
        weights = stack_module_state(cast(Any, [model.network for model in models]))[0]
        self.names = [f"network.{name}" for name in weights]
        self.layouts = [weight.detach().to("meta") for weight in models[0].network.parameters()]
        self.weights = nn.ParameterList(weight.contiguous() for weight in weights.values())
        template = copy.deepcopy(models[0])
        template.objective = _Unused()
        self._template = [template]  # in a list: its weights are no part of this module
        self.models = list(models)
        for model in models:
            model.network.to("meta")
        self._knobs = nn.ModuleList(
            _Knobs([model.objective for model in same])
            for _, same in groupby(models, lambda model: kind_of(model.objective))
        )
        self._step_of_all = self.losses_and_terms
        if compiled:
            self._step_of_all = torch.compile(self.losses_and_terms, mode="reduce-overhead")

    def __len__(self) -> int:
        return len(self.models)

    def losses_and_terms(
        self, x: Float[Tensor, "n b c 64 64"], noise: Float[Tensor, "n b d"], step: Tensor
    ) -> tuple[Float[Tensor, "n"], Terms]:
        """Each member's loss and terms, in nats per image."""
        weights = dict(zip(self.names, self.weights, strict=True))

        def terms_of_one(weights: dict[str, Tensor], x: Tensor, noise: Tensor) -> Terms:
            return functional_call(self._template[0], weights, (x, noise, step))[1]

        terms = Terms(*vmap(terms_of_one)(weights, x, noise))
        losses, start = [], 0
        for knobs in self._knobs:
            end = start + len(knobs)
            losses.append(knobs(Terms(*(term[start:end] for term in terms)), step))
            start = end
        return torch.cat(losses), terms

    def training_step(self, batch: Batch, batch_idx: int) -> dict[str, Tensor]:
        x, noise = batch
        step = torch.full((), self.global_step, device=x.device)  # filled there: nothing waits
        losses, terms = self._step_of_all(x, noise, step)
        outputs = {"distortion": terms.distortion.detach(), "rate": terms.rate.detach()}
        return {"loss": losses.sum(), "losses": losses.detach(), **outputs}

    def configure_optimizers(self) -> torch.optim.Optimizer:
        kind, settings = self._optimizer
        return kind(self.weights, **settings)


def kind_of(objective: Objective) -> str:
    """What objectives must share so that only their knobs differ.

    Members of one kind side by side are computed at once.
    """
    settings = {k: v for k, v in vars(objective).items() if not k.startswith("_")}
    return f"{type(objective).__qualname__} {settings}"


class _Knobs(nn.Module):
    """Objectives of one class, by stacked knobs."""

    def __init__(self, objectives: Sequence[Objective]) -> None:
        super().__init__()
        self._objectives = list(objectives)  # in a list: they are no part of this module
        knobs = stack_module_state(cast(Any, objectives))[1]
        for name, values in knobs.items():
            self.register_buffer(name, values, persistent=False)

    def __len__(self) -> int:
        return len(self._objectives)

    def forward(self, terms: Terms, step: Tensor) -> Float[Tensor, "n"]:
        def loss_of_one(knobs: dict[str, Tensor], terms: Terms) -> Tensor:
            return functional_call(self._objectives[0], knobs, (terms, step))

        return vmap(loss_of_one)(dict(self.named_buffers()), terms)


class _Unused(Objective):
    """In the place of an objective where only the terms are wanted."""

    def forward(self, terms: Terms, step: int | Tensor) -> Float[Tensor, ""]:
        return terms.distortion.sum()


def _check_same(models: Sequence[VAE]) -> None:
    """Raises ValueError unless the models differ in objective, weights and noise alone."""
    first = models[0]
    for model in models:
        kind = type(model)
        if kind.forward is not VAE.forward or kind.training_step is not VAE.training_step:
            raise ValueError(
                f"{kind.__name__} has a step of its own, but a fleet trains VAEs that differ in "
                "their objective. Train it alone."
            )
        mine, its = (_shapes(m) for m in (first, model))
        if mine != its or (first.optimizer, first.lr) != (model.optimizer, model.lr):
            raise ValueError(
                f"the members of a fleet share network, optimizer and learning rate, but "
                f"{its} came beside {mine}. Make them two fleets."
            )


def _shapes(model: VAE) -> str:
    shapes = {name: list(weight.shape) for name, weight in model.named_parameters()}
    return f"{type(model.likelihood).__name__} {model.optimizer} {model.lr} {shapes}"
