# SPDX-License-Identifier: Apache-2.0
"""disent data prepare."""

import pytest

from disent.cli.main import main


def test_dsprites_is_prepared_and_named(capsys):
    assert main(["data", "prepare", "dsprites"]) == 0
    assert "737,280 pictures: dsprites, rendered" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["dsprites", "--path", "missing.npz"], "there is no file missing.npz"),
        (["shapes3d"], "--path is missing: 3D Shapes needs its official file"),
        (["shapes3d", "--path", "missing.h5"], "there is no file missing.h5"),
    ],
)
def test_what_is_missing_is_said(arguments, message, capsys):
    assert main(["data", "prepare", *arguments]) == 1
    assert message in capsys.readouterr().err
