# SPDX-License-Identifier: Apache-2.0
"""Sweep files: what they say, which trials they have, and that W&B starts the same commands."""

import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from wandb import wandb_agent

from disent.launch.sweep.file import Hyperband, Metric, read_sweep
from disent.launch.sweep.trials import draw_arguments, expand, list_trials, local_command

ROOT = Path(__file__).parents[3]
SHIPPED = {"beta": 30, "capacity": 30, "beta_capacity": 36, "quick": 6, "bayes": 20, "laptop": 24}
SHIPPED |= {"families": 60, "locatello2019": 1800, "zoo": 63}
GRID = {
    "method": "grid",
    "program": "disent",
    "parameters": {
        "seed_everything": {"values": [0, 1]},
        "model": {"value": "BetaVAE"},
        "model.beta": {"values": [1, 4.5]},
    },
    "command": ["${env}", "${program}", "fit", "--config", "quickstart", "${args}"],
}


@pytest.fixture
def write(tmp_path):
    def written(content, name="some"):
        file = tmp_path / f"{name}.yaml"
        file.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
        return file

    return written


def test_a_grid_is_a_product_in_the_order_of_the_file(write):
    file = write(yaml.safe_dump(GRID, sort_keys=False))
    trials = list_trials(read_sweep(file))
    assert [t.name for t in trials] == [
        "some-seed0-beta1",
        "some-seed0-beta4.5",
        "some-seed1-beta1",
        "some-seed1-beta4.5",
    ]
    assert [t.index for t in trials] == [0, 1, 2, 3]
    assert trials[1].arguments == {"seed_everything": 0, "model": "BetaVAE", "model.beta": 4.5}


def test_a_larger_grid_keeps_the_names_of_a_smaller_one(write):
    more = {**GRID["parameters"], "model.beta": {"values": [0.5, 1, 2, 4.5]}}
    small, large = (
        {t.name for t in list_trials(read_sweep(write(content)))}
        for content in (GRID, GRID | {"parameters": more})
    )
    assert small < large


def test_names_that_would_read_alike_differ(write):
    odd = ["{x: 1}", "{}", "{class_path: 1}", "{class_path: A, init_args: 1}", "{x: ["]
    values = [0.123456789, 0.123456788, "a b", "a/b", *odd]
    sweep = read_sweep(write(GRID | {"parameters": {"p": {"values": values}}}))
    names = [t.name for t in list_trials(sweep)]
    assert len(set(names)) == 9
    assert all(name.replace(".", "").replace("-", "").replace("_", "").isalnum() for name in names)


def test_none_that_varies_is_in_the_name(write):
    parameters = {"model.conditions": {"values": [None, "shape"]}}
    sweep = read_sweep(write(GRID | {"parameters": parameters}))
    names = [trial.name for trial in list_trials(sweep)]
    assert names == ["some-conditionsNone", "some-conditionsshape"]


def test_commands_are_word_for_word_those_of_wandbs_agent(write, monkeypatch, tmp_path):
    """Its real agent, without a server: only the start of the process is caught."""
    values = {"a": [1e-05], "b": [False], "c": ["x y"], "d": [4], "e": ["{class_path: A}"]}
    content = GRID | {"parameters": {k: {"values": v} for k, v in values.items()}}
    sweep = read_sweep(write(content))
    trial = list_trials(sweep)[0]
    started = []

    def catch(**given):
        started.append(given)
        return SimpleNamespace()

    monkeypatch.setattr(wandb_agent, "AgentProcess", catch)
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    agent = wandb_agent.Agent(api=None, queue=None, sweep_id="s")
    monkeypatch.setattr(agent, "_sweep_command", content["command"])
    arguments = {name: {"value": value} for name, value in trial.arguments.items()}
    job = {"id": "1", "type": "run", "run_id": "r", "program": "disent", "args": arguments}
    assert agent._process_command(job).get("exception") is None
    assert expand(sweep, trial.arguments) == started[0]["command"]


def test_here_the_same_command_is_started_by_this_python(write):
    sweep = read_sweep(write(GRID))
    trial = list_trials(sweep)[0]
    words = local_command(sweep, trial, "some/runs")
    assert words[:6] == [sys.executable, "-m", "disent", "fit", "--config", "quickstart"]
    assert words[-4:] == ["--runs", "some/runs", "--run", trial.name]


def test_random_trials_depend_on_their_number_alone(write):
    content = GRID | {"method": "random", "run_cap": 5}
    content["parameters"] = {"x": {"min": 0.0, "max": 1.0}, "y": {"values": [1, 2, 3]}}
    few = list_trials(read_sweep(write(content)))
    many = list_trials(read_sweep(write(content | {"run_cap": 200})))
    assert many[:5] == few
    xs = [t.arguments["x"] for t in many]
    assert len(set(xs)) == 200
    assert 0.4 < sum(xs) / 200 < 0.6
    assert {t.arguments["y"] for t in many} == {1, 2, 3}
    assert draw_arguments(read_sweep(write(content)), 3) == few[3].arguments


def test_a_search_without_end_is_refused(write):
    sweep = read_sweep(write(GRID | {"method": "random"}))
    with pytest.raises(ValueError, match="draws at random without end"):
        list_trials(sweep)


