# SPDX-License-Identifier: Apache-2.0
"""Autoencoders whose code is a point: plain, linear (that is PCA), and denoising."""

from collections.abc import Callable
from typing import Any, Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from disent import networks
from disent.data.base import Batch
from disent.gaussian import PointMass, Posterior
from disent.likelihoods.base import Likelihood
from disent.likelihoods.gaussian import FixedGaussian
from disent.models.base import Model, Noise, Told, Update
from disent.models.ranks import gather
from disent.networks.base import Network, make_network
from disent.networks.locatello import Locatello2019

Corruption = Literal["masking", "salt_and_pepper", "gaussian"]
FLOOR = 1e-12  # a mean squared error below it counts as this one: 120 dB


class AutoEncoder(Model):
    """Autoencoder: the squared error of the reconstruction, summed over pixels and channels.

    Hinton & Salakhutdinov (2006), https://doi.org/10.1126/science.1127647. With network Linear its
    optimum spans the first principal components, in no particular axes (Bourlard & Kamp, 1988;
    Baldi & Hornik, 1989, https://doi.org/10.1016/0893-6080(89)90014-2): batches of the whole
    dataset reach it, smaller ones only come near it. Nothing is drawn, and there is no prior:
    pictures are sampled from densities fitted to the codes of a trained one.

    Args:
        network: Encoder, which gives D numbers, and decoder, by the name of their paper.
        latent_dim: Number of latents D.
        channels: Colour channels of a picture; on the command line, those of the dataset.
        likelihood: Minimises -log p(x|z) in nats in place of the squared error. None: the squared
            error, without factor 1/2; `distortion` then is -log N(x; decoded, 1/2), which is the
            squared error + ln(pi) / 2 for each value of a picture.
        lr: Learning rate of Adam.
        seed: Of the initial weights; on the command line, --seed_everything.
        size: Height and width of a picture; on the command line, those of the dataset.
    """

    updates = (Update("step_loss"),)
    follows_prior = False
    strength = ("latent_dim", "D")
    named_by = ("latent_dim",)
    likelihood: Likelihood

    def __init__(
        self,
        network: Callable[[int, int, int], Network] = Locatello2019,
        latent_dim: int = 10,
        channels: int = 1,
        likelihood: Likelihood | None = None,
        lr: float = 1e-3,
        seed: int = 0,
        size: tuple[int, int] = (64, 64),
    ) -> None:
        super().__init__(latent_dim, seed)
        if not 0 < lr < float("inf"):
            raise ValueError(f"lr must be > 0, got {lr}. 1e-4 to 1e-2 is usual.")
        self.channels, self.size, self.lr = channels, (size[0], size[1]), lr
        self.numbers = channels * size[0] * size[1]  # in a picture
        self.squared = likelihood is None
        self.likelihood = FixedGaussian(0.5**0.5) if likelihood is None else likelihood
        with self.seeded():
            self.network = make_network(
                named(network), channels, latent_dim, self.likelihood.outputs, size, latent_dim
            )

    def draws(self) -> dict[str, int]:
        return {}

    def step_loss(
        self, batch: Batch, noise: Noise, step: int | Tensor
    ) -> tuple[Float[Tensor, ""], Told]:
        """The error of a batch's reconstructions."""
        return self.error_of(batch.x, batch.x)

    def error_of(
        self, seen: Float[Tensor, "b c h w"], wanted: Float[Tensor, "b c h w"]
    ) -> tuple[Float[Tensor, ""], Told]:
        """How far what is decoded from the codes of pictures seen is from those wanted."""
        decoded = self.decode(self.encode(seen).mean).float()
        pictures = decoded if self.squared else self.likelihood.mean(decoded)
        squared = gather((pictures - wanted).square().flatten(1).sum(1))
        told = {"squared_error": squared, "squared_error_per_pixel": squared / self.numbers}
        if self.squared:
            return squared.mean(), told
        distortion = gather(-self.likelihood.log_prob(wanted, decoded))
        return distortion.mean(), {"distortion": distortion, **told}

    def distortion(
        self, x: Float[Tensor, "b c h w"], z: Float[Tensor, "b d"]
    ) -> Float[Tensor, "b"]:
        """-log p(x|z) in nats per image, summed over pixels."""
        return -self.likelihood.log_prob(x, self.decode(z).float())

    def encode(self, x: Float[Tensor, "b c h w"]) -> Posterior:
        """The code of pictures in [0, 1], in float32."""
        return PointMass(self.network.encoder(x).float())

    def decode(self, z: Float[Tensor, "b d"]) -> Float[Tensor, "b o h w"]:
        """The likelihood's parameters for codes z; without one, pictures that nothing clips."""
        return self.network.decode(z)

    def picture(self, z: Float[Tensor, "b d"]) -> Float[Tensor, "b c h w"]:
        """The decoded pictures, in [0, 1]."""
        return self.likelihood.mean(self.decode(z))


