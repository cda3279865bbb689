# SPDX-License-Identifier: Apache-2.0
"""One finished run without W&B, to compare with."""

import pytest

from tests.cli.small import QUIET, fit


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    assert fit(folder, "--run", "whole", *QUIET) == 0
    return folder
