# SPDX-License-Identifier: Apache-2.0
"""The model card: what it says of a run, from records written by hand."""

import json

import pytest

from disent.export.card import card_of
from disent.export.seeds import check_seeds
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


def three_seeds(folder):
    runs = []
    for seed, value in enumerate((0.1, 0.4, None)):
        run = write_run(folder / f"seed{seed}", "BetaVAE", network=LINEAR, beta=2.0)
        run.config["seed_everything"] = seed
        run.directory.write_scores({"step": 60, "points": 128, "scores": {"mig": {"value": value}}})
        runs.append(run)
    return runs


def test_other_seeds_stand_beside_the_score(tmp_path):
    first, *others = three_seeds(tmp_path)
    card = card_of(first, "squares", tmp_path, others=others)
    assert "\n| mig | 0.250 | 0.100 to 0.400 | 0.100, 0.400, none |\n" in card
    assert "Seeds 0, 1, 2, the scores of each" in card
    assert "It is one seed." not in card
    assert "is that of one seed; how far the others are" in card


def test_runs_of_another_setting_or_the_same_seed_are_no_seeds(tmp_path):
    first, second, third = three_seeds(tmp_path)
    with pytest.raises(ValueError, match="are both of seed 1"):
        check_seeds(first, [second, second])
    second.config["model"]["init_args"]["beta"] = 4.0
    with pytest.raises(ValueError, match=r"is no other seed of .* they differ in model\.beta"):
        check_seeds(first, [second])
    third.directory.write_scores({})
    with pytest.raises(ValueError, match="seed2 was not scored: disent evaluate"):
        check_seeds(first, [third])