class DenoisingAutoEncoder(AutoEncoder):
    """An autoencoder that sees a corrupted picture and is asked for the clean one.

    Vincent et al. (2008), https://doi.org/10.1145/1390156.1390294, and (2010), "Stacked denoising
    autoencoders", https://jmlr.org/papers/v11/vincent10a.html. Under the squared error its optimum
    is the mean of all pictures that could have become the one seen, which need not look like any of
    them. Codes and reconstructions outside training are those of clean pictures.

    Args:
        corruption: masking: a value becomes 0; salt_and_pepper: 0 or 1, either as likely; gaussian:
            normal noise is added, and nothing is clipped.
        amount: Share of the values (pixels of each channel, apart) that are changed, 0 to 1; of
            gaussian, the standard deviation, where pictures lie in [0, 1].
        **autoencoder: Network and the rest, as `AutoEncoder` takes them.
    """

    strength = ("amount", "amount")
    named_by = ("corruption", "amount")
    amount: Tensor

    def __init__(
        self, corruption: Corruption = "masking", amount: float = 0.25, **autoencoder: Any
    ) -> None:
        super().__init__(**autoencoder)
        if corruption not in get_args(Corruption):
            raise ValueError(
                f"corruption must be one of {', '.join(get_args(Corruption))}, got {corruption!r}."
            )
        if not 0 <= amount < float("inf") or (corruption != "gaussian" and amount > 1):
            raise ValueError(
                f"amount is {amount}, but a share from 0 to 1 is wanted; of gaussian, a standard "
                "deviation >= 0. 0.25 is usual."
            )
        self.corruption = corruption
        self.knob("amount", amount)

    def draws(self) -> dict[str, int]:
        return {"corruption": self.numbers}

    def step_loss(
        self, batch: Batch, noise: Noise, step: int | Tensor
    ) -> tuple[Float[Tensor, ""], Told]:
        """The error of the clean pictures that are decoded from corrupted ones.

        `psnr_gain` is in dB: by how much the peak signal-to-noise ratio of what comes out is above
        that of what went in, with the squared errors averaged over the batch.
        """
        seen = self.corrupt(batch.x, noise["corruption"].view_as(batch.x))
        loss, told = self.error_of(seen, batch.x)
        before = gather((seen - batch.x).square().flatten(1).mean(1)).mean().clamp(min=FLOOR)
        after = told["squared_error_per_pixel"].mean().clamp(min=FLOOR)
        return loss, {**told, "psnr_gain": 10 * (before / after).log10()}

    def corrupt(
        self, x: Float[Tensor, "b c h w"], noise: Float[Tensor, "b c h w"]
    ) -> Float[Tensor, "b c h w"]:
        """Pictures as the encoder sees them, of noise from N(0, 1): its tails mark what changes."""
        if self.corruption == "gaussian":
            return x + self.amount * noise
        if self.corruption == "masking":
            return torch.where(noise < torch.special.ndtri(self.amount), 0.0, x)
        tail = torch.special.ndtri(self.amount / 2)
        return torch.where(noise < tail, 0.0, torch.where(noise >= -tail, 1.0, x))


def named(network: Any) -> Callable[..., Network]:
    """A network's class by its name, as the command line has it; whatever makes one as it is."""
    if not isinstance(network, str):
        return network
    if network not in networks.__all__:
        raise ValueError(f"no network is named {network}: there are {', '.join(networks.__all__)}.")
    return getattr(networks, network)
