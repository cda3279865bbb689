# SPDX-License-Identifier: Apache-2.0
"""What is on disk when a checkpoint could not be written to the end."""

from pathlib import Path

import pytest

from disent.callbacks.journal import Journal
from disent.runs import RunDir


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_what_is_interrupted_between_its_two_files_comes_again(tmp_path, error):
    """last.ckpt knows the best elbo: it must not be ahead of best.ckpt."""
    run, written = RunDir(tmp_path), []

    def save(file: Path) -> None:
        file.write_text("new")
        written.append(file)
        if len(written) == 2:
            raise error

    journal = Journal(run)
    journal.log(1, {"elbo": -10.0}, 8)
    with pytest.raises(error):
        journal.checkpoint(save, 1, 2)
    assert [p.name for p in (tmp_path / "checkpoints").iterdir()] == ["best.ckpt"]
    again = Journal(run)
    again.log(1, {"elbo": -10.0}, 8)
    again.checkpoint(save, 1, 2)
    assert run.last.exists()
    assert again.state_dict() == {"best_elbo": -10.0, "elbos": []}
