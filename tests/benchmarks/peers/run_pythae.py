# SPDX-License-Identifier: Apache-2.0
# pyright: reportMissingImports=false
"""Trains a beta-VAE by the published package pythae 0.1.2, by its TrainingPipeline.

Its own BetaVAE, BaseDataset and BaseTrainer; batches of 64, Adam and 1e-4 are its defaults. Set
here: the network, Bernoulli, beta 4. Its dataset would hold all pictures as float32, 12 GB; as it
advises for large datasets, a subclass makes each picture float32 when it is asked for. The trainer
counts epochs, not steps, so the callback that counts them ends it.
"""

import contextlib
import tempfile
from typing import Any

import numpy as np
import torch
from network import BETA, LATENTS, arranged, decoder, encoder, mapped
from pythae.data.datasets import BaseDataset, DatasetOutput
from pythae.models import BetaVAE, BetaVAEConfig
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseEncoder
from pythae.pipelines import TrainingPipeline
from pythae.trainers import BaseTrainerConfig
from pythae.trainers.training_callbacks import TrainingCallback
from stopwatch import Stopwatch, arguments, tell
from torch import Tensor


class Pictures(BaseDataset):
    """One float32 picture a time."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, index: int) -> DatasetOutput:
        return DatasetOutput(data=torch.from_numpy(self.array[index][None]).float().div_(255))


class Encoder(BaseEncoder):
    def __init__(self) -> None:
        super().__init__()
        self.layers = encoder()

    def forward(self, x: Tensor) -> ModelOutput:
        mean, logvar = self.layers(x).chunk(2, dim=-1)
        return ModelOutput(embedding=mean, log_covariance=logvar)


class Decoder(BaseDecoder):
    def __init__(self) -> None:
        super().__init__()
        self.layers = decoder()

    def forward(self, z: Tensor) -> ModelOutput:
        return ModelOutput(reconstruction=self.layers(z).sigmoid())


class Enough(Exception):  # noqa: N818
    """Not an error: all steps are done."""


class Watch(TrainingCallback):
    """Times the steps and ends them; the loss of a step is seen by a hook of the model."""

    def __init__(self, stopwatch: Stopwatch, model: BetaVAE, steps: int) -> None:
        self.stopwatch, self.steps, self.done, self.loss = stopwatch, steps, 0, 0.0
        model.register_forward_hook(self.see)

    def see(self, module: object, inputs: object, output: ModelOutput) -> None:
        self.loss = float(output["loss"].detach())

    def on_train_step_end(self, training_config: BaseTrainerConfig, **rest: Any) -> None:
        self.done += 1
        self.stopwatch.step(self.done, self.loss)
        if self.done == self.steps:
            raise Enough


def train(model: BetaVAE, dataset: Pictures, watch: Watch, workers: int) -> None:
    """As many steps as the watch allows."""
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(Enough):
        config = BaseTrainerConfig(output_dir=folder, train_dataloader_num_workers=workers)
        TrainingPipeline(model=model, training_config=config)(dataset, callbacks=[watch])


if __name__ == "__main__":
    asked = arguments()
    model = BetaVAE(
        BetaVAEConfig(
            input_dim=(1, 64, 64), latent_dim=LATENTS, reconstruction_loss="bce", beta=BETA
        ),
        encoder=Encoder(),
        decoder=Decoder(),
    )
    arranged(model, asked.channels_last)
    watch = Watch(Stopwatch(asked.begun, asked.warm), model, asked.warm + asked.steps)
    train(model, Pictures(mapped(asked.pictures)), watch, asked.workers)
    tell(watch.stopwatch.figures(sum(p.numel() for p in model.parameters())))
