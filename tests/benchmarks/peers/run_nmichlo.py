# SPDX-License-Identifier: Apache-2.0
# pyright: reportMissingImports=false, reportAttributeAccessIssue=false
"""Trains a beta-VAE by the published package disent 0.8.0, as the example of its README does.

Its own BetaVae, AutoEncoder, DisentDataset, ToImgTensorF32 and Lightning's Trainer. Set here, and
not its default: the network, Bernoulli in place of a squared error, terms summed over pixels and
latents, beta 4, learning rate 1e-4, batches of 64.
"""

import operators  # noqa: F401  # first, see there

# isort: split
import lightning
from disent.dataset import DisentDataset
from disent.dataset.data import ArrayGroundTruthData
from disent.dataset.sampling import SingleSampler
from disent.dataset.transform import ToImgTensorF32
from disent.frameworks.vae import BetaVae
from disent.model import AutoEncoder, DisentDecoder, DisentEncoder
from network import BATCH, BETA, FACTORS, LATENTS, LR, arranged, decoder, encoder, mapped
from stopwatch import arguments
from torch import Tensor
from torch.utils.data import DataLoader
from watch import Watch


class Encoder(DisentEncoder):
    def __init__(self) -> None:
        super().__init__(x_shape=(1, 64, 64), z_size=LATENTS, z_multiplier=2)
        self.layers = encoder()

    def encode(self, x: Tensor) -> Tensor:
        return self.layers(x)


class Decoder(DisentDecoder):
    def __init__(self) -> None:
        super().__init__(x_shape=(1, 64, 64), z_size=LATENTS)
        self.layers = decoder()

    def decode(self, z: Tensor) -> Tensor:
        return self.layers(z)


def pictures(path: str) -> DisentDataset:
    """All pictures by the peer's own classes."""
    array = mapped(path)[..., None]
    data = ArrayGroundTruthData(array, tuple(FACTORS), tuple(FACTORS.values()))
    return DisentDataset(data, sampler=SingleSampler(), transform=ToImgTensorF32())


def beta_vae() -> BetaVae:
    """The peer's model with everyone's network."""
    return BetaVae(
        model=AutoEncoder(encoder=Encoder(), decoder=Decoder()),
        cfg=BetaVae.cfg(
            optimizer="adam",
            optimizer_kwargs={"lr": LR},
            recon_loss="bce",
            loss_reduction="mean_sum",
            beta=BETA,
        ),
    )


if __name__ == "__main__":
    asked = arguments()
    loader = DataLoader(
        pictures(asked.pictures), batch_size=BATCH, shuffle=True, num_workers=asked.workers
    )
    trainer = lightning.Trainer(
        accelerator="cpu",
        max_steps=asked.warm + asked.steps,
        logger=False,
        enable_checkpointing=False,
        callbacks=[Watch(asked.begun, asked.warm)],
    )
    trainer.fit(arranged(beta_vae(), asked.channels_last), loader)
