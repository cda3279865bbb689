# SPDX-License-Identifier: Apache-2.0
"""The transposed convolution of the decoders, by its fastest way on a CPU."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import conv_transpose2d, fold

KERNEL, STRIDE, PADDING = 4, 2, 1  # doubles height and width


class Deconvolution(nn.ConvTranspose2d):
    """nn.ConvTranspose2d with kernels of 4 and stride 2: the same weights, the same values.

    On a CPU two of the library's kernels are replaced. Its gradient of the weights takes 1.2
    (float32) to 2 times (bfloat16) as long when it sums the bias's gradient too, so that sum is
    taken apart; and to few channels it computes mostly padding, so there a matrix product and a sum
    of its overlapping tiles take its place (3 times as fast to one channel).

    Args:
        fan_in: Channels that come.
        fan_out: Channels that go.
    """

    def __init__(self, fan_in: int, fan_out: int) -> None:
        super().__init__(fan_in, fan_out, KERNEL, STRIDE, PADDING)

    def forward(
        self,
        input: Float[Tensor, "b i h w"],  # noqa: A002, its name in torch
        output_size: list[int] | None = None,
    ) -> Float[Tensor, "b o 2*h 2*w"]:
        if input.device.type != "cpu" or self.bias is None:
            return super().forward(input, output_size)
        parts = (input, self.weight, self.bias)
        if torch.is_autocast_enabled("cpu"):  # here, for the backward pass has no autocast
            parts = tuple(part.to(torch.get_autocast_dtype("cpu")) for part in parts)
        return _Deconvolve.apply(*parts)  # pyright: ignore[reportReturnType]


class _Deconvolve(torch.autograd.Function):
    """The values and their gradients; vmap follows from its parts."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        channels = weight.shape[1]
        if channels == 1 or (channels < 4 and x.dtype == torch.float32):
            tiles = weight.flatten(1).t() @ x.flatten(2)  # b (o 4 4) (h w)
            size = (STRIDE * x.shape[2], STRIDE * x.shape[3])
            summed = fold(tiles, size, KERNEL, padding=PADDING, stride=STRIDE)
            return summed + bias.view(-1, 1, 1)
        return conv_transpose2d(x, weight, bias, STRIDE, PADDING)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        ctx.save_for_backward(*inputs[:2])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, ...]:
        (gradient,), (x, weight) = gradients, ctx.saved_tensors
        square = ([STRIDE] * 2, [PADDING] * 2, [1, 1])
        of_x, of_weight, _ = torch.ops.aten.convolution_backward(
            gradient, x, weight, None, *square, True, [0, 0], 1, [True, True, False]
        )
        return of_x, of_weight, gradient.sum((0, 2, 3))
