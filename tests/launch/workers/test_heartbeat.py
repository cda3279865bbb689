# SPDX-License-Identifier: Apache-2.0
"""A process keeps its trials while it lives, and learns which of them others have taken over."""

import os
import time

from disent.files import create
from disent.launch.sweep.file import read_sweep
from disent.launch.workers import heartbeat
from disent.launch.workers.heartbeat import Heartbeat
from disent.launch.workers.leases import Leases
from disent.launch.workers.workers import Workers
from disent.runs.directory import RunDir


def touched(lease):
    return lease.file.stat().st_mtime


def test_in_a_thread_it_touches_all_that_is_held_and_gives_it_back_at_the_end(tmp_path):
    leases = [lease for name in "ab" if (lease := Leases(tmp_path).claim(name))]
    for lease in leases:
        os.utime(lease.file, (1e9, 1e9))
    with Heartbeat(patience=0.2) as beating:
        for name, lease in zip("ab", leases, strict=True):
            beating.add(name, lease)
        end = time.monotonic() + 20
        while min(map(touched, leases)) == 1e9:
            assert time.monotonic() < end, "nothing was touched"
            time.sleep(0.02)
    assert list(map(touched, leases)) == [0, 0]
    assert Leases(tmp_path).claim("a") is not None


def test_what_others_took_over_is_lost_and_not_given_back_in_their_stead(tmp_path):
    lease = Leases(tmp_path).claim("a")
    assert lease is not None
    beating = Heartbeat()
    beating.add("a", lease)
    beating.beat()
    assert beating.is_mine("a")
    assert create(tmp_path / "a" / "1", "")  # another process
    beating.beat()
    assert not beating.is_mine("a")
    beating.release("a")
    assert touched(lease) > 0
    os.utime(tmp_path / "a" / "1", (0, 0))  # the other gives it back
    again = Leases(tmp_path).claim("a")
    assert again is not None
    beating.add("a", again)
    assert beating.is_mine("a")


def test_a_file_system_that_is_away_for_a_moment_costs_nothing(tmp_path, monkeypatch):
    lease = Leases(tmp_path).claim("a")
    assert lease is not None
    os.utime(lease.file, (1e9, 1e9))
    beating = Heartbeat()
    beating.add("a", lease)
    with monkeypatch.context() as away:
        away.setattr(lease, "beat", lambda: (_ for _ in ()).throw(OSError("stale handle")))
        beating.beat()
    assert beating.is_mine("a")
    assert touched(lease) == 1e9
    beating.beat()
    assert touched(lease) > 1e9


def test_a_trial_that_is_taken_over_is_stopped_and_left_to_the_other(sweep, tmp_path, monkeypatch):
    monkeypatch.setattr(heartbeat, "HEARTBEAT", 0.1)
    workers = Workers(read_sweep(sweep(1, steps=2000, wait=0.01)), tmp_path / "runs")
    taken, run = workers.leases.folder / "counting" / "1", RunDir(tmp_path / "runs" / "counting")

    def look(status):
        if run.metrics.exists():
            create(taken, "")
        if status.elsewhere:  # our process has ended; the other comes to its end
            run.write_status("finished")

    status = workers.run(look)
    assert status.finished == ["counting"]
    assert min(file.stat().st_mtime for file in taken.parent.iterdir()) > 0  # none is given back
    assert not (workers.study.notes / "outcomes" / "counting.json").exists()
    assert 1 <= len(run.metrics.read_text().splitlines()) - 1 < 2000
