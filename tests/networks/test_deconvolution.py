# SPDX-License-Identifier: Apache-2.0
"""The decoders' transposed convolution against the library's own."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import conv_transpose2d

from disent.networks.deconvolution import Deconvolution

SHAPES = [(32, 1, 32), (32, 3, 8), (5, 4, 3), (16, 8, 1)]


def pair(fan_in: int, fan_out: int, size: int) -> tuple[Deconvolution, Tensor, Tensor]:
    torch.manual_seed(0)
    layer = Deconvolution(fan_in, fan_out)
    x = torch.randn(6, fan_in, size, size).to(memory_format=torch.channels_last)
    return layer, x, torch.randn(6, fan_out, 2 * size, 2 * size)


def gradients(make, x: Tensor, gradient: Tensor, layer: nn.Module) -> list[Tensor]:
    x = x.detach().requires_grad_()
    value = make(x)
    found = torch.autograd.grad(value, [x, *layer.parameters()], gradient.to(value.dtype))
    return [value.detach(), *found]


@pytest.mark.parametrize("shape", SHAPES)
def test_values_and_gradients_are_those_of_the_library(shape):
    layer, x, gradient = pair(*shape)
    ours = gradients(layer, x, gradient, layer)
    theirs = gradients(
        lambda x: conv_transpose2d(x, layer.weight, layer.bias, 2, 1), x, gradient, layer
    )
    for a, b in zip(ours, theirs, strict=True):
        assert a.shape == b.shape
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("shape", SHAPES)
def test_under_autocast_it_computes_and_differentiates_in_bfloat16(shape):
    layer, x, gradient = pair(*shape)
    exact = gradients(layer, x, gradient, layer)
    with torch.autocast("cpu", torch.bfloat16):
        value = layer(x)
    assert value.dtype == torch.bfloat16
    rounded = [value, *torch.autograd.grad(value, list(layer.parameters()), gradient.bfloat16())]
    for a, b in zip(rounded, [exact[0], *exact[2:]], strict=True):
        assert (a.float() - b).norm() < 0.01 * b.norm()


def test_gradients_agree_with_differences():
    layer = Deconvolution(2, 1).double()
    assert layer.bias is not None
    x = torch.randn(2, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda x, weight, bias: torch.func.functional_call(
            layer, {"weight": weight, "bias": bias}, (x,)
        ),
        (x, layer.weight.detach().requires_grad_(), layer.bias.detach().requires_grad_()),
    )


def test_many_members_at_once_have_the_gradients_of_one_by_one():
    layers = [pair(4, 1, 4)[0], pair(4, 1, 4)[0]]
    nn.init.normal_(layers[1].weight)
    x = torch.randn(2, 3, 4, 4, 4)
    stacked, _ = torch.func.stack_module_state(layers)  # pyright: ignore[reportArgumentType]

    def loss(parameters, x):
        return torch.func.functional_call(layers[0], parameters, (x,)).square().sum()

    together = torch.func.vmap(torch.func.grad(loss))(stacked, x)
    for member, layer in enumerate(layers):
        layer(x[member]).square().sum().backward()
        for name, parameter in layer.named_parameters():
            torch.testing.assert_close(together[name][member], parameter.grad, rtol=1e-4, atol=1e-4)


def test_the_state_is_that_of_the_layer_it_replaces():
    theirs = nn.ConvTranspose2d(3, 5, 4, stride=2, padding=1)
    ours = Deconvolution(3, 5)
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(2, 3, 4, 4)
    torch.testing.assert_close(ours(x), theirs(x))
