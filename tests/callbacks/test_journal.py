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
    assert again.state_dict() == {"best": -10.0, "values": []}


def test_it_goes_on_from_what_older_versions_kept(tmp_path):
    journal = Journal(RunDir(tmp_path))
    journal.load_state_dict({"best_elbo": -10.0, "elbos": [-12.0]})
    assert journal.state_dict() == {"best": -10.0, "values": [-12.0]}


def test_a_model_may_be_judged_by_its_loss(tmp_path):
    run = RunDir(tmp_path)
    journal = Journal(run, "-loss")
    for step, loss in enumerate([3.0, 2.0, 4.0], 1):

        def save(file: Path, step: int = step) -> None:
            file.write_text(f"step {step}")

        journal.log(step, {"loss": loss}, 8)
        journal.checkpoint(save, step, 3)
    assert (run.best.read_text(), run.last.read_text()) == ("step 2", "step 3")
    assert journal.best == -2.0
