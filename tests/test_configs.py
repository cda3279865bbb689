# SPDX-License-Identifier: Apache-2.0
"""Every preset parses, says what it is, and takes a step on the CPU."""

import pandas as pd
import pytest

from disent.cli.main import main
from disent.config.presets import presets
from disent.runs import RunDir

STANDING = {"scan": "--model.vision"}  # on a run of a VAE, under this option
HEADER = ("https://", "# Steps:", "# Cost:", "# Expected:", "# Command:  disent fit --config")


def test_the_presets_are_there():
    wanted = {"quickstart", "locatello2019", "burgess2018", "higgins2017", "lecture"}
    assert wanted <= presets().keys()


@pytest.mark.parametrize("name", presets())
def test_a_preset_names_source_steps_cost_result_and_command(name):
    lines = presets()[name].read_text().splitlines()
    header = "\n".join(line for line in lines if line.startswith("#"))
    assert [part for part in HEADER if part not in header] == []
    assert f"--config {name}" in header


def fit(folder, words):
    options = (
        f"{words} --data tests.tiny.Squares --loader.batch_size 4 --trainer.max_steps 1 "
        "--trainer.log_every_n_steps 1 --evaluate.at_end false --pictures.at_end false"
    )
    return main(["fit", *options.split(), "--runs", str(folder)])


@pytest.mark.parametrize("name", presets())
def test_a_preset_takes_a_step(name, tmp_path):
    words = f"--config {name} --run step"
    if option := STANDING.get(name):
        assert fit(tmp_path, "--config quickstart --run below") == 0
        words += f" {option} {tmp_path / 'below'}"
    assert fit(tmp_path, words) == 0
    logged = pd.read_csv(RunDir(tmp_path / "step").metrics)
    assert list(logged["step"]) == [1]
    assert logged.notna().all(axis=None)