def test_lists_are_named_by_their_items(write):
    models = ["{class_path: m.Deep, init_args: {levels: [6, 4]}}"]
    values: dict[str, dict[str, list]] = {}
    values["model"] = {"values": [*models, models[0].replace("6, 4", "6")]}
    values["a"] = {"values": [[1, 0.5], [[1, 2], 3], [1, 2, 3]]}
    names = [t.name for t in list_trials(read_sweep(write(GRID | {"parameters": values})))]
    assert names[0] == "some-a1_0.5-Deep-levels6_4"
    assert names[4] == "some-a1_2_3-Deep-levels6_4"
    assert len(set(names)) == 6  # those that do not tell end in a hash


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_sweeps_have_as_many_runs_as_their_header_says(name):
    file = ROOT / "sweeps" / f"{name}.yaml"
    sweep = read_sweep(file)
    header = file.read_text().split("name:")[0]
    for entry in ("# Runs:", "# Cost:", "# Expected:", "# Command:", "wandb sweep"):
        assert entry in header
    assert re.split("[:,]? ", header.split("# Runs:     ")[1])[0] == f"{SHIPPED[name]:,}"
    assert (sweep.cap if sweep.method == "bayes" else len(list_trials(sweep))) == SHIPPED[name]
    assert sweep.metric == Metric("mig", "maximize")


def test_both_spellings_of_hyperband(write):
    def early(**entry):
        content = GRID | {"metric": {"name": "x"}, "early_terminate": {"type": "hyperband"} | entry}
        return read_sweep(write(content)).early

    first = early(min_iter=3, eta=2)
    assert first is not None
    assert first.brackets[:4] == (3, 6, 12, 24)
    assert early(max_iter=27, s=2) == Hyperband((3, 9), 3.0)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"method": "gird"}, "method is 'gird', but one of grid, random, bayes"),
        ({"parameters": {}}, "parameters: is empty"),
        ({"parameters": None}, "wants method: and parameters:"),
        ({"commnad": ["${args}"]}, "unknown entry commnad"),
        ({"command": ["disent", "fit"]}, r"the item \$\{args\} is wanted"),
        ({"command": ["disent", "fit", "${args}", "--again=true"]}, "again is an option of the"),
        ({"parameters": {"again": {"value": True}}}, "again is an option of the sweep"),
        ({"run_cap": 0}, "run_cap is 0"),
        ({"method": "bayes"}, "need a metric:"),
        ({"metric": {"name": "x", "goal": "up"}}, "minimize or maximize are wanted"),
        ({"metric": {"name": "x"}, "early_terminate": {"type": "median"}}, "type: hyperband"),
        (
            {"metric": {"name": "x"}, "early_terminate": {"type": "hyperband", "eta": 1}},
            "eta is 1, but a number above 1",
        ),
    ],
)
def test_wrong_files_say_what_is_wrong(write, change, match):
    with pytest.raises(ValueError, match=match) as error:
        read_sweep(write(GRID | change))
    assert "some.yaml" in str(error.value)


def test_files_that_are_no_yaml_or_are_not_there(write, tmp_path):
    with pytest.raises(ValueError, match="is not YAML"):
        read_sweep(write("parameters: ["))
    with pytest.raises(FileNotFoundError, match="there is no sweep file"):
        read_sweep(tmp_path / "none.yaml")


def test_macros_that_only_wandb_knows_are_refused(write):
    sweep = read_sweep(write(GRID | {"command": ["${envvar:HOME}", "${args}"]}))
    with pytest.raises(ValueError, match=r"\$\{envvar:HOME\}, which only W&B's agent"):
        expand(sweep, {})


def test_random_trials_are_named_by_all_that_varies(write):
    drawn = {"a": {"min": 0.0, "max": 1.0}, "b": {"values": ["x", "y"]}, "c": {"min": 1, "max": 9}}
    content = GRID | {"method": "random", "run_cap": 3, "parameters": drawn}
    for trial in list_trials(read_sweep(write(content))):
        a, b, c = (trial.arguments[name] for name in "abc")
        assert trial.name == f"some-{trial.index:03d}-a{a:.4g}-b{b}-c{c}"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"x": {"min": 0, "max": 10**12}}, "x has more than 100,000 values"),
        ({"x": {"distribution": "q_uniform", "min": 0, "max": 1, "q": 1e-9}}, "x has more than"),
        ({f"p{i}": {"values": list(range(10))} for i in range(9)}, "1e\\+09 trials, but 1,000,000"),
        ({"x": {"min": 0.0, "max": float("inf")}}, "max must be numbers"),
        ({"x": {"distribution": ["uniform"], "min": 0, "max": 1}}, "has the distribution"),
    ],
)
def test_a_sweep_without_end_is_refused_at_once(write, change, said):
    with pytest.raises(ValueError, match=said):
        list_trials(read_sweep(write(GRID | {"parameters": change})))


def test_a_cap_keeps_a_large_grid_short(write):
    axes = {f"p{i}": {"values": list(range(10))} for i in range(9)}
    assert len(list_trials(read_sweep(write(GRID | {"parameters": axes, "run_cap": 7})))) == 7


@pytest.mark.parametrize("early", [{"eta": 1e300, "min_iter": 1}, {"max_iter": 9, "s": 10**9}])
def test_brackets_without_end_are_refused(write, early):
    content = {"metric": {"name": "x"}, "early_terminate": {"type": "hyperband", **early}}
    with pytest.raises(ValueError, match="early_terminate: "):
        read_sweep(write(GRID | content))


@pytest.mark.parametrize("name", ["../outside", "/etc/some", "a/../../b", "..", "a\0b"])
def test_a_name_that_leads_out_of_the_folder_of_runs_is_refused(write, name):
    with pytest.raises(ValueError, match="but a name for a folder of notes is wanted"):
        read_sweep(write(GRID | {"name": name}))


def test_a_command_that_python_cannot_start_is_refused(write):
    content = {key: value for key, value in GRID.items() if key != "command"}
    with pytest.raises(ValueError, match=r"it has no command:.* Add command: \["):
        read_sweep(write(content))
    assert read_sweep(write(content | {"program": "train.py"})).program == "train.py"
