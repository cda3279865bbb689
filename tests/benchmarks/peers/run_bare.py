# SPDX-License-Identifier: Apache-2.0
"""The same arithmetic in a bare loop of PyTorch, compiled or eager: what a suite cannot beat.

Our network and our dataset; loss and gradient in one compiled function, in float32, and Adam's
fused step. No log, no checkpoint, no check.
"""

import torch
from network import BATCH, BETA, LATENTS, LR
from stopwatch import Stopwatch, arguments, tell
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from disent.data import DSprites
from disent.memory import keep_freed_memory
from disent.networks import Burgess2018

if __name__ == "__main__":
    asked = arguments()
    keep_freed_memory()  # as our commands do
    torch.manual_seed(0)
    network, dataset = Burgess2018(), DSprites()
    optimizer = torch.optim.Adam(network.parameters(), lr=LR, fused=True)

    def objective(x: Tensor, noise: Tensor) -> Tensor:
        mean, logvar = network.encoder(x).chunk(2, dim=-1)
        logits = network.decoder(mean + (logvar / 2).exp() * noise)
        distortion = binary_cross_entropy_with_logits(logits, x, reduction="sum")
        rate = (mean.square() + logvar.exp() - logvar - 1).sum() / 2
        return (distortion + BETA * rate) / len(x)

    compiled = objective if asked.eager else torch.compile(objective)
    stopwatch = Stopwatch(asked.begun, asked.warm)
    for step in range(1, asked.warm + asked.steps + 1):
        x = dataset.batch(torch.randint(len(dataset.grid), (BATCH,)))
        loss = compiled(x, torch.randn(BATCH, LATENTS))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        stopwatch.step(step, float(loss.detach()))
    tell(stopwatch.figures(sum(p.numel() for p in network.parameters())))
