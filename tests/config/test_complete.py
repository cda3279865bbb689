# SPDX-License-Identifier: Apache-2.0
"""What nobody has to type: seed, channels, size, number of pictures, sizes of the factors."""

from typing import Any

import pytest
import yaml

from disent.config.complete import arguments_of, facts_of, fill_in, strength_of
from disent.config.fit import FitConfig
from disent.config.provenance import write_config
from disent.models import VAE, AnnealedVAE, BetaTCVAE, BetaVAE, FactorVAE
from disent.networks import MLP
from disent.networks.base import Network
from disent.runs import RunDir

SQUARES = {"class_path": "tests.tiny.Squares"}
DIGITS = {"class_path": "tests.data.digits.Digits"}
SHORT = ["--trainer.max_steps", "3", "--loader.batch_size", "8"]


def read(model: str, *more: str, data: str = "tests.tiny.Squares") -> FitConfig:
    return FitConfig.read(["--model", model, "--data", data, *SHORT, *more])


def test_facts_of_a_grid_by_hand():
    assert facts_of(SQUARES, 3) == {
        "seed": 3,
        "channels": 1,
        "size": [64, 64],
        "pictures": 128,
        "factor_names": ["size", "pos_x", "pos_y"],
        "factor_sizes": [2, 8, 8],
    }


def test_facts_of_pictures_that_are_no_grid_by_hand():
    facts = facts_of(DIGITS, 0)
    assert facts["size"] == [28, 28]
    assert facts["pictures"] == 30
    assert facts["factor_names"] == facts["factor_sizes"] == []
    facts = facts_of({"class_path": "tests.data.digits.Labelled"}, 0)
    assert facts["factor_names"] == ["digit", "writer"]
    assert facts["factor_sizes"] == [10, 2]  # writer 1 of 0 to 14, and -1 where none is known


def test_the_facts_of_dsprites_need_no_file():
    given = {"class_path": "disent.data.DSprites", "init_args": {"path": "no.npz"}}
    assert facts_of(given, 0)["pictures"] == 737_280


@pytest.mark.parametrize("model", ["VAE", "BetaVAE", "AnnealedVAE", "FactorVAE"])
def test_every_vae_gets_seed_channels_and_size(model):
    given = read(model, "--seed_everything", "7", data="tests.data.digits.Digits")
    init = given.model["init_args"]
    assert (init["seed"], init["channels"], init["size"]) == (7, 1, [28, 28])
    assert "pictures" not in init


def test_the_number_of_pictures_reaches_the_model_and_its_objective():
    config = read("BetaTCVAE", "--model.network", "Linear")
    assert config.model["init_args"]["pictures"] == 128
    model = config.build().model
    assert isinstance(model, BetaTCVAE)
    assert model.objective.pictures == 128


def test_the_number_of_pictures_reaches_an_objective_that_is_given():
    config = read("VAE", "--model.objective", "TotalCorrelationELBO", "--model.network", "Linear")
    objective = config.model["init_args"]["objective"]
    assert objective["init_args"] == {"beta": 6.0, "pictures": 128}
    model = config.build().model
    assert isinstance(model, VAE)
    assert model.objective.pictures == 128
    assert config.dump()["model"]["init_args"]["objective"]["init_args"]["pictures"] == 128


def test_networks_are_made_for_the_pictures_and_keep_what_was_said():
    more = ["--model.network", "MLP", "--model.network.hidden", "[16]"]
    config = read("BetaVAE", *more, data="tests.data.digits.Digits")
    assert config.model["init_args"]["network"] == {
        "class_path": "disent.networks.MLP",
        "init_args": {"hidden": [16], "size": [28, 28], "numbers": None},
    }
    model = config.build().model
    assert isinstance(model, VAE)
    assert isinstance(model.network, MLP)
    assert model.network.size == (28, 28)


