# SPDX-License-Identifier: Apache-2.0
"""What every likelihood is: a log-probability of pictures under a decoder's output."""

from abc import ABC, abstractmethod

from jaxtyping import Float
from torch import Tensor, nn


class Likelihood(nn.Module, ABC):
    """p(x|z), with z already decoded into parameters.

    Attributes:
        outputs: How many numbers the decoder gives per pixel and colour channel.
    """

    outputs: int = 1

    @abstractmethod
    def log_prob(
        self, x: Float[Tensor, "b c h w"], parameters: Float[Tensor, "b o h w"]
    ) -> Float[Tensor, "b"]:
        """log p(x|z) in nats per image, summed over pixels and channels."""

    @abstractmethod
    def mean(self, parameters: Float[Tensor, "b o h w"]) -> Float[Tensor, "b c h w"]:
        """The expected picture E[x|z], clipped to [0, 1] so that it can be shown."""
