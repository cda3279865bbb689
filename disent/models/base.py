# SPDX-License-Identifier: Apache-2.0
"""The contract of every model: a step is a list of updates, each the gradient of a pure loss."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar
from zlib import crc32

import torch
from jaxtyping import Float, Int
from lightning.pytorch import LightningModule
from torch import Tensor, nn

from disent import internals
from disent.data.base import Batch, PictureDataset
from disent.gaussian import Posterior
from disent.models.batches import as_batch
from disent.models.hooks import is_logged
from disent.models.step import Noise, Told, Update, take_step
from disent.priors.base import Prior
from disent.priors.normal import StandardNormal
from disent.streams import Stream

__all__ = ["Model", "Noise", "Told", "Update", "take_step"]


class Model(LightningModule):
    """A model as it is trained alone, in bursts, captured in a CUDA graph, or in a fleet.

    A family gives `updates`, a pure method for each, and `draws`; and what pictures and scores ask
    for: `encode`, `decode` and `picture`. Resuming, fleets and traversals follow from these.

    Args:
        latent_dim: Number of latents D.
        seed: Of initial weights and noise: a resumed run sees the noise that it would have seen.
    Attributes:
        updates: What a step does.
        views: The pictures that a step wants: "own", and "independent" (a second batch, drawn
            apart) or "paired" (each with a picture that shares most factors), as `Batch.other`.
        changed_factors: In how many factors paired pictures differ, at most; None: in 1 to K - 1.
        labels: Whether a step wants the factors or labels of its pictures, as `Batch.factors`.
        conditions: Columns of the factors on which encoder or decoder depend, see `given`.
        best: What best.ckpt has the highest of, among what is logged; "-loss": the lowest loss.
        strength: Name of the knob that a study of the family varies, and its symbol in tables.
        named_by: Arguments that the names of its runs hold; None: all that a VAE has not.
        likelihood: p(x|z), where the model has one.
        prior: p(z), from which `sample` draws.
        follows_prior: Whether training makes the codes follow it; where not, pictures are sampled
            from densities fitted to the codes.
    """

    updates: ClassVar[tuple[Update, ...]]
    views: ClassVar[tuple[str, ...]] = ("own",)
    changed_factors: int | None = 1
    labels: bool = False
    conditions: tuple[int, ...] = ()
    best: ClassVar[str] = "-loss"
    strength: ClassVar[tuple[str, str] | None] = None
    named_by: ClassVar[tuple[str, ...] | None] = None
    prior: Prior
    follows_prior: ClassVar[bool] = True

    def __init__(self, latent_dim: int = 10, seed: int = 0) -> None:
        super().__init__()
        self.latent_dim, self.noise = latent_dim, Stream(seed, "posterior noise")
        self.prior = StandardNormal(latent_dim)
        self.automatic_optimization = len(self.updates) == 1

    def draws(self) -> Mapping[str, int]:
        """Standard normal numbers that a step wants of each picture, by what they are for."""
        return {"posterior": self.latent_dim}

    def forward(
        self,
        batch: Batch | Tensor,
        noise: Float[Tensor, "b w"] | None = None,
        step: int | Tensor = 0,
        loss: str | None = None,
    ) -> Any:
        """The loss of one update and what it tells, in nats per image; a pure function.

        With pictures alone: the decoder's parameters of their reconstructions.

        Args:
            batch: Pictures in [0, 1], and what is known of them.
            noise: From N(0, 1), as many numbers a picture as `draws` says, in its order.
            step: Counted from 0.
            loss: Of which update; None: the first.
        """
        batch = as_batch(batch)
        if noise is None:
            return self.decode(self.encode(batch.x).mean)
        names = self.draws()
        parts = dict(zip(names, noise.split(list(names.values()), -1), strict=True))
        return getattr(self, loss or self.updates[0].loss)(batch, parts, step)

    def training_step(self, batch: Any, batch_idx: int) -> dict[str, Tensor]:
        if hasattr(batch, "train"):  # it knows how its steps are taken
            loss, told = batch.train(self)
            done = self.global_step
        else:
            loss, told, done = self._ordinary_step(as_batch(batch), batch_idx)
        if is_logged(self.trainer, done):
            self.log_dict(self.report(loss, told, done - 1))
        return {"loss": loss, **{name: value.detach() for name, value in told.items()}}

    def _ordinary_step(self, batch: Batch, batch_idx: int) -> tuple[Tensor, Told, int]:
        """A step in anybody's trainer: its loss, what it tells, how many steps are done then."""
        parts, step = self.trainer.accumulate_grad_batches, self.global_step
        noise = self.draw_noise(len(batch.x), step * parts + batch_idx % parts).to(batch.x.device)
        if self.automatic_optimization:
            return *self(batch, noise, step), step + 1
        found: Any = self.optimizers(use_pl_optimizer=False)
        loss, told = take_step(self, _listed(found), batch, noise, step)
        internals.count_step(self.trainer)
        return loss, told, step + 1

    def report(self, loss: Tensor, told: Told, step: int) -> dict[str, Tensor]:
        """What is logged of a step, averaged over the batch; terms of losses in nats per image."""
        return {"loss": loss.detach(), **{name: value.mean() for name, value in told.items()}}

    def draw_noise(self, batch: int, position: int) -> Float[Tensor, "b w"]:
        """This rank's share of a batch's noise: the ranks together draw what one would draw."""
        ranks = self.trainer.world_size
        drawn = self.noise.normal(position, (batch * ranks, sum(self.draws().values())))
        return drawn[self.global_rank :: ranks]

    @contextmanager
    def seeded(self, name: str = "") -> Iterator[None]:
        """Weights made inside are a function of the model's seed and `name`."""
        with torch.random.fork_rng():
            torch.manual_seed(self.noise.seed + (crc32(name.encode()) if name else 0))
            yield

    def knob(self, name: str, value: float) -> None:
        """Keeps a setting as a buffer outside the checkpoint: the config is the only truth."""
        self.register_buffer(name, torch.tensor(float(value)), persistent=False)

    def encode(self, x: Float[Tensor, "b c h w"]) -> Posterior:
        """The posterior q(z|x), in float32, of pictures in [0, 1]."""
        raise NotImplementedError(f"{type(self).__name__} has no encoder.")

    def decode(self, z: Float[Tensor, "b d"]) -> Float[Tensor, "b o h w"]:
        """What the decoder gives for latents z: the likelihood's parameters, where there is one."""
        raise NotImplementedError(f"{type(self).__name__} has no decoder.")

    def picture(self, z: Float[Tensor, "b d"]) -> Float[Tensor, "b c h w"]:
        """The pictures of latents z, in [0, 1]: those expected, where there is a likelihood."""
        raise NotImplementedError(f"{type(self).__name__} draws no pictures of latents.")

    def distortion(
        self, x: Float[Tensor, "b c h w"], z: Float[Tensor, "b d"]
    ) -> Float[Tensor, "b"] | None:
        """-log p(x|z) in nats per image, summed over pixels; None for a model without p(x|z)."""
        return None

    def check_data(self, dataset: PictureDataset) -> None:
        """Raises ValueError, in one line, where the model cannot be trained on these pictures."""

    def given(self, factors: Int[Tensor, "b k"] | None) -> Any:
        """The model with its condition held at factor values, as scores and pictures use it.

        Itself where it has no condition. What is given encodes, decodes and draws like a model
        without one, batches of as many pictures as there are rows; one row is for all pictures.

        Args:
            factors: -1 where a value is not known; None: nothing is.
        """
        return self

    def reconstruct(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """The pictures of the posterior means, in [0, 1]."""
        return self.picture(self.encode(x).mean)

    @property
    def draws_of_prior(self) -> int:
        """Standard normal numbers that a sample of the prior is made of."""
        return self.prior.draws

    def sample(
        self,
        n: int,
        *,
        generator: torch.Generator | None = None,
        noise: Float[Tensor, "n w"] | None = None,
    ) -> Float[Tensor, "n c h w"]:
        """Pictures of latents drawn from the prior, in [0, 1].

        Args:
            n: How many.
            generator: On the CPU; None: the global one.
            noise: From N(0, 1), `draws_of_prior` numbers a picture, in place of the generator.
        """
        if noise is None:
            noise = torch.randn(n, self.prior.draws, generator=generator)
        return self.picture(self.prior.sample(noise.to(self.device)))

    def weights_of(self, update: Update) -> dict[str, nn.Parameter]:
        """The weights that an update moves, by name."""
        trained = {name: w for name, w in self.named_parameters() if w.requires_grad}
        named = update.moves or [part for other in self.updates for part in other.moves]
        inside = {n for n in trained if any(f"{n}.".startswith(f"{part}.") for part in named)}
        return {n: w for n, w in trained.items() if (n in inside) == bool(update.moves)}

    def optimizer_of(self, update: Update, weights: Sequence[Tensor]) -> torch.optim.Optimizer:
        """What steps the weights of one update: Adam; a fleet asks for it with stacked ones."""
        lr = getattr(self, update.lr)
        return torch.optim.Adam(weights, lr, update.betas, fused=self.steps_fused)

    @property
    def steps_fused(self) -> bool:
        """Whether optimizers may be fused: Lightning clips in mixed precision only those not."""
        trainer = internals.trainer_of(self)  # none where the model is one of a fleet
        clips = trainer is not None and bool(trainer.gradient_clip_val)
        return trainer is None or "mixed" not in trainer.precision or not clips

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        moved = {name for update in self.updates for name in self.weights_of(update)}
        left = [n for n, w in self.named_parameters() if w.requires_grad and n not in moved]
        if left:
            raise ValueError(
                f"no update of {type(self).__name__} moves {', '.join(left)}. Name their submodule "
                "in `moves` of an Update, or freeze them: requires_grad_(False)."
            )
        return [self.optimizer_of(u, list(self.weights_of(u).values())) for u in self.updates]

    def configure_callbacks(self) -> list[Any]:
        trainer = self.trainer
        if len(self.updates) > 1 and (
            trainer.gradient_clip_val or trainer.accumulate_grad_batches != 1
        ):
            raise ValueError(
                f"{type(self).__name__} has several updates a step, for which Lightning neither "
                "clips nor accumulates: leave gradient_clip_val and accumulate_grad_batches out, "
                "or train it by `disent fit`, which does both for each update."
            )
        return []

    def on_fit_start(self) -> None:
        if not self.automatic_optimization:
            internals.leave_gradients(self.trainer)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        internals.count_alike(checkpoint)


def _listed(optimizers: Any) -> list[torch.optim.Optimizer]:
    return optimizers if isinstance(optimizers, list) else [optimizers]
