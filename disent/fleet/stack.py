# SPDX-License-Identifier: Apache-2.0
"""Many models as one module that takes a step of each."""

from collections.abc import Sequence
from typing import Any, cast

import torch
from jaxtyping import Float
from lightning.pytorch import LightningModule
from torch import Tensor, nn

from disent import internals
from disent.data.base import Batch
from disent.fleet.loader import FleetBatch
from disent.fleet.parts import Alone, Part, Stacked, kind_of
from disent.models.base import Model, Told, take_step
from disent.models.hooks import steps_in_its_own_way

ENGINE = ("forward", "draw_noise", "weights_of")  # besides a trainer's own hooks


class Stack(LightningModule):
    """n models that are trained together, each on its own batch and by its own losses.

    Not batched, the members take turns through the kernels of a run alone, and equal it bit for
    bit; on one core that was not slower. Batched, members of one kind share their kernels, see
    `Stacked`. In both ways every part is stepped by `take_step`, as a run alone is.

    Args:
        models: Of one kind of batch: the same views, labels and draws.
        batched: Whether members of one kind share kernels; for accelerators.
        compiled: Whether shared losses are compiled, into CUDA graphs on a GPU.
    """

    def __init__(
        self, models: Sequence[Model], *, batched: bool = False, compiled: bool = False
    ) -> None:
        super().__init__()
        check_trainable(models)
        self.automatic_optimization = False
        parts: list[nn.Module] = []
        if batched:
            for numbers in _by_kind(models).values():
                parts.append(Stacked([models[i] for i in numbers], numbers, compiled))
        else:
            parts = [Alone(model, i) for i, model in enumerate(models)]
        self._parts, self._size = nn.ModuleList(parts), len(models)

    def __len__(self) -> int:
        return self._size

    @property
    def parts(self) -> list[Part]:
        """What is stepped in turn."""
        return [cast(Part, part) for part in self._parts]

    def take(
        self,
        optimizers: Sequence[torch.optim.Optimizer],
        batch: Batch,
        noise: Float[Tensor, "n b w"],
        step: int,
    ) -> list[Told]:
        """One step of every member.

        Args:
            optimizers: As `configure_optimizers` gave them.
            batch: With the members in front.
            noise: Likewise.
            step: Counted from 0.
        Returns:
            Of each member its loss and what it tells, in nats per image.
        """
        told, left = [Told()] * len(self), iter(optimizers)
        for part in self.parts:
            own = [next(left) for _ in part.updates]
            loss, of_all = take_step(part, own, batch.each(part.share), part.share(noise), step)
            for k, i in enumerate(part.members):
                told[i] = part.split(of_all, loss, k)
        return told

    def training_step(self, batch: FleetBatch, batch_idx: int) -> dict[str, Any]:
        found: Any = self.optimizers(use_pl_optimizer=False)
        optimizers = found if isinstance(found, list) else [found]
        told = self.take(optimizers, batch.batch, batch.noise, self.global_step)
        internals.count_step(self.trainer)
        losses = torch.stack([each["loss"] for each in told])
        return {"loss": losses.sum(), "losses": losses, "told": told}

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        return [optimizer for part in self.parts for optimizer in part.optimizers()]

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        internals.count_alike(checkpoint)

    def place_of(self, i: int) -> tuple[Part, int, int]:
        """Where member `i` is: its part, its number there, and the part's first optimizer."""
        first = 0
        for part in self.parts:
            if i in part.members:
                return part, part.members.index(i), first
            first += len(part.updates)
        raise IndexError(f"there is no member {i} of {len(self)}.")


def check_trainable(models: Sequence[Model]) -> None:
    """Raises ValueError unless the engine can take these models' steps from one loader."""
    for model in models:
        if own := overridden(type(model)):
            raise ValueError(
                f"{type(model).__name__} has its own {', '.join(own)}, so that a fleet would take "
                "its steps in another way. Train it alone."
            )
        if asks_for(model) != asks_for(models[0]):
            raise ValueError(
                f"the members of a fleet ask for the same batches, but {asks_for(model)} came "
                f"beside {asks_for(models[0])}. Make them two fleets."
            )


def asks_for(model: Model) -> str:
    """What a model wants of a batch, in words."""
    views = f"views {model.views} that differ in {model.changed_factors}"
    return f"{views}, labels {model.labels}, noise {dict(model.draws())}"


def overridden(kind: type[Model]) -> list[str]:
    """What of the engine a class does in its own way."""
    engine = [name for name in ENGINE if getattr(kind, name) is not getattr(Model, name)]
    return steps_in_its_own_way(kind, Model) + engine


def _by_kind(models: Sequence[Model]) -> dict[str, list[int]]:
    """The numbers of the models of each kind."""
    kinds: dict[str, list[int]] = {}
    for i, model in enumerate(models):
        kinds.setdefault(kind_of(model), []).append(i)
    return kinds
