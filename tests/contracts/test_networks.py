# SPDX-License-Identifier: Apache-2.0
"""What every network keeps: shapes, counts, purity, and working under vmap."""

import pytest
import torch

import disent.networks
from disent.networks.base import Network

MEMBERS = [getattr(disent.networks, name) for name in disent.networks.__all__]
COUNTS = {  # parameters at 10 latents: one channel, three channels
    "Locatello2019": (690_517, 692_567),
    "Burgess2018": (502_005, 504_055),
    "Higgins2017": (14_196_516, 33_865_508),
    # 4096 x 2000 + 2000 x 1600 + 1600 x 512 + 512 x 20 and back, and the biases
    "MLP": (24_450_100, 57_226_292),
    # 4096 x 20 + 20 and 10 x 4096 + 4096
    "Linear": (126_996, 380_948),
}


@pytest.mark.parametrize("member", MEMBERS)
class TestNetwork:
    @pytest.mark.parametrize(("channels", "column"), [(1, 0), (3, 1)])
    def test_shapes_and_parameter_counts(self, member, channels, column):
        network: Network = member(channels=channels)
        assert sum(p.numel() for p in network.parameters()) == COUNTS[member.__name__][column]
        q = network.encode(torch.rand(2, channels, 64, 64))
        assert q.mean.shape == q.logvar.shape == (2, 10)
        assert network.decode(q.mean).shape == (2, channels, 64, 64)

    def test_latents_and_outputs_can_be_chosen(self, member):
        network: Network = member(channels=1, latent_dim=3, outputs=2)
        assert network.encode(torch.rand(2, 1, 64, 64)).mean.shape == (2, 3)
        assert network.decode(torch.rand(2, 3)).shape == (2, 2, 64, 64)

    def test_is_pure_and_independent_of_the_batch(self, member):
        network, x = member(), torch.rand(4, 1, 64, 64)
        assert not list(network.buffers())
        mean = network.train().encode(x).mean
        torch.testing.assert_close(mean, network.train().encode(x).mean, rtol=0, atol=0)
        torch.testing.assert_close(network.encode(x[1:2]).mean, mean[1:2], rtol=1e-4, atol=1e-5)

    def test_starts_with_zero_biases_and_a_sane_scale(self, member):
        torch.manual_seed(0)
        network: Network = member()
        assert all((p == 0).all() for name, p in network.named_parameters() if "bias" in name)
        q = network.encode((torch.rand(64, 1, 64, 64) < 0.04).float())
        assert 0.003 < q.mean.std() < 10

    def test_many_members_at_once_equal_one_by_one(self, member):
        networks = [member(latent_dim=2), member(latent_dim=2)]
        x = torch.rand(2, 1, 64, 64)
        parameters, buffers = torch.func.stack_module_state(networks)  # pyright: ignore[reportArgumentType]

        def encode(parameters, buffers):
            encoder = {k.removeprefix("encoder."): v for k, v in parameters.items() if "enc" in k}
            return torch.func.functional_call(networks[0].encoder, encoder, (x,))

        stacked = torch.func.vmap(encode)(parameters, buffers)
        expected = torch.stack([network.encoder(x) for network in networks])
        torch.testing.assert_close(stacked, expected, rtol=1e-4, atol=1e-5)

    def test_an_empty_network_is_refused(self, member):
        with pytest.raises(ValueError, match="must be >= 1, got 1, 0, 1, "):
            member(latent_dim=0)

    def test_the_latents_keep_float32_under_autocast(self, member):
        """Steps of bfloat16 are wider than the posterior of a latent of a few nats."""
        network: Network = member()
        z = torch.full((1, 10), 2.0) + torch.tensor([[0.004]])  # 2.0 in bfloat16
        with torch.autocast("cpu", torch.bfloat16):
            assert network.encode(torch.rand(2, 1, 64, 64)).mean.dtype == torch.float32
            first = next(layer for layer in network.decoder.modules() if hasattr(layer, "weight"))
            assert not torch.equal(first(z), first(torch.full((1, 10), 2.0)))
            assert first(z).dtype == torch.float32
