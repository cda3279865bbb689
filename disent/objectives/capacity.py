# SPDX-License-Identifier: Apache-2.0
"""The ELBO with a rate that is held at a capacity."""

from jaxtyping import Float
from torch import Tensor

from disent.objectives.base import Objective, Terms
from disent.objectives.schedules import linear


class CapacityELBO(Objective):
    """distortion + gamma * |rate - C(step)|, in nats; C rises linearly from 0.

    Burgess et al. (2018), "Understanding disentangling in beta-VAE", eq. 8 (arXiv:1804.03599).
    The rate inside the bars is the mean over the batch, as in Locatello et al. (2019); other
    implementations take the mean of the bars over images, which is a different, larger loss.

    Args:
        gamma: Weight of the gap between rate and capacity.
        capacity: C at the end of the ramp, in nats per image.
        anneal_steps: Length of the ramp, in steps.
    """

    strength = ("capacity", "C")
    gamma: Tensor
    capacity: Tensor
    anneal_steps: Tensor

    def __init__(
        self, gamma: float = 1000.0, capacity: float = 25.0, anneal_steps: int = 100_000
    ) -> None:
        super().__init__()
        if not 0 <= gamma < float("inf"):
            raise ValueError(f"gamma must be >= 0, got {gamma}. Burgess et al. use 1000.")
        if not 0 <= capacity < float("inf"):
            raise ValueError(
                f"capacity must be >= 0 nats, got {capacity}. 25 is usual on dSprites."
            )
        if anneal_steps < 1:
            raise ValueError(
                f"anneal_steps must be >= 1, got {anneal_steps}. "
                "Use 1 for a capacity that is constant from the second step on."
            )
        self.knob("gamma", gamma)
        self.knob("capacity", capacity)
        self.knob("anneal_steps", anneal_steps)

    def forward(self, terms: Terms, step: int | Tensor) -> Float[Tensor, ""]:
        gap = terms.rate.sum(-1).mean() - self.schedule(step)["capacity"]
        return terms.distortion.mean() + self.gamma * gap.abs()

    def schedule(self, step: int | Tensor) -> dict[str, Tensor]:
        """The capacity C(step), in nats per image."""
        return {"capacity": linear(step, stop=self.capacity, over=self.anneal_steps)}
