# SPDX-License-Identifier: Apache-2.0
"""The model card: what it says of a run, from records written by hand."""

import json

from disent.export.card import card_of
from tests.export.runs import LINEAR, write_run

SCORE = {"untrained": 0.1, "pca": 0.4, "chance": 0.0}
RECORD = {
    "step": 60,
    "points": 128,
    "scores": {
        "mig": {"value": 0.3214, **SCORE},
        "dci": {"value": 0.9, **SCORE},
        "active_units": {"value": 0.0, **SCORE},
        "gaussian_total_correlation": {"value": -0.1, **SCORE},
        "sap": {"value": None, "reason": "no variances"},
    },
    "factors": {
        "size": {"linear_r2": 0.05, "information": 0.04},
        "pos_x": {"linear_r2": 0.95, "information": 0.5},
    },
    "rates": [2.0, 0.0, 1.0],
    "active_latents": 2,
    "rate_distortion": {"rate": 3.0, "distortion": 50.0},
}


def test_it_says_data_cost_scores_failures_licence_and_command(tmp_path):
    run = write_run(tmp_path / "run", "BetaVAE", network=LINEAR, beta=2.0)
    run.directory.write_scores(RECORD)
    status = {"state": "finished", "step": 60, "started": "2026-01-01T10:00:00+00:00"}
    status |= {"finished": "2026-01-01T11:30:00+00:00"}
    (run.path / "status.json").write_text(json.dumps(status))
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "traversals.png").touch()
    card = card_of(run, "squares-of-the-tests", tmp_path, "CC-BY-4.0")
    for line in (
        "# BetaVAE: run",
        "- dataset: Squares",
        "- fingerprint: squares-of-the-tests",
        "- held out: size == 1",
        "    beta: 2.0",
        "60 steps; 1:30:00 from start to end, scores and pictures included, on Linux.",
        "On 128 pictures, after 60 steps.",
        "| mig | 0.321 | 0.100 | 0.400 | 0.000 |",
        "| sap |  |  |  |  |",
        "| pos_x | 0.950 | 0.500 |",
        "rate 3.000, distortion 50.000 nats per image.",
        "![traversals](figures/traversals.png)",
        "- mig 0.321 is no better than pca 0.400.",
        "- sap could not be computed: no variances",
        "- size can hardly be read from the code.",
        "- 1 of 3 latents hold nothing (below 0.01 nats).",
        "- weights: CC-BY-4.0",
        "disent fit --loader.held_out 'size == 1'",
        "disent 0.1.0, torch 2.13.0",
    ):
        assert f"\n{line}\n" in f"\n{card}", line
    assert "- dci" not in card
    assert "- active_units" not in card
    assert "- gaussian_total_correlation" not in card


def test_what_is_not_known_is_said(tmp_path):
    run = write_run(tmp_path / "run", "AutoEncoder", network=LINEAR)
    card = card_of(run, "squares", tmp_path)
    assert "None: it was not scored. `disent evaluate RUN` does." in card
    assert "None: `disent traverse RUN` draws them" in card
    assert "- Training did not come to its end: its state is not known." in card
    assert "- weights: none was chosen" in card
    assert "60 steps; the time is not known." in card
