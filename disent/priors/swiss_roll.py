# SPDX-License-Identifier: Apache-2.0
"""A band that is rolled up in the plane."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from disent.priors.base import Prior, uniform


class SwissRoll(Prior):
    """(t cos t, t sin t) / scale with t from 3 pi / 2 to 9 pi / 2, a little blurred.

    The swiss roll of Makhzani et al. (2015), "Adversarial Autoencoders", figure 5,
    https://arxiv.org/abs/1511.05644, with the interval of t that is usual for it. Places along the
    band are equally frequent by length, not by angle. It has no density in closed form.

    Args:
        latent_dim: Must be 2.
        blur: Standard deviation across the band, of the coordinates after scaling.
    """

    def __init__(self, latent_dim: int = 2, blur: float = 0.03) -> None:
        super().__init__(latent_dim)
        if latent_dim != 2 or not blur >= 0:
            raise ValueError(
                f"got latent_dim {latent_dim} and blur {blur}. A swiss roll has 2 latents, and its "
                "blur is at least 0."
            )
        self.blur, self.draws = blur, 3
        self.start, self.stop = 1.5 * math.pi, 4.5 * math.pi

    def along(self, share: Float[Tensor, "n"]) -> Float[Tensor, "n d"]:
        """The middle of the band at a share of its length, from 0 (inside) to 1 (outside).

        The arc of t -> (t cos t, t sin t) grows by sqrt(1 + t^2) dt. For t above 3 pi / 2 that is
        t dt to within 2.3 %, so that the shares are those of t^2.
        """
        low, high = self.start**2, self.stop**2
        t = (low + share * (high - low)).sqrt()
        return torch.stack([t * t.cos(), t * t.sin()], -1) * (2 / self.stop)

    def sample(self, noise: Float[Tensor, "n w"]) -> Float[Tensor, "n d"]:
        """The first number chooses the place along the band, the other two blur it."""
        return self.along(uniform(noise[:, 0])) + self.blur * noise[:, 1:]