def test_a_convolutional_network_of_other_pictures_is_refused_in_one_line():
    config = read("BetaVAE", data="tests.data.digits.Digits")
    with pytest.raises(ValueError, match="Locatello2019 takes pictures of 64 x 64") as error:
        config.build()
    assert "\n" not in str(error.value)


class Conditional:
    """Asks for the sizes of the factors, at its end of a chain."""

    def __init__(self, factor_sizes: list[int] | None = None, network: Any = None) -> None: ...


def test_only_what_is_asked_for_and_named_is_filled_in():
    path = f"{__name__}.Conditional"
    network = {"class_path": "disent.networks.MLP", "init_args": {"size": None, "hidden": [4]}}
    section: dict[str, Any] = {
        "class_path": path,
        "init_args": {"factor_sizes": None, "network": network},
    }
    fill_in(section, facts_of(SQUARES, 3))
    init = section["init_args"]
    assert init.keys() == {"factor_sizes", "network"}
    assert init["factor_sizes"] == [2, 8, 8]
    assert init["network"]["init_args"] == {"size": [64, 64], "hidden": [4]}


def test_a_section_without_arguments_is_left_as_it_is():
    section = {"class_path": "disent.models.VAE", "init_args": None}
    fill_in(section, facts_of(SQUARES, 3))
    assert section == {"class_path": "disent.models.VAE", "init_args": None}


def test_arguments_are_those_of_all_classes_that_are_handed_something():
    vae = arguments_of(VAE)
    assert {"network", "latent_dim", "size", "posterior", "objective"} <= vae
    assert arguments_of(BetaVAE) == vae | {"beta"}
    assert arguments_of(FactorVAE) == vae | {"gamma", "discriminator_lr", "width"}
    assert arguments_of(MLP) - arguments_of(Network) == {"hidden"}
    assert arguments_of(len) == set()


@pytest.mark.parametrize(
    ("model", "more", "strength"),
    [
        ("BetaVAE", [], {"knob": "model.beta", "symbol": "beta"}),
        ("AnnealedVAE", [], {"knob": "model.capacity", "symbol": "C"}),
        ("FactorVAE", [], {"knob": "model.gamma", "symbol": "gamma"}),
        ("BetaTCVAE", [], {"knob": "model.beta", "symbol": "beta"}),
        (
            "VAE",
            ["--model.objective", "CapacityELBO"],
            {"knob": "model.objective.capacity", "symbol": "C"},
        ),
        (
            "VAE",
            ["--model.objective", "BetaELBO"],
            {"knob": "model.objective.beta", "symbol": "beta"},
        ),
        (
            "VAE",
            [
                "--model.objective",
                "ScheduledELBO",
                "--model.objective.objective",
                "TotalCorrelationELBO",
            ],
            {"knob": "model.objective.objective.beta", "symbol": "beta"},
        ),
        ("DIPVAE", [], {"knob": "model.lambda_od", "symbol": "lambda_od"}),
        ("InfoVAE", [], {"knob": "model.lambda_mmd", "symbol": "lambda"}),
        ("ScheduledVAE", [], {"knob": "model.beta", "symbol": "beta"}),
        ("AdaMLVAE", [], {"knob": "model.beta", "symbol": "beta"}),
        ("VAE", [], None),
    ],
)
def test_what_a_study_varies_is_written_into_the_config(model, more, strength, tmp_path):
    config = read(model, *more)
    assert strength_of(config.model) == strength
    folder = RunDir(tmp_path)
    write_config(folder, config.dump(), config.argv)
    told = yaml.safe_load(folder.config.read_text())["provenance"]
    assert told["strength"] == strength
    assert told["command"] == ["disent", "fit", *config.argv]


def test_the_strength_of_a_class_that_is_gone_is_none():
    assert strength_of({"class_path": "gone.Model", "init_args": {}}) is None
    assert strength_of({"class_path": "disent.models.AnnealedVAE"}) is not None
    assert AnnealedVAE.strength == ("capacity", "C")
