# SPDX-License-Identifier: Apache-2.0
"""The aggregate posterior q(z_j) = (1/N) sum_n N(z_j; mean_n, variance_n), one latent at a time.

Its entropy is an integral over one dimension. The mixture's components are dealt onto a grid of
means and variances, each to its four nearest nodes so that its mean and its variance stay what they
are, then convolved with the normal density of each variance by FFT, and integrated: a million
components cost as much as their histogram.
"""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

STEPS_PER_DEVIATION = 5  # nodes of the grid within the smallest standard deviation
LEVELS_PER_NAT = 10  # of log standard deviation
REACH = 8.0  # standard deviations around the components
LARGEST_GRID = 2**16  # nodes; a power of two


def entropies(
    mean: Float[Tensor, "n"], logvar: Float[Tensor, "n"], groups: Int[Tensor, "n"], count: int
) -> tuple[Float[Tensor, ""], Float[Tensor, "count"]]:
    """Differential entropies, in nats, of the whole mixture and of the mixture of each group.

    The error is below 1e-3 nats. Standard deviations below 1/13,000 of the range of the means, the
    resolution of the largest grid, are taken for that.

    Args:
        mean: Of the components.
        logvar: Natural logarithm of their variances.
        groups: Which group each component is of; 0 to `count` - 1, none empty.
        count: Number of groups.
    Returns:
        float64: H(z) and H(z | group) for each group.
    """
    dealt = _deal(mean.double(), logvar.double())
    levels, size = len(dealt.variances), dealt.size
    frequency = 2 * math.pi * torch.fft.rfftfreq(size, dealt.step, device=mean.device).double()
    kernels = (-0.5 * dealt.variances[:, None] * frequency.square()).exp()
    masses = []  # a group's density, times its number of components
    for group in range(count):
        rows = (groups == group).nonzero().flatten()
        mass = kernels.new_zeros(levels * size)
        for up in (0, 1):
            for right in (0, 1):
                weight = dealt.up[rows] if up else 1 - dealt.up[rows]
                weight = weight * (dealt.right[rows] if right else 1 - dealt.right[rows])
                node = (dealt.level[rows] + up) * size + dealt.node[rows] + right
                mass.index_add_(0, node, weight)
        spectrum = (torch.fft.rfft(mass.view(levels, size)) * kernels).sum(0)
        masses.append(torch.fft.irfft(spectrum, size).clamp(min=0) / dealt.step)
    each = torch.stack(masses)
    sizes = torch.bincount(groups, minlength=count).to(each)
    return (
        _entropy(each.sum(0) / len(mean), dealt.step),
        _entropy(each / sizes[:, None], dealt.step),
    )


class _Dealt(NamedTuple):
    """Where each component lies between nodes of the grid, and the variances of its levels."""

    node: Int[Tensor, "n"]
    right: Float[Tensor, "n"]
    level: Int[Tensor, "n"]
    up: Float[Tensor, "n"]
    variances: Float[Tensor, "l"]
    step: float
    size: int


def _deal(mean: Float[Tensor, "n"], logvar: Float[Tensor, "n"]) -> _Dealt:
    variance = logvar.exp()
    low, high = mean.aminmax()
    margin = REACH * float(variance.max().sqrt())
    span = float(high - low) + 2 * margin
    step = float(variance.min().sqrt()) / STEPS_PER_DEVIATION
    size = min(2 ** math.ceil(math.log2(span / step + 2)), LARGEST_GRID)
    step = span / (size - 2)
    position = (mean - low + margin) / step
    node = position.floor()
    right = position - node
    # dealing to two nodes adds right (1 - right) step^2 to the variance: take it off beforehand
    variance = variance.clamp(min=(step * STEPS_PER_DEVIATION / 2) ** 2)
    variance = variance - right * (1 - right) * step**2
    lowest, ratio = variance.min() * (1 - 1e-12), math.exp(2 / LEVELS_PER_NAT)
    level = ((variance / lowest).log() * (LEVELS_PER_NAT / 2)).floor().clamp(min=0)
    below = lowest * ratio**level
    up = (variance - below) / (below * (ratio - 1))
    variances = lowest * ratio ** torch.arange(int(level.max()) + 2, device=mean.device).double()
    return _Dealt(node.long(), right, level.long(), up, variances, step, size)


def log_density(
    z: Float[Tensor, "s d"], mean: Float[Tensor, "n d"], logvar: Float[Tensor, "n d"]
) -> Float[Tensor, "s d"]:
    """log q(z_j) of each latent at given values, by the direct sum; float64, s * n * d numbers."""
    squares = (z[:, None] - mean).square() * (-logvar).exp()
    terms = -0.5 * (squares + logvar + math.log(2 * math.pi))
    return terms.double().logsumexp(1) - math.log(len(mean))


def _entropy(density: Float[Tensor, "*g size"], step: float) -> Float[Tensor, "*g"]:
    return -torch.xlogy(density, density).sum(-1) * step
