# SPDX-License-Identifier: Apache-2.0
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from disent.launch.workers import leases as lease_module
from disent.launch.workers.leases import Leases


def test_a_trial_is_held_by_one(tmp_path):
    leases = Leases(tmp_path)
    held = leases.claim("a")
    assert held is not None
    assert leases.claim("a") is None
    assert Leases(tmp_path).claim("a") is None
    assert leases.claim("b") is not None
    assert held.beat()


def test_of_many_that_claim_at_once_one_gets_it(tmp_path):
    with ThreadPoolExecutor(16) as pool:
        got = list(pool.map(lambda _: Leases(tmp_path).claim("a"), range(64)))
    assert sum(lease is not None for lease in got) == 1


def test_what_is_given_back_is_free_at_once_and_the_old_holder_learns_of_it(tmp_path):
    first = Leases(tmp_path).claim("a")
    assert first is not None
    first.release()
    second = Leases(tmp_path).claim("a")
    assert second is not None
    assert second.file == tmp_path / "a" / "1"
    assert not first.beat()
    assert second.beat()


def test_a_holder_that_ended_on_this_machine_is_gone_at_once(tmp_path):
    code = "from pathlib import Path; from disent.launch.workers.leases import Leases; "
    code += f"assert Leases(Path({str(tmp_path)!r})).claim('a')"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert not Leases(tmp_path).is_held("a")
    assert Leases(tmp_path).claim("a") is not None


def elsewhere(file):
    """Makes a lease look like one of another machine."""
    holder = json.loads(file.read_text())
    file.write_text(json.dumps(holder | {"machine": "another"}))


def test_a_holder_elsewhere_is_gone_when_its_file_no_longer_moves(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(lease_module.time, "monotonic", lambda: now[0])
    held, watcher = Leases(tmp_path).claim("a"), Leases(tmp_path, patience=60)
    assert held is not None
    elsewhere(held.file)
    assert watcher.is_held("a")
    now[0] = 59
    assert watcher.is_held("a")
    os.utime(held.file, (1e9, 1e9))  # by a clock that is decades off: it moved, that is enough
    now[0] = 100
    assert watcher.is_held("a")
    now[0] = 159
    assert watcher.claim("a") is None
    now[0] = 161
    assert watcher.claim("a") is not None
    assert not held.beat()


def test_names_with_the_same_beginning_are_told_apart(tmp_path):
    leases = Leases(tmp_path)
    assert leases.claim("a") is not None
    assert leases.claim("a.5") is not None
    assert leases.claim("a-1") is not None
    assert leases.claim("a[1]*") is not None
    assert leases.claim("a[1]*") is None


@pytest.mark.parametrize("content", ["", "{"])
def test_a_half_written_lease_is_held_until_it_no_longer_moves(tmp_path, content):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "0").write_text(content)
    assert Leases(tmp_path).is_held("a")


def test_without_hard_links_a_trial_is_still_held_by_one(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError("no hard links here")

    monkeypatch.setattr(lease_module.os, "link", refuse)
    assert Leases(tmp_path).claim("a") is not None
    assert Leases(tmp_path).claim("a") is None
    assert [file.name for file in (tmp_path / "a").iterdir()] == ["0"]


@pytest.mark.parametrize(
    "text", ["", "[]", "3", "{}", '{"pid": "../1"}', "[" * 5000, '{"restart": "x", "job": "7"}']
)
def test_a_lease_that_says_nothing_is_left_alone_for_a_while(text, tmp_path, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "0").write_text(text)
    assert Leases(tmp_path).claim("a") is None
    impatient = Leases(tmp_path, patience=0.0)
    assert impatient.is_held("a")
    assert impatient.claim("a") is not None


@pytest.mark.parametrize("away", [-3600, 3600])
def test_the_clock_of_another_machine_does_not_matter(tmp_path, away):
    lease = Leases(tmp_path).claim("a")
    assert lease is not None
    there = time.time() + away
    os.utime(lease.file, (there, there))
    mine = Leases(tmp_path, patience=0.3)
    assert mine.is_held("a")
    time.sleep(0.1)
    os.utime(lease.file, (there + 5, there + 5))
    assert mine.is_held("a")
    assert mine.claim("a") is None
    time.sleep(0.4)
    assert mine.claim("a") is not None
    assert not lease.beat()
