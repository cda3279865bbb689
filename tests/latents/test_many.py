# SPDX-License-Identifier: Apache-2.0
"""Traversals of many models: rows of matched latents, all of a row going the same way."""

from typing import Any

import pytest
import torch
from jaxtyping import Int, UInt8
from torch import Tensor

from disent import figures
from disent.data.base import PictureDataset
from disent.latents.many import draw_many
from disent.latents.traversal import Traversal
from disent.models import VAE, AutoEncoder
from disent.networks import Linear
from tests.tiny import Squares

MINUS = "\N{MINUS SIGN}"


class Unlabelled(PictureDataset):
    """The squares, of which nothing is known."""

    channels = 1

    @property
    def fingerprint(self) -> str:
        return "squares without labels"

    def __len__(self) -> int:
        return 128

    def images(self, index: Int[Tensor, "b"]) -> UInt8[Tensor, "b c 64 64"]:
        return Squares().images(index)


def model(order: list[int] | None = None, sign: float = 1.0) -> VAE:
    """A linear VAE whose latents are seen to move; in another order, and of the other sign."""
    made = VAE(network=Linear, latent_dim=3)
    network: Any = made.network
    encoder, decoder = network.encoder[1], network.decoder[0]
    own = order or [0, 1, 2]
    with torch.no_grad():
        encoder.weight.mul_(5)
        encoder.weight.copy_(encoder.weight[own + [3 + z for z in own]])
        encoder.weight[:3].mul_(sign)
        decoder.weight.copy_(sign * decoder.weight[:, own])
    return made


@pytest.fixture
def seen(monkeypatch) -> dict[str, Any]:
    """What the figure is given."""
    told: dict[str, Any] = {}
    monkeypatch.setattr(
        figures, "side_by_side", lambda panels, **named: told.update(named, panels=panels)
    )
    return told


def test_the_same_model_with_its_latents_turned_round_is_drawn_alike(seen):
    draw_many([("a", model()), ("b", model([2, 0, 1], -1.0))], Unlabelled())
    a, b = seen["panels"]
    assert [panel.title for panel in (a, b)] == ["a", "b"]
    assert sorted(seen["rows"]) == ["as z0", "as z1", "as z2"]
    assert all(label.endswith("\n1.00") for label in (*a.labels, *b.labels))
    assert [label.split("\n")[0] for label in a.labels] == [row[3:] for row in seen["rows"]]
    turned = {"z2": "z0", "z0": "z1", "z1": "z2"}
    assert [label.split("\n")[0] for label in b.labels] == [
        MINUS + turned[row[3:]] for row in seen["rows"]
    ]
    torch.testing.assert_close(a.images, b.images, atol=1e-5, rtol=0)


def test_with_factors_a_row_is_a_factor_and_a_missing_latent_is_white(seen):
    small = VAE(network=Linear, latent_dim=2)  # faint: below 0.1 nats
    draw_many([("a", model()), ("b", model([1, 2, 0], -1.0)), ("c", small)], Squares())
    a, b, c = seen["panels"]
    assert seen["rows"] == ["size", "pos_x", "pos_y"]
    torch.testing.assert_close(a.images, b.images, atol=1e-5, rtol=0)
    assert [label.split("\n")[1] for label in a.labels] == [x.split("\n")[1] for x in b.labels]
    empty = list(c.labels).index("none")
    assert (c.images[empty] == 1).all()
    assert list(c.labels).count("none") == 1
    assert all(label.endswith("faint") for label in c.labels if label != "none")


def test_models_without_a_rate_are_drawn_beside_those_with_one(seen):
    traversal = Traversal(columns=3, limit=1.0)
    plain = AutoEncoder(network=Linear, latent_dim=3)
    draw_many([("a", plain), ("b", model())], Squares(), traversal)
    assert [panel.images.shape for panel in seen["panels"]] == [(3, 3, 1, 64, 64)] * 2
    assert f"from {MINUS}1 to +1 standard deviations" in seen["note"]
