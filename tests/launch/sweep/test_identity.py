# SPDX-License-Identifier: Apache-2.0
"""A sweep is not run again under its name with settings that the names of its runs do not tell."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml

from disent.cli.main import main
from disent.launch.sweep.file import read_sweep
from disent.launch.sweep.identity import check_same

GRID = {"seed": {"values": [0, 1]}, "steps": {"value": 3}}


@pytest.fixture
def check(tmp_path):
    """Checks a sweep of these parameters against those that were checked before."""

    def run(parameters, **more):
        file = tmp_path / "some.yaml"
        content = {"method": "grid", "command": ["fit", "${args}"], "parameters": parameters}
        file.write_text(yaml.safe_dump(content | more))
        check_same(read_sweep(file), tmp_path / "notes" / "sweep.json")

    return run


@pytest.mark.parametrize(
    ("parameters", "more", "answer"),
    [
        (GRID | {"steps": {"value": 5}}, {}, "steps: 3 -> 5"),
        (GRID | {"steps": {"values": [5]}}, {}, "steps: 3 -> 5"),  # one value is in no name
        ({"seed": GRID["seed"]}, {}, "steps: 3 -> not given"),
        (GRID | {"lr": {"value": 0.1}}, {}, "lr: not given -> 0.1"),
        (GRID, {"command": ["other", "${args}"]}, "command: ['fit', '${args}'] -> ['other',"),
        (GRID, {"program": "p"}, "program:  -> p"),
        (GRID, {"method": "random", "run_cap": 2}, "method: grid -> random"),
    ],
)
def test_what_names_do_not_tell_is_refused(check, parameters, more, answer):
    check(GRID)
    with pytest.raises(ValueError, match="sweep some was run with other settings") as error:
        check(parameters, **more)
    assert answer in str(error.value)
    assert "Give the file another name:" in str(error.value)
    check(GRID)  # what was there before still goes on


@pytest.mark.parametrize(
    "parameters",
    [
        GRID | {"seed": {"values": [0, 1, 2]}},
        GRID | {"beta": {"values": [1, 4]}},
        GRID | {"steps": {"values": [3, 5]}},
        dict(reversed(GRID.items())),
    ],
)
def test_a_grid_may_grow(check, parameters, tmp_path):
    check(GRID)
    check(parameters)
    known = json.loads((tmp_path / "notes" / "sweep.json").read_text())
    assert set(known["swept"]) | set(known["fixed"]) >= set(parameters)
    check(GRID)  # what was there before still goes on


def test_a_value_is_remembered_while_it_varies(check):
    """Runs of the first sweep have no seed in their names, nor have those of the third."""
    check(GRID | {"seed": {"value": 0}})
    check(GRID)
    with pytest.raises(ValueError, match="seed: 0 -> 1"):
        check(GRID | {"seed": {"value": 1}})
    check(GRID | {"seed": {"value": 0}})


def test_a_parameter_that_came_later_is_remembered_as_absent(check):
    check(GRID)
    check(GRID | {"beta": {"values": [1, 4]}})
    with pytest.raises(ValueError, match="beta: not given -> 4"):
        check(GRID | {"beta": {"value": 4}})


def test_a_search_may_only_become_longer(check):
    drawn = {"x": {"min": 0.0, "max": 1.0}}
    check(drawn, method="random", run_cap=2)
    check(drawn, method="random", run_cap=9)
    with pytest.raises(ValueError, match="'max', 2"):
        check({"x": {"min": 0.0, "max": 2.0}}, method="random", run_cap=2)


def test_many_workers_that_start_at_once_agree(check, tmp_path):
    check(GRID)
    (tmp_path / "notes" / "sweep.json").unlink()
    sweep, file = read_sweep(tmp_path / "some.yaml"), tmp_path / "notes" / "sweep.json"
    with ThreadPoolExecutor(16) as threads:
        list(threads.map(lambda _: check_same(sweep, file), range(64)))
    assert json.loads(file.read_text())["fixed"] == {"steps": [3]}
    assert [entry.name for entry in file.parent.iterdir()] == ["sweep.json"]


def test_the_command_refuses_before_it_runs_anything(sweep, tmp_path, capsys):
    arguments = ["--runs", str(tmp_path / "runs")]
    assert main(["sweep", str(sweep(1, steps=2)), *arguments]) == 0
    assert main(["sweep", str(sweep(2, steps=9)), *arguments]) == 1
    assert "steps: 2 -> 9" in capsys.readouterr().err
    assert len((tmp_path / "runs" / "starts.txt").read_text().splitlines()) == 1


@pytest.mark.parametrize("text", ["[]", "{}", '{"method": "grid"}', '{"fixed": []}', "[" * 5000])
def test_a_record_that_was_changed_is_refused_in_one_line(check, tmp_path, text):
    check(GRID)
    (tmp_path / "notes" / "sweep.json").write_text(text)
    if text == "{}":  # as if there were none
        return check(GRID)
    with pytest.raises(ValueError, match=r"sweep\.json ") as error:
        check(GRID)
    assert "\n" not in str(error.value)
    return None
