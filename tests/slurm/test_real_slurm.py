# SPDX-License-Identifier: Apache-2.0
"""Sweeps on a real Slurm: arrays, signals, preemption, lost nodes, several ranks."""

import json
import random
import re
import sys
import time

import pandas as pd
import pytest
import torch

from disent.codes import CodeTable
from disent.metrics import mig
from disent.models import load_run
from disent.runs.directory import RunDir
from tests.cli.small import assert_same_weights, weights
from tests.slurm.conftest import RUN
from tests.test_guides import shown
from tests.tiny import Squares

pytestmark = pytest.mark.slow

SLOW = {"trainer__callbacks": "tests.tiny.Slow"}  # 60 steps in three seconds


def the_run(cluster) -> RunDir:
    (path,) = (p for p in cluster.runs.iterdir() if p.name.startswith("tiny"))
    return RunDir(path)


def assert_finished_as(cluster, whole) -> None:
    """The run has ended as if nothing had happened: weights and every logged step."""
    run = the_run(cluster)
    assert run.status()["state"] == "finished", (run.status(), cluster.logs())
    assert_same_weights(whole, run.path)
    one, other = (
        pd.read_csv(path / "metrics.csv").drop(columns="images_per_second")
        for path in (whole, run.path)
    )
    assert one.to_csv() == other.to_csv()


def restarts(cluster, job: str) -> int:
    said = cluster.call("scontrol", "show", "job", f"{job}_0")
    return int(said.partition("Restarts=")[2].split()[0])


def test_an_array_drains_a_sweep_within_its_throttle(cluster, whole):
    cluster.submit(cluster.sweep(seeds=4), throttle=2)
    most = 0

    def empty():
        nonlocal most
        states = cluster.jobs("%T")
        most = max(most, states.count("RUNNING"))
        return not states

    cluster.wait(empty)
    assert most == 2
    states = [RunDir(p).status()["state"] for p in cluster.runs.glob("tiny*")]
    assert states == ["finished"] * 4
    assert_same_weights(whole, cluster.runs / "tiny-seed0")


def test_chunks(cluster):
    cluster.submit(cluster.sweep(seeds=3), "--chunk", "2")
    cluster.wait_until_empty()
    states = [RunDir(p).status()["state"] for p in cluster.runs.glob("tiny*")]
    assert states == ["finished"] * 3, cluster.logs()


def test_an_element_that_is_a_fleet_saves_requeues_and_goes_on(cluster):
    """Together or one by one, as its `auto` measures; either way nothing is lost or done twice."""
    job = cluster.submit(cluster.sweep(seeds=3, trainer__max_steps=600), "--fleet")
    cluster.wait(cluster.trained)
    cluster.call("scancel", "--signal=USR1", f"{job}_0")
    cluster.wait(lambda: restarts(cluster, job) == 1)
    cluster.wait_until_empty()
    found = list(cluster.runs.glob("tiny*"))
    states = [RunDir(path).status()["state"] for path in found]
    assert states == ["finished"] * 3, cluster.logs()
    for path in found:
        assert pd.read_csv(path / "metrics.csv")["step"].tolist() == list(range(10, 601, 10))


def test_a_signal_saves_requeues_and_resumes(cluster, whole):
    job = cluster.submit(cluster.sweep(**SLOW))
    cluster.wait(cluster.trained)
    cluster.call("scancel", "--signal=USR1", f"{job}_0")
    cluster.wait(lambda: restarts(cluster, job) == 1)
    assert the_run(cluster).status()["state"] == "requeued"
    cluster.wait_until_empty()
    assert_finished_as(cluster, whole)


def test_the_history_at_wandb_is_whole_over_a_requeue(cluster, monkeypatch):
    monkeypatch.setitem(cluster.environment, "WANDB_MODE", "offline")
    job = cluster.submit(cluster.sweep(logger="wandb", **SLOW))
    cluster.wait(cluster.trained)
    cluster.call("scancel", "--signal=USR1", f"{job}_0")
    cluster.wait(lambda: restarts(cluster, job) == 1)
    cluster.wait_until_empty()
    kept = sorted((the_run(cluster).path / "wandb").glob("offline-run-*/*.wandb"))
    assert len(kept) == 2
    assert len({file.name for file in kept}) == 1  # one id
    steps = []
    for file in kept:
        said = cluster.call("wandb", "leet", "inspect", "--json", str(file))
        assert '"exit_code":0' in said
        rows = [json.loads(line).get("history") for line in said.splitlines()]
        steps += [row["step"]["num"] for row in rows if row]
    assert steps == [10, 20, 30, 40, 50, 60]


def test_a_signal_before_training_is_not_lost(cluster, whole):
    job = cluster.submit(cluster.sweep(**SLOW))
    cluster.wait(lambda: "1 running" in cluster.logs())  # and torch not yet imported
    cluster.call("scancel", "--signal=USR1", f"{job}_0")
    cluster.wait(lambda: restarts(cluster, job) == 1)
    cluster.wait_until_empty()
    assert_finished_as(cluster, whole)


def test_where_scontrol_is_missing_the_script_requeues(cluster, whole):
    job = cluster.submit(
        cluster.sweep(**SLOW),
        "--program",
        f"{sys.executable} -m disent",
        container="env PATH=/nowhere",
    )
    cluster.wait(cluster.trained)
    cluster.call("scancel", "--signal=USR1", f"{job}_0")
    cluster.wait(lambda: restarts(cluster, job) == 1)
    cluster.wait_until_empty()
    assert_finished_as(cluster, whole)


