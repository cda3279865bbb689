# SPDX-License-Identifier: Apache-2.0
"""Independent Bernoulli pixels, by their logits."""

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from disent.likelihoods.base import Likelihood


class Bernoulli(Likelihood):
    """log p(x|z) = sum over pixels of x log p + (1 - x) log(1 - p), with p = sigmoid(logit).

    Binary pictures give a true log-probability. Pixels between 0 and 1 are soft targets, as in
    Locatello et al. (2019, appendix): the value is then a cross-entropy that cannot fall below the
    pixels' own entropy, and rate + distortion is not bounded by the entropy of the pictures alone.
    """

    def log_prob(
        self, x: Float[Tensor, "b c h w"], parameters: Float[Tensor, "b o h w"]
    ) -> Float[Tensor, "b"]:
        return -binary_cross_entropy_with_logits(parameters, x, reduction="none").sum((1, 2, 3))

    def mean(self, parameters: Float[Tensor, "b o h w"]) -> Float[Tensor, "b c h w"]:
        return parameters.sigmoid()
