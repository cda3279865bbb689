# SPDX-License-Identifier: Apache-2.0
"""From a command line to what it describes, and what is refused before anything is built."""

import pytest
import torch
import yaml

from disent.config.fit import EPOCHS, FitConfig
from disent.config.options import EvaluateOptions, LoaderOptions
from disent.models import FactorVAE
from tests.tiny import Squares

MODEL = ["--model", "BetaVAE", "--model.network", "Linear", "--data", "tests.tiny.Squares"]
STEPS = ["--trainer.max_steps", "3"]


@pytest.mark.parametrize("option", EPOCHS)
def test_options_that_count_epochs_are_refused_in_one_line(option):
    with pytest.raises(ValueError, match=f"--trainer.{option} is 2, but it counts epochs") as error:
        FitConfig.read([*MODEL, *STEPS, f"--trainer.{option}", "2"])
    assert "say --trainer.max_steps" in str(error.value)
    assert "\n" not in str(error.value)


def test_epochs_at_their_defaults_are_not_refused():
    config = FitConfig.read([*MODEL, *STEPS, "--trainer.max_epochs", "-1"])
    assert config.trainer["max_epochs"] == -1


@pytest.mark.parametrize("steps", [[], ["--trainer.max_steps", "-1"]])
def test_a_run_without_steps_is_refused_in_one_line(steps):
    with pytest.raises(ValueError, match="the number of steps is not said") as error:
        FitConfig.read([*MODEL, *steps])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("steps", ["0", "-5"])
def test_a_number_of_steps_that_is_none_is_named(steps):
    with pytest.raises(ValueError, match=rf"^--trainer\.max_steps is {steps}, but a number from 1"):
        FitConfig.read([*MODEL, "--trainer.max_steps", steps])


def test_what_was_said_has_its_types_and_the_rest_its_defaults():
    config = FitConfig.read([*MODEL, *STEPS, "--loader.batch_size", "8", "--seed_everything", "5"])
    assert config.loader == LoaderOptions(batch_size=8)
    assert config.evaluate.points == EvaluateOptions().points
    assert config.seed == 5
    assert not config.fast
    assert config.run is None
    assert config.data == {"class_path": "tests.tiny.Squares", "init_args": {}}
    assert config.trainer["max_steps"] == 3


@pytest.mark.parametrize("given", ["mig, sap", "[mig, sap]"])
def test_scores_are_a_list_and_those_that_do_not_exist_are_named(given):
    config = FitConfig.read([*MODEL, *STEPS, "--evaluate.metrics", given])
    assert config.evaluate.metrics == ["mig", "sap"]
    with pytest.raises(ValueError, match="there is no metric mgi"):
        FitConfig.read([*MODEL, *STEPS, "--evaluate.metrics", "mig,mgi"])


def test_its_dump_describes_the_same_run(tmp_path):
    config = FitConfig.read([*MODEL, *STEPS, "--model.beta", "7", "--loader.held_out", "pos_x > 5"])
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(config.dump()))
    again = FitConfig.read(["--config", str(file)])
    assert again.dump() == config.dump()
    assert again.model["init_args"]["beta"] == 7


def test_what_is_built_are_the_objects_of_the_config():
    argv = ["--model", "FactorVAE", "--model.width", "8", "--model.gamma", "3", *MODEL[2:], *STEPS]
    built = FitConfig.read(
        [*argv, "--loader.held_out", "pos_x > 5", "--seed_everything", "4"]
    ).build()
    assert isinstance(built.model, FactorVAE)
    assert built.model.gamma == 3
    assert built.model.noise.seed == built.loader.seed == 4
    assert isinstance(built.dataset, Squares)
    assert built.loader.dataset is built.dataset
    assert len(built.loader.held_out_index) == 2 * 2 * 8
    assert built.trainer["max_steps"] == 3


def test_a_bad_value_is_answered_in_one_line():
    config = FitConfig.read([*MODEL, *STEPS, "--model.beta", "-1"])
    with pytest.raises(ValueError, match="beta must be >= 0, got -1") as error:
        config.build()
    assert "\n" not in str(error.value)


def test_arithmetic_is_told_to_the_config_that_is_written():
    config = FitConfig.read([*MODEL, *STEPS])
    config.take_precision("bf16-mixed", "bfloat16")
    dumped = config.dump()
    assert dumped["trainer"]["precision"] == config.trainer["precision"] == "bf16-mixed"
    assert dumped["evaluate"]["precision"] == config.evaluate.precision == "bfloat16"


def test_two_models_of_one_command_start_alike():
    one, other = (FitConfig.read([*MODEL, *STEPS]).build().model for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


@pytest.mark.parametrize("text", ["trainer: 3", "trainer:", "evaluate: [1]", "data: null"])
def test_a_group_of_options_that_is_none_is_named(text, tmp_path):
    file = tmp_path / "some.yaml"
    file.write_text(text)
    with pytest.raises(ValueError, match=text.partition(":")[0]) as error:
        FitConfig.read([*MODEL, "--config", str(file)])
    assert "\n" not in str(error.value)
