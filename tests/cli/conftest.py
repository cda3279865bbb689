# SPDX-License-Identifier: Apache-2.0
"""One finished run, with everything that a run leaves; tests that change it make their own."""

from pathlib import Path

import pytest
import yaml

from tests.cli.small import MODELS, fit

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    assert fit(folder, "--run", "whole", "--evaluate.every_n_steps", "30") == 0
    return folder


@pytest.fixture
def sweep(tmp_path, monkeypatch):
    """Writes a sweep of three tiny runs; returns its file."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")

    def write(models=(), **fixed):
        given = {"data": "tests.tiny.Squares", "model.network": "Linear", "trainer.max_steps": 60}
        given |= {"loader.batch_size": 8, "checkpoint_every_n_steps": 20}
        given |= {"trainer.log_every_n_steps": 10, "evaluate.metrics": "mig"}
        given |= {"pictures.at_end": False}
        given |= {name.replace("__", "."): value for name, value in fixed.items()}
        parameters: dict = {"model": {"values": list(models or MODELS.values())}}
        parameters |= {
            name: {"values": value} if isinstance(value, list) else {"value": value}
            for name, value in given.items()
        }
        command = ["${env}", "disent", "fit", "--config", "locatello2019", "${args}"]
        content = {"method": "grid", "parameters": parameters, "command": command}
        file = tmp_path / "tiny.yaml"
        file.write_text(yaml.safe_dump(content))
        return file

    return write
