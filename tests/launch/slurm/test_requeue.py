# SPDX-License-Identifier: Apache-2.0
"""Asking Slurm for the requeue, with a scontrol that answers as told."""

import signal

import pytest

from disent.launch.slurm.requeue import REQUEUE, SUPERVISED, answer, requeue


@pytest.fixture
def scontrol(tmp_path, monkeypatch):
    """Puts a scontrol on the path; returns a function that reads what it was asked."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    for name in ("SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID", SUPERVISED):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SLURM_JOB_ID", "14")

    def answer(body="exit 0"):
        file = tmp_path / "scontrol"
        file.write_text(f'#!/bin/bash\necho "$@" > {tmp_path}/asked\n{body}\n')
        file.chmod(0o755)
        return lambda: (tmp_path / "asked").read_text().strip()

    return answer


def test_the_job_is_requeued(scontrol):
    asked = scontrol()
    assert requeue() == 0
    assert asked() == "requeue 14"


def test_only_the_first_rank_passes_a_requeue_on(scontrol):
    asked = scontrol()
    assert answer(signal.SIGUSR1, rank=1) == 0
    assert answer(signal.SIGTERM) == 143
    with pytest.raises(FileNotFoundError):
        asked()
    assert answer(signal.SIGUSR1, rank=0) == 0
    assert asked() == "requeue 14"


def test_only_the_element_of_an_array_is(scontrol, monkeypatch):
    asked = scontrol()
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "12")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "0")
    assert requeue() == 0
    assert asked() == "requeue 12_0"


def test_a_refusal_is_said_and_left_to_the_script(scontrol, capsys):
    scontrol("echo 'Job is already pending' >&2; exit 1")
    assert requeue() == REQUEUE == 85
    assert "scontrol requeue 14: Job is already pending" in capsys.readouterr().err


@pytest.mark.parametrize("absent", ["scontrol", "job", "leave"])
def test_where_it_cannot_be_asked_the_exit_status_says_so(scontrol, absent, monkeypatch, tmp_path):
    asked = scontrol()
    if absent == "scontrol":
        monkeypatch.setenv("PATH", "/nowhere")
    elif absent == "job":
        monkeypatch.delenv("SLURM_JOB_ID")
    else:
        monkeypatch.setenv(SUPERVISED, "1")
    assert requeue() == REQUEUE
    with pytest.raises(FileNotFoundError):
        asked()
