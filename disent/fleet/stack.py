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

    The sum of their losses is minimised. No member's loss depends on another's weights, so each
    gets the gradients of its own; Adam and Adagrad act number by number, so one optimizer does for
    all of them what n would do.

    Batched, the terms of all members come from one `vmap` over the pure `VAE.forward` with stacked
    weights, and the losses from one `vmap` for each kind of objective over stacked knobs. Batched
    kernels round otherwise than those of a run alone, and Adam's first steps amplify that:
    gradients agree, weights and curves drift apart. Not batched, the members take turns through
    the kernels of a run alone, and equal it bit for bit; on one core that was not slower.

    Args:
        models: Of one network, likelihood and optimizer; they may differ in objective and seed.
            Their weights become those of the stack.
        batched: Whether the members share kernels; for accelerators.
        compiled: Whether the batched step is compiled, into CUDA graphs on a GPU.

    Attributes:
        names: Of the weights of one model, as in its own state dict.
        weights: Batched: one stacked tensor a name. Else: those of the first model, the second ...
    """

    def __init__(
        self, models: Sequence[VAE], *, batched: bool = False, compiled: bool = False
    ) -> None:
        super().__init__()
        _check_same(models)
        self.models, self.batched = list(models), batched  # a list: not registered, not moved
        optimizer = models[0].configure_optimizers()
        self._optimizer = (type(optimizer), dict(optimizer.defaults))
        self.names = [name for name, _ in models[0].named_parameters()]
        self._layouts = [weight.detach().to("meta") for weight in models[0].parameters()]
        if not batched:
            self.weights = nn.ParameterList(w for model in models for w in model.parameters())
            self._step = self._in_turns
            return
        self._template = [copy.deepcopy(models[0])]
        self._template[0].objective = _Unused()
        stacked = self.join([list(model.parameters()) for model in models])
        self.weights = nn.ParameterList(stacked)
        for model in models:
            model.network.to("meta")  # its weights are in the stack now
        objectives = [model.objective for model in models]
        alike = [list(same) for _, same in groupby(objectives, kind_of)]
        self._knobs, self._counts = nn.ModuleList(map(_Knobs, alike)), list(map(len, alike))
        self._step = self._at_once
        if compiled:
            self._step = torch.compile(self._at_once, mode="reduce-overhead")

    def __len__(self) -> int:
        return len(self.models)

    def losses_and_terms(
        self, x: Float[Tensor, "n b c 64 64"], noise: Float[Tensor, "n b d"], step: int
    ) -> tuple[Float[Tensor, "n"], Terms]:
        """Each member's loss and terms, in nats per image."""
        # filled on the device: nothing waits for a copy, and no number is compiled in
        now = torch.full((), step, device=x.device) if self.batched else torch.tensor(step)
        return self._step(x, noise, now)

    def _in_turns(self, x: Tensor, noise: Tensor, step: Tensor) -> tuple[Tensor, Terms]:
        done = [model(*given, step) for model, *given in zip(self.models, x, noise, strict=True)]
        losses, terms = zip(*done, strict=True)
        return torch.stack(losses), Terms(*map(torch.stack, zip(*terms, strict=True)))

    def _at_once(self, x: Tensor, noise: Tensor, step: Tensor) -> tuple[Tensor, Terms]:
        def terms_of_one(weights: dict[str, Tensor], x: Tensor, noise: Tensor) -> Terms:
            return functional_call(self._template[0], weights, (x, noise, step))[1]

        weights = dict(zip(self.names, self.weights, strict=True))
        terms = Terms(*vmap(terms_of_one)(weights, x, noise))
        losses, start = [], 0
        for knobs, count in zip(self._knobs, self._counts, strict=True):
            end = start + count
            losses.append(knobs(Terms(*(term[start:end] for term in terms)), step))
            start = end
        return torch.cat(losses), terms

    def training_step(self, batch: Batch, batch_idx: int) -> dict[str, Tensor]:
        losses, terms = self.losses_and_terms(*batch, self.global_step)
        outputs = {"distortion": terms.distortion.detach(), "rate": terms.rate.detach()}
        return {"loss": losses.sum(), "losses": losses.detach(), **outputs}

    def configure_optimizers(self) -> torch.optim.Optimizer:
        kind, settings = self._optimizer
        return kind(self.weights, **settings)

    def share(self, values: Sequence[Tensor], i: int) -> list[Tensor]:
        """The part of member `i` of tensors that go with `weights`: copies, on the CPU.

        They have the strides of a model of its own, which optimizers rely on. What is one number
        for all, such as Adam's count of steps, is copied as it is.
        """
        if not self.batched:
            k = len(self.names)
            values = values[i * k : (i + 1) * k]
        shares = []
        for value, layout in zip(values, self._layouts, strict=True):
            if self.batched and value.ndim > layout.ndim:
                value = value[i]
            like = layout if value.shape == layout.shape else value
            copied = torch.empty_strided(value.shape, like.stride(), dtype=value.dtype)
            shares.append(copied.copy_(value.detach()))
        return shares

    def join(self, shares: Sequence[Sequence[Tensor]]) -> list[Tensor]:
        """Tensors that go with `weights`, from the share of each member."""
        if not self.batched:
            return [value.detach().clone() for share in shares for value in share]
        joined = []
        for layout, *values in zip(self._layouts, *shares, strict=True):
            if values[0].ndim < layout.ndim:
                joined.append(values[0].detach().clone())
                continue
            shape, stride = layout.shape, layout.stride()
            strides = (layout.numel(), *stride)
            whole = torch.empty_strided((len(self), *shape), strides, dtype=values[0].dtype)
            joined.append(whole.copy_(torch.stack([value.detach() for value in values])))
        return joined


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
        self._one = [objectives[0]]  # in a list: its own knobs are never used
        knobs = stack_module_state(cast(Any, objectives))[1]
        for name, values in knobs.items():
            self.register_buffer(name, values, persistent=False)

    def forward(self, terms: Terms, step: Tensor) -> Float[Tensor, "n"]:
        def loss_of_one(knobs: dict[str, Tensor], terms: Terms) -> Tensor:
            return functional_call(self._one[0], knobs, (terms, step))

        return vmap(loss_of_one)(dict(self.named_buffers()), terms)


class _Unused(Objective):
    """In the place of an objective where only the terms are wanted."""

    def forward(self, terms: Terms, step: int | Tensor) -> Float[Tensor, ""]:
        return terms.distortion.sum()


def overridden(kind: type[VAE]) -> list[str]:
    """What a subclass does in its own way: a fleet would do it as a VAE does."""
    own = kind.__mro__[: kind.__mro__.index(VAE)]
    names = {name for part in own for name in vars(part) if not name.startswith("_")}
    return sorted(name for name in names if hasattr(VAE, name))


def _check_same(models: Sequence[VAE]) -> None:
    """Raises ValueError unless the models differ in objective, weights and noise alone."""
    first = models[0]
    for model in models:
        if own := overridden(type(model)):
            raise ValueError(
                f"{type(model).__name__} has its own {', '.join(own)}, but a fleet trains VAEs "
                "that differ in their objective. Train it alone."
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
