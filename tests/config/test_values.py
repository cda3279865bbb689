# SPDX-License-Identifier: Apache-2.0
"""Options as W&B's own agent writes them."""

import pytest
from wandb.sdk.launch.sweeps.utils import create_sweep_command_args

from disent.config.fit import FitConfig
from disent.config.values import as_yaml

BASE = ["--config", "quickstart", "--data", "tests.tiny.Squares", "--model.network", "MLP"]


def read(**given):
    """The config of a trial whose parameters are `given`, with __ for dots."""
    args = {name.replace("__", "."): {"value": value} for name, value in given.items()}
    return FitConfig.read([*BASE, *create_sweep_command_args({"args": args})["args"]])


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("--x=None", "--x=null"),
        ("None", "null"),
        ("--x=[None, 'a']", '--x=[null, "a"]'),
        ("--x={'a': {'b': None}}", '--x={"a": {"b": null}}'),
        ("--x=NoneType", "--x=NoneType"),
        ("--x={class_path: None}", "--x={class_path: None}"),
        ("--x='None'", "--x='None'"),
        ("--x=(None,)", "--x=(None,)"),
        ("--x=None + 1", "--x=None + 1"),
        ("--None=1", "--None=1"),
    ],
)
def test_words(word, said):
    assert as_yaml([word]) == [said]


def test_every_kind_of_value_by_the_agents_own_command_builder():
    config = read(
        loader__held_out=None,
        trainer__max_time=None,
        evaluate__at_end=False,
        model__network__hidden=[8, 4],
        model__lr=1e-05,
        loader__sampling="shuffled",
        trainer__max_steps=7,
    )
    assert (config.loader.held_out, config.trainer["max_time"]) == (None, None)
    assert config.evaluate.at_end is False
    given = config.model["init_args"]
    assert given["network"]["init_args"]["hidden"] == [8, 4]
    assert given["lr"] == 1e-05
    assert (config.loader.sampling, config.trainer["max_steps"]) == ("shuffled", 7)


def test_a_class_as_a_nested_dictionary():
    beta = {"class_path": "disent.models.BetaVAE", "init_args": {"beta": 8.0, "lr": 1e-4}}
    assert read(model=beta).model["init_args"]["beta"] == 8.0
    pairs = {"class_path": "disent.models.AdaGVAE", "init_args": {"changed_factors": None}}
    assert read(model=pairs).model["init_args"]["changed_factors"] is None
