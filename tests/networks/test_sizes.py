# SPDX-License-Identifier: Apache-2.0
"""Pictures of other sizes, other posteriors, and networks that somebody else makes."""

import pytest
import torch
from torch import nn

from disent.models import VAE
from disent.networks import MLP, Burgess2018, Higgins2017, Linear, Locatello2019
from disent.networks.base import Network, make_network


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize("size", [(28, 28), (8, 12), (1, 5)])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("make", [Linear, lambda *given, **more: MLP(*given, hidden=[16], **more)])
def test_dense_networks_take_pictures_of_any_size(make, channels, size):
    network = make(channels, 4, 2, size=size)
    assert network.pixels == channels * size[0] * size[1]
    q = network.encode(torch.rand(5, channels, *size))
    assert q.mean.shape == q.logvar.shape == (5, 4)
    assert network.decode(q.mean).shape == (5, 2 * channels, *size)


def test_parameter_counts_of_28_by_28_by_hand():
    size = (28, 28)  # 784 pixels
    linear = 784 * 20 + 20 + 10 * 784 + 784
    assert count(Linear(size=size)) == linear
    mlp = (784 * 16 + 16) + (16 * 20 + 20) + (10 * 16 + 16) + (16 * 784 + 784)
    assert count(MLP(hidden=[16], size=size)) == mlp
    encoder = 784 * 1200 + 1200 + 1200 * 1200 + 1200 + 1200 * 20 + 20
    decoder = 10 * 1200 + 1200 + 2 * (1200 * 1200 + 1200) + 1200 * 784 + 784
    assert count(Higgins2017(size=size)) == encoder + decoder


def test_higgins_takes_pictures_of_any_size():
    network = Higgins2017(channels=3, latent_dim=2, size=(4, 6))
    assert network.decode(network.encode(torch.rand(2, 3, 4, 6)).mean).shape == (2, 3, 4, 6)


@pytest.mark.parametrize("member", [Burgess2018, Locatello2019])
def test_convolutional_networks_refuse_other_sizes_in_one_line(member):
    message = f"{member.__name__} takes pictures of 64 x 64, but these are of 28 x 32: take MLP"
    with pytest.raises(ValueError, match=message) as error:
        member(size=(28, 32))
    assert "\n" not in str(error.value)
    with pytest.raises(ValueError, match=message):
        make_network(member, 1, 10, 1, (28, 32))
    assert make_network(member, 1, 10, 1, (64, 64)).size == (64, 64)


@pytest.mark.parametrize("member", [MLP, Burgess2018, Higgins2017, Linear, Locatello2019])
def test_the_encoder_gives_as_many_numbers_as_a_posterior_wants(member):
    network = make_network(member, 1, 3, 1, numbers=9)
    assert network.encoder(torch.rand(2, 1, 64, 64)).shape == (2, 9)
    assert network.decode(torch.rand(2, 3)).shape == (2, 1, 64, 64)


@pytest.mark.parametrize("given", [{"size": (0, 64)}, {"size": (64, -1)}, {"numbers": 0}])
def test_empty_pictures_and_posteriors_are_refused(given):
    with pytest.raises(ValueError, match="numbers and size must be >= 1, got 1, 10, 1, "):
        Linear(**given)


def three(channels: int, latent_dim: int, outputs: int) -> Network:
    return MLP(channels, latent_dim, outputs, [16])


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"size": (28, 28)}, r"made with size=\(28, 28\): .*'size'"),
        ({"numbers": 9}, "made with numbers=9: .*'numbers'"),
        ({"size": [8, 8], "numbers": 9}, r"made with size=\(8, 8\) and numbers=9: "),
    ],
)
def test_a_network_of_three_arguments_is_refused_other_pictures_in_one_line(asked, words):
    with pytest.raises(ValueError, match=words) as error:
        make_network(three, 1, 3, 1, **asked)
    assert "Give it arguments `size` and `numbers`, as disent.networks.MLP has" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("asked", [{}, {"size": (64, 64)}, {"size": [64, 64], "numbers": 6}])
def test_a_network_of_three_arguments_is_made_for_the_usual_pictures(asked):
    assert make_network(three, 1, 3, 1, **asked).latent_dim == 3


def test_a_mistake_inside_a_network_is_not_blamed_on_its_arguments():
    def broken(channels: int, latent_dim: int, outputs: int, size: object = None) -> Network:
        raise TypeError("unsupported operand")

    with pytest.raises(TypeError, match="unsupported operand"):
        make_network(broken, 1, 3, 1, (28, 28))


def test_a_vae_of_another_size_and_a_full_posterior():
    model = VAE(network=Linear, latent_dim=3, size=(28, 28), posterior="full")
    x = torch.rand(4, 1, 28, 28)
    assert model.network.encoder(x).shape == (4, 9)
    rate = model.encode(x).kl()
    assert rate is not None
    assert rate.shape == (4, 3)
    assert model(x).shape == (4, 1, 28, 28)
    with pytest.raises(ValueError, match="this network cannot be made with numbers=9"):
        VAE(network=three, latent_dim=3, posterior="full")