def test_preemption(cluster, whole):
    job = cluster.submit(cluster.sweep(**SLOW))
    cluster.wait(cluster.trained)
    urgent = "--partition=urgent --nodes=2 --ntasks-per-node=4 --output=/dev/null --wrap"
    cluster.call("sbatch", *urgent.split(), "sleep 1")
    cluster.wait(lambda: restarts(cluster, job) == 1)
    cluster.wait_until_empty()
    assert_finished_as(cluster, whole)


def test_a_lost_node(cluster, whole):
    job = cluster.submit(cluster.sweep(**SLOW))
    cluster.wait(cluster.trained)
    (node,) = cluster.jobs("%N")
    cluster.call("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=test")
    try:
        cluster.wait(lambda: restarts(cluster, job) == 1)
        cluster.wait_until_empty()
    finally:
        if "down" in cluster.call("sinfo", "-h", "-n", node, "-o", "%T"):
            cluster.call("scontrol", "update", f"NodeName={node}", "State=RESUME")
    assert_finished_as(cluster, whole)


def test_the_time_limit(cluster, whole):
    """A run of more than a minute in starts of at most one minute."""
    job = cluster.submit(cluster.sweep(trainer__callbacks="tests.tiny.Slower"), time="1")
    cluster.wait(lambda: restarts(cluster, job) >= 1, 300)
    cluster.wait_until_empty(900)
    assert_finished_as(cluster, whole)


def test_twenty_preemptions(cluster, whole):
    """Five runs in an array; urgent jobs take the cluster from them at random moments."""
    job = cluster.submit(cluster.sweep(seeds=5, trainer__callbacks="tests.tiny.Slower"))
    dice = random.Random(0)
    urgent = "--partition=urgent --nodes=2 --ntasks-per-node=4 --output=/dev/null --wait --wrap"

    def preempted():
        said = cluster.call("scontrol", "show", "job", job)
        return sum(int(n) for n in re.findall(r"Restarts=(\d+)", said))

    while preempted() < 20:
        cluster.wait(lambda: "RUNNING" in cluster.jobs("%T"))
        time.sleep(dice.uniform(0, 3))
        cluster.call("sbatch", *urgent.split(), "true")
    cluster.wait_until_empty(400)
    states = [RunDir(p).status()["state"] for p in cluster.runs.glob("tiny*")]
    assert states == ["finished"] * 5
    assert_same_weights(whole, cluster.runs / "tiny-seed0")


@pytest.mark.slow
def test_classes_of_the_working_folder_are_found_by_every_element(cluster):
    """A network of a VAE, and a model, each in a file where the sweep is submitted."""
    cluster.work = cluster.folder
    for name in ("mynet.py", "mine.py"):
        (cluster.work / name).write_text(shown(name), encoding="utf-8")
    plain = {k: v for k, v in RUN.items() if not k.startswith("model")}
    network = plain | {"model": "VAE", "model.network": "mynet.Tiny", "model.network.width": 8}
    model = plain | {"model": "mine.SparseAutoencoder"}
    for name, given, seeds in (("own-net", network, 2), ("own-model", model, 1)):
        sweep = cluster.sweep(given=given, seeds=seeds)
        cluster.submit(sweep.rename(cluster.folder / f"{name}.yaml"))
    cluster.wait_until_empty()
    found = list(cluster.runs.glob("own*"))
    states = {path.name: RunDir(path).status()["state"] for path in found}
    names = ("own-net-seed0", "own-net-seed1", "own-model")
    assert states == dict.fromkeys(names, "finished"), cluster.logs()
    for path in found:
        kept = RunDir(path).read_config()["provenance"]["source"]
        assert ("mynet.py" if "net" in path.name else "mine.py") in kept


def test_four_ranks_on_two_nodes_learn_what_one_learns(cluster, whole):
    scored = {"evaluate__at_end": True, "evaluate__metrics": "mig"}
    cluster.submit(cluster.sweep(**scored, evaluate__every_n_steps=30), nodes=2, tasks=2)
    cluster.wait_until_empty()
    run = the_run(cluster)
    assert run.status()["state"] == "finished", cluster.logs()
    scores = run.read_scores()
    assert (scores["step"], scores["points"]) == (60, 128)
    table = CodeTable.encode(load_run(run.path), Squares())  # by one process
    expected = float(mig(table.means, Squares.grid.all_factors()))
    assert scores["scores"]["mig"]["value"] == pytest.approx(expected)
    assert len(run.evaluations.read_text().splitlines()) == 3
    one, four = weights(whole), weights(run.path)
    for name in one:
        torch.testing.assert_close(four[name], one[name], rtol=1e-3, atol=1e-5)


def test_ranks_save_and_requeue_together(cluster, whole):
    job = cluster.submit(cluster.sweep(**SLOW), nodes=2, tasks=1)
    cluster.wait(cluster.trained)
    cluster.call("scancel", "--signal=USR1", f"{job}_0")
    cluster.wait(lambda: restarts(cluster, job) == 1)
    cluster.wait_until_empty()
    one, two = weights(whole), weights(the_run(cluster).path)
    for name in one:
        torch.testing.assert_close(two[name], one[name], rtol=1e-3, atol=1e-5)


def test_one_rank_that_fails_ends_them_all(cluster):
    cluster.submit(cluster.sweep(trainer__callbacks="tests.tiny.BreaksOnRankOne"), tasks=2)
    cluster.wait_until_empty(90)
    assert the_run(cluster).status()["state"] == "failed"
    assert "the second rank was told to fail" in cluster.logs()
