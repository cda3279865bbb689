# SPDX-License-Identifier: Apache-2.0
"""What is said of a sweep's metric before it starts."""

from typing import Any, Literal

import disent.metrics
from disent.launch.sweep.aim import doubts, score_names
from disent.launch.sweep.file import Metric, Sweep
from disent.launch.sweep.parameters import Parameter


def sweep(name: str, goal: Literal["minimize", "maximize"] = "maximize", **given: Any) -> Sweep:
    parameters = [Parameter.read(k.replace("__", "."), v) for k, v in given.items()]
    return Sweep("some", "grid", tuple(parameters), metric=Metric(name, goal))


def test_scores_are_known_by_name():
    assert score_names() == list(disent.metrics.__all__)


def test_a_score_that_the_runs_do_not_have():
    (said,) = doubts(sweep("dci.disentanglement"))
    assert said.endswith("scored by mig, beta_vae_score: add dci to evaluate.metrics")
    for value in ("mig,dci", "all", ["mig", "dci"]):
        assert doubts(sweep("dci.disentanglement", evaluate__metrics={"value": value})) == []
    assert doubts(sweep("sap", evaluate__metrics={"values": ["sap", "mig"]})) == []
    assert doubts(sweep("sap"), ["--evaluate.metrics", "sap"]) == []
    assert len(doubts(sweep("mig"), ["--evaluate.metrics=sap"])) == 1


def test_a_goal_against_the_direction_of_the_metric():
    (said,) = doubts(sweep("mig", "minimize"))
    assert said == "goal: is minimize, but mig is better the other way: maximize"
    assert len(doubts(sweep("loss", "maximize"))) == 1
    assert doubts(sweep("loss", "minimize")) == doubts(sweep("elbo")) == []


def test_a_metric_of_ones_own_and_none_are_not_doubted():
    assert doubts(sweep("my_own", "minimize")) == []
    assert doubts(Sweep("some", "grid", ())) == []


def test_a_slip_in_the_name_of_a_metric():
    assert doubts(sweep("migg")) == ["metric: is migg, which no run logs: did you mean mig?"]
    assert "did you mean distortion?" in doubts(sweep("distorsion", "minimize"))[0]
