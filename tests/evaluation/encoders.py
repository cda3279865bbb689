# SPDX-License-Identifier: Apache-2.0
"""Encoders whose codes are known by hand, for the pictures of tests.tiny.Squares."""

import torch
from torch import nn

from disent.gaussian import DiagonalGaussian, FullGaussian, PointMass, Posterior


class Oracle(nn.Module):
    """Encodes each picture as its own factors, read from the pixels."""

    def encode(self, x) -> Posterior:
        white = (x[:, 0] > 0.5).float()
        side = white.amax(1).sum(1)
        place = [white.amax(axis).argmax(1) for axis in (1, 2)]
        mean = torch.stack([side / 8 - 1, *(p / 6 for p in place)], 1)
        return DiagonalGaussian(mean, torch.zeros_like(mean))


class Blind(nn.Module):
    """Encodes every picture alike, up to noise that is a function of the row in the batch."""

    def encode(self, x) -> Posterior:
        mean = torch.linspace(0, 1, 3 * len(x)).view(len(x), 3).sin().mul(1e4).frac()
        return DiagonalGaussian(mean, torch.zeros_like(mean))


class Points(Oracle):
    """Encodes each picture as a point: its own factors."""

    device = torch.device("cpu")

    def encode(self, x) -> Posterior:
        return PointMass(super().encode(x).mean)

    def distortion(self, x, z):
        """3 nats, and how far the code is from the picture's own."""
        return 3 + (z - Oracle.encode(self, x).mean).square().sum(1)


class Correlated(Points):
    """Encodes each picture as a Gaussian around its own factors, whose first two are correlated."""

    cholesky = torch.tensor([[1.0, 0, 0], [0.5, 1, 0], [0, 0, 2]])

    def encode(self, x) -> Posterior:
        mean = Oracle.encode(self, x).mean
        return FullGaussian(mean, self.cholesky.expand(len(mean), -1, -1))
