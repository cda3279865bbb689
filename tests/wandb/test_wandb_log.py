# SPDX-License-Identifier: Apache-2.0
"""The callback alone, with a W&B that does as it is told."""

import signal
from types import SimpleNamespace

import pytest

from disent.callbacks.wandb_log import WandbLog
from disent.runs.directory import RunDir
from disent.stops import InterruptedRunError


@pytest.fixture
def told():
    """What W&B was told."""
    return []


@pytest.fixture
def log(tmp_path, told):
    """A log that is open."""
    run = RunDir(tmp_path / "a")
    run.write_text(run.last, "a checkpoint")
    log = WandbLog(run, {}, checkpoints=True)
    files = SimpleNamespace(add_file=lambda file: told.append(file.split("/")[-1]))
    log._wandb = SimpleNamespace(
        Artifact=lambda name, **kind: files,
        Table=lambda **given: "table",
        Image=lambda path: "image",
    )
    log._logged = SimpleNamespace(
        id="x",
        step=0,
        summary={},
        log=lambda row, step: told.append(step),
        log_artifact=lambda artifact: told.append("artifact"),
        finish=lambda exit_code: told.append(f"end {exit_code}"),
    )
    return log


ACTS = {
    "scores": (lambda log: log.show_scores({"scores": {}, "step": 1}), "log"),
    "pictures": (lambda log: log.show_pictures([]), "log"),
    "upload": (lambda log: log.close(), "log_artifact"),
    "end": (lambda log: log.close(), "finish"),
}


@pytest.mark.parametrize("name", ACTS)
def test_a_signal_is_not_taken_for_a_failure_of_wandb(log, name):
    """Else a run that Slurm asks to save itself would go on until it is killed."""
    act, interrupted = ACTS[name]

    def interrupt(*given, **more):
        raise InterruptedRunError(signal.SIGUSR1)

    setattr(log._logged, interrupted, interrupt)
    with pytest.raises(InterruptedRunError):
        act(log)


def test_checkpoints_are_uploaded_at_the_end_only(log, told):
    again = log._logged
    log.close(0, done=False)
    assert told == ["end 0"]
    log._logged = again
    log.close()
    assert told[1:] == ["last.ckpt", "artifact", "end 0"]


def test_a_run_that_was_stopped_while_it_was_scored_is_told_of_the_next_time(
    log, told, monkeypatch
):
    """Then there is nothing left to train, and Lightning calls no on_train_start."""
    monkeypatch.setattr(log, "_open", lambda: told.append("open"))
    log._logged = None
    log.on_fit_start(SimpleNamespace(is_global_zero=True), SimpleNamespace())
    assert told == ["open"]
