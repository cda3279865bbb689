# SPDX-License-Identifier: Apache-2.0
"""One finished run, with everything that a run leaves; tests that change it make their own."""

import pytest

from tests.cli.small import fit


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    assert fit(folder, "--run", "whole", "--evaluate.every_n_steps", "30") == 0
    return folder
