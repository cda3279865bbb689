# SPDX-License-Identifier: Apache-2.0
"""The adversarial autoencoder: a discriminator draws its codes to any prior, labels or not."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, cast, get_args

import torch
from jaxtyping import Float, Int
from torch import Tensor

from disent.data.base import Batch
from disent.gaussian import Posterior
from disent.models.adversarial import Discriminator, check_rates, fooling, telling
from disent.models.autoencoder import AutoEncoder, named
from disent.models.base import Noise, Told, Update
from disent.models.conditions import Given, columns_of, one_hot
from disent.models.parts import check_dimension, check_parts, of_part
from disent.networks.base import Network
from disent.networks.locatello import Locatello2019
from disent.priors.base import Prior
from disent.priors.normal import StandardNormal

LabelsTo = Literal["nobody", "decoder", "discriminator"]


class AdversarialAutoEncoder(AutoEncoder):
    """An autoencoder whose codes a discriminator cannot tell from samples of a prior.

    Makhzani et al. (2015), "Adversarial Autoencoders", https://arxiv.org/abs/1511.05644. A step
    reconstructs (encoder and decoder), discriminates (the discriminator learns to tell codes from
    samples) and confuses (the encoder learns to pass codes off as samples). The encoder is
    deterministic, so that no density of the prior is needed, and there is no rate.

    With labels to the decoder, which gets them as one-hot numbers beside the code, the code is left
    with the style (section 4). With labels to the discriminator, each class gets a part of the
    prior (section 2.3): a petal of GaussianMixture, a stretch of SwissRoll. The discriminator then
    sees the class beside the code, or "unlabelled" beside codes of pictures without a label (-1)
    and samples of the whole prior. The encoder never sees a label.

    Args:
        prior: p(z), such as GaussianMixture or SwissRoll; None: N(0, 1).
        labels_to: Who sees the labels.
        conditions: Names of the factors or labels that are seen, commas between them; None: all of
            the dataset's. The discriminator takes one.
        adversarial_lr: Learning rate of the discriminator, and of the encoder against it; Adam
            (0.5, 0.999) for both.
        width: Of the discriminator's two hidden layers.
        network: Encoder, which gives D numbers, and decoder, by the name of their paper.
        latent_dim: Number of latents D, those of the prior.
        factor_names: Of all factors; on the command line, those of the dataset.
        factor_sizes: How many values each takes; on the command line, those of the dataset.
        **autoencoder: Likelihood and the rest, as `AutoEncoder` takes them.
    """

    updates = (
        Update("step_loss", ("network",)),
        Update("discriminate", ("discriminator",), "adversarial_lr", (0.5, 0.999)),
        Update("confuse", ("network.encoder",), "adversarial_lr", (0.5, 0.999)),
    )
    named_by = ("labels_to",)

    def __init__(
        self,
        prior: Prior | None = None,
        labels_to: LabelsTo = "nobody",
        conditions: list[str] | str | None = None,
        adversarial_lr: float = 2e-4,
        width: int = 1000,
        network: Callable[[int, int, int], Network] = Locatello2019,
        latent_dim: int = 2,
        factor_names: Sequence[str] = (),
        factor_sizes: Sequence[int] = (),
        **autoencoder: Any,
    ) -> None:
        prior = StandardNormal(latent_dim) if prior is None else prior
        columns = _seen(labels_to, conditions, factor_names)
        seen = sum(factor_sizes[k] for k in columns)
        check_dimension(prior, latent_dim)
        if labels_to == "discriminator":
            check_parts(prior, [factor_sizes[k] for k in columns])
        check_rates(adversarial_lr=adversarial_lr)
        decoder_sees = seen if labels_to == "decoder" else 0
        super().__init__(_beside(network, decoder_sees), latent_dim, **autoencoder)
        self.prior, self.labels_to, self.adversarial_lr = prior, labels_to, adversarial_lr
        self.labels, self.seen = labels_to != "nobody", columns
        self.conditions = columns if labels_to == "decoder" else ()
        self.factor_names, self.factor_sizes = tuple(factor_names), tuple(factor_sizes)
        with self.seeded("discriminator"):
            classes = seen + 1 if labels_to == "discriminator" else 0
            self.discriminator = Discriminator(latent_dim + classes, width)

    def draws(self) -> dict[str, int]:
        return {"prior": self.prior.draws}

    def given(self, factors: Int[Tensor, "b k"] | None) -> Any:
        return Given(self, factors) if self.conditions else self

    def step_loss(
        self, batch: Batch, noise: Noise, step: int | Tensor
    ) -> tuple[Float[Tensor, ""], Told]:
        """The error of a batch's reconstructions, of a decoder that may see labels."""
        told = cast(Any, self.given(self._labels_of(batch)))
        return AutoEncoder.error_of(told, batch.x, batch.x)

    def discriminate(
        self, batch: Batch, noise: Noise, step: int | Tensor
    ) -> tuple[Float[Tensor, ""], Told]:
        """Cross-entropy of telling samples of the prior from codes, in nats per code."""
        with torch.no_grad():
            codes = self.encode(batch.x).mean
        samples, classes = self.samples_for(noise["prior"], batch), self.classes_of(batch)
        return telling(self.discriminator(samples, *classes), self.discriminator(codes, *classes))

    def confuse(
        self, batch: Batch, noise: Noise, step: int | Tensor
    ) -> tuple[Float[Tensor, ""], Told]:
        """Cross-entropy of codes being taken for samples of the prior, in nats per code."""
        codes = self.encode(batch.x).mean
        loss = fooling(self.discriminator(codes, *self.classes_of(batch)))
        return loss, {"confusion_loss": loss}

    def samples_for(self, noise: Float[Tensor, "b w"], batch: Batch) -> Float[Tensor, "b d"]:
        """Samples of the prior; where the discriminator sees labels, each of its class's part."""
        if self.labels_to == "discriminator":
            (column,) = self.seen
            factors = cast(Tensor, self._labels_of(batch))
            noise = of_part(noise, factors[:, column], self.factor_sizes[column])
        return self.prior.sample(noise)

    def classes_of(self, batch: Batch) -> tuple[Float[Tensor, "b k"], ...]:
        """What the discriminator sees beside a code: nothing, or the class or "unlabelled"."""
        if self.labels_to != "discriminator":
            return ()
        classes = one_hot(self._labels_of(batch), self.seen, self.factor_sizes, len(batch.x))
        return classes, 1 - classes.sum(1, keepdim=True)

    def _labels_of(self, batch: Batch) -> Int[Tensor, "b k"] | None:
        """The labels of a batch, where somebody is to see them."""
        if self.labels and batch.factors is None:
            raise ValueError(
                f"the {self.labels_to} is to see labels, but the batch has none: give (pictures, "
                "labels), -1 where one is not known, or take labels_to nobody."
            )
        return batch.factors

    def encode(
        self, x: Float[Tensor, "b c h w"], factors: Int[Tensor, "b k"] | None = None
    ) -> Posterior:
        """The code of pictures in [0, 1], in float32; the factors are not looked at."""
        return super().encode(x)

    def decode(
        self, z: Float[Tensor, "b d"], factors: Int[Tensor, "b k"] | None = None
    ) -> Float[Tensor, "b o h w"]:
        """The likelihood's parameters for codes z; without one, pictures that nothing clips.

        Where the decoder sees labels, those of factors; zeros in their place where none is given.
        """
        if not self.conditions:
            return self.network.decode(z)
        told = one_hot(factors, self.conditions, self.factor_sizes, z.shape[0]).to(z)
        return self.network.decode(torch.cat([z, told], 1))


def _seen(
    labels_to: str, conditions: list[str] | str | None, names: Sequence[str]
) -> tuple[int, ...]:
    """The columns of the labels that somebody sees."""
    if labels_to not in get_args(LabelsTo):
        raise ValueError(
            f"labels_to must be one of {', '.join(get_args(LabelsTo))}, got {labels_to!r}."
        )
    return () if labels_to == "nobody" else columns_of(conditions, names)


def _beside(network: Any, seen: int) -> Callable[..., Network]:
    """A network whose decoder takes so many numbers beside the latents."""
    made = named(network)

    def wider(channels: int, latent_dim: int, outputs: int, **more: Any) -> Network:
        return made(channels, latent_dim + seen, outputs, **more)

    return wider if seen else made
