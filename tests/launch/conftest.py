# SPDX-License-Identifier: Apache-2.0
"""A sweep of runs that last a moment."""

import subprocess
import sys

import pytest
import yaml

from tests.launch.fake import COMMAND, ROOT


@pytest.fixture
def sweep(tmp_path, monkeypatch):
    """Writes a sweep of the program that only counts; returns its file."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))

    def write(count=4, **more):
        parameters = {"x": {"values": [1.0 + i for i in range(count)]}}
        parameters |= {name: {"value": value} for name, value in more.items()}
        file = tmp_path / "counting.yaml"
        content = {"method": "grid", "parameters": parameters, "command": COMMAND}
        file.write_text(yaml.safe_dump(content))
        return file

    return write


@pytest.fixture
def drain():
    """`disent sweep` as a process of its own; none outlives its test."""
    started = []

    def start(file, runs, *more):
        words = [sys.executable, "-m", "disent", "sweep", str(file), "--runs", str(runs), *more]
        started.append(subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
