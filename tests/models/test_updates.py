# SPDX-License-Identifier: Apache-2.0
"""Which weights an update moves."""

import pytest

from disent.models import VAE
from disent.models.base import Update
from disent.networks import Linear

ENCODER = Update("step_loss", ("network.encoder",))


def parts(model: VAE, update: Update) -> set[str]:
    return {".".join(name.split(".")[:2]) for name in model.weights_of(update)}


def test_a_part_of_a_submodule_can_be_moved_alone():
    model = VAE(network=Linear)
    assert parts(model, ENCODER) == {"network.encoder"}
    assert parts(model, Update("step_loss", ("network",))) == {"network.encoder", "network.decoder"}
    assert parts(model, Update("step_loss", ("net",))) == set()


def test_an_update_that_names_nothing_moves_what_no_other_names():
    model = VAE(network=Linear)
    rest = Update("step_loss")
    model.updates = (rest, ENCODER)  # type: ignore[misc]
    assert parts(model, rest) == {"network.decoder"}


def test_weights_that_no_update_moves_are_said():
    model = VAE(network=Linear)
    model.updates = (ENCODER,)  # type: ignore[misc]
    with pytest.raises(ValueError, match=r"no update of VAE moves network\.decoder"):
        model.configure_optimizers()
