# SPDX-License-Identifier: Apache-2.0
"""What two models call alike is not always the same."""

import pytest

from disent.config.fit import FitConfig

QUICK = ["--config", "quickstart"]  # AnnealedVAE with gamma 100, lr 1e-3


@pytest.mark.parametrize(
    ("words", "gamma"),
    [
        (["--model", "FactorVAE"], 35.0),
        (["--model=FactorVAE", "--model.gamma", "7"], 7.0),
        (["--model", "{class_path: disent.models.FactorVAE, init_args: {gamma: 9}}"], 9.0),
        (["--model", "AnnealedVAE"], 100.0),
        (["--model.gamma", "50"], 50.0),
        ([], 100.0),
    ],
)
def test_another_model_does_not_inherit_a_knob_by_its_name(words, gamma):
    given = FitConfig.read([*QUICK, *words]).model["init_args"]
    assert given["gamma"] == gamma
    assert given["lr"] == 0.001


def test_a_config_that_follows_a_model_wins():
    config = FitConfig.read(["--model", "BetaVAE", *QUICK])
    assert config.model["class_path"] == "disent.models.AnnealedVAE"
    assert config.model["init_args"]["gamma"] == 100.0
    assert "beta" not in config.model["init_args"]


def test_a_config_of_the_same_model_keeps_its_knob(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("model: {class_path: disent.models.FactorVAE, init_args: {gamma: 11.0}}\n")
    words = [*QUICK, "--config", str(file), "--model", "FactorVAE"]
    assert FitConfig.read(words).model["init_args"]["gamma"] == 11.0
