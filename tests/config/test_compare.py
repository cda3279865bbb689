# SPDX-License-Identifier: Apache-2.0
"""Which settings make a run another run, also for folders of older versions."""

from copy import deepcopy
from typing import Any

import pytest
import yaml

from disent.config.compare import differences, is_finished
from disent.config.fit import FitConfig
from disent.runs import RunDir
from disent.runs.directory import State

ARGV = ["--model", "BetaVAE", "--model.network", "MLP", "--model.network.hidden", "[16]"]
ARGV += ["--data", "tests.tiny.Squares", "--trainer.max_steps", "3"]


@pytest.fixture(scope="module")
def config() -> dict[str, Any]:
    return FitConfig.read(ARGV).dump()


def folder_of(tmp_path: Any, config: dict[str, Any], state: State = "finished") -> RunDir:
    folder = RunDir(tmp_path)
    folder.config.write_text(yaml.safe_dump(config))
    folder.write_status(state=state)
    return folder


def init(config: dict[str, Any]) -> dict[str, Any]:
    return config["model"]["init_args"]


def test_a_run_of_the_same_settings_is_recognised(config, tmp_path):
    assert is_finished(folder_of(tmp_path, config), config)
    assert not is_finished(folder_of(tmp_path, config, "running"), config)


def test_an_old_config_that_does_not_know_the_new_arguments_is_the_same_run(config, tmp_path):
    old = deepcopy(config)
    for name in ("size", "posterior"):
        del init(old)[name]
    for name in ("size", "numbers"):
        del init(old)["network"]["init_args"][name]
    del old["fast"]
    assert is_finished(folder_of(tmp_path, old), config)


def test_a_new_argument_that_is_not_at_its_default_is_another_run(config, tmp_path):
    old, new = deepcopy(config), deepcopy(config)
    del init(old)["posterior"]
    init(new)["posterior"] = "full"
    folder = folder_of(tmp_path, old)
    with pytest.raises(ValueError, match=r"model.init_args.posterior: diagonal -> full"):
        is_finished(folder, new)


@pytest.mark.parametrize(
    ("place", "value", "answer"),
    [
        (("model", "init_args", "beta"), 8.0, "model.init_args.beta: 4.0 -> 8.0"),
        (("seed_everything",), 1, "seed_everything: 0 -> 1"),
        (("loader", "sampling"), "shuffled", "loader.sampling: iid -> shuffled"),
        (("trainer", "gradient_clip_val"), 1.0, "trainer.gradient_clip_val: None -> 1.0"),
        (("fast",), True, "fast: False -> True"),
        (
            ("model", "init_args", "network", "init_args", "hidden"),
            [8],
            r"network.init_args.hidden: \[16\] -> \[8\]",
        ),
    ],
)
def test_other_settings_are_named_in_one_line(config, tmp_path, place, value, answer):
    other: Any = deepcopy(config)
    part = other
    for name in place[:-1]:
        part = part[name]
    part[place[-1]] = value
    folder = folder_of(tmp_path, config)
    with pytest.raises(ValueError, match=answer) as error:
        is_finished(folder, other)
    assert "--again true" in str(error.value)
    assert "\n" not in str(error.value)
    assert is_finished(folder, {**other, "again": True})


def test_where_a_run_trains_and_what_is_looked_at_make_no_other_run(config, tmp_path):
    other = deepcopy(config)
    other["trainer"] |= {"accelerator": "cpu", "devices": 2, "log_every_n_steps": 1}
    other["evaluate"]["every_n_steps"] = 5
    other["pictures"]["at_end"] = False
    assert is_finished(folder_of(tmp_path, config), other)


def test_a_run_goes_on_to_more_steps_and_is_not_cut_back(config, tmp_path):
    longer, shorter = deepcopy(config), deepcopy(config)
    longer["trainer"] |= {"max_steps": 4, "max_time": "00:01:00:00"}
    shorter["trainer"]["max_steps"] = 2
    folder = folder_of(tmp_path, config)
    assert not is_finished(folder, longer)  # by its config: older statuses do not say how far
    folder.write_status("finished", step=3, max_steps=3)
    assert is_finished(folder, config)
    assert not is_finished(folder, longer)
    with pytest.raises(ValueError, match="gone to step 3, and is not cut back to 2"):
        is_finished(folder, shorter)


def test_what_follows_from_data_and_seed_is_compared_there_alone(config, tmp_path):
    other = deepcopy(config)
    init(other).update(seed=5, channels=3)
    assert is_finished(folder_of(tmp_path, config), other)


def test_an_empty_folder_holds_no_run(config, tmp_path):
    assert not is_finished(RunDir(tmp_path), config)


def test_differences_are_sorted_and_go_down_into_sections():
    old = {"b": 1, "a": {"c": 2, "d": [1, 2]}}
    new = {"b": 2, "a": {"c": 3, "d": [1, 2]}, "e": None}
    assert differences(old, new) == ["a.c: 2 -> 3", "b: 1 -> 2"]
    assert differences(old, old) == []
    assert differences({}, {"a": 1}) == ["a: None -> 1"]
