# SPDX-License-Identifier: Apache-2.0
"""The table of runs as the page holds it."""

import pandas as pd

from disent.report.columns import page_data
from disent.report.short_names import short_names

NAN = float("nan")
RUNS = pd.DataFrame(
    {
        "run": ["a", "b", "c"],
        "path": ["x/a", "x/b", "x/c"],
        "state": ["finished"] * 3,
        "reason": ["", "", ""],
        "objective": ["BetaVAE", "BetaVAE", "BiGAN"],
        "setting": ["beta 4", "beta 1", "BiGAN"],
        "strength": [4.0, 1.0, NAN],
        "seed": [0, 1, 0],
        "model.lr": [1e-4, 1e-4, 1e-4],
        "rate": [10.0, NAN, NAN],
        "evaluated.rate": [9.123456789, NAN, NAN],
        "rate_0": [1.0, 2.0, NAN],
        "mig": [0.5, 1.0, NAN],
        "mig.variant": ["disent.metrics.mig.mig"] * 2 + [None],
        "mig.chance": [0.01, 0.01, NAN],
        "images_per_second": [1.0, 2.0, 3.0],
    }
)


def test_columns_are_stored_once_and_whole_numbers_as_such():
    columns = page_data(RUNS)["columns"]
    assert columns["state"] == {"same": "finished"}
    assert columns["reason"] == {"same": None}
    assert columns["model.lr"] == {"same": 0.0001}
    assert columns["family"] == {"levels": ["BetaVAE", "BiGAN"], "codes": [0, 0, 1]}
    assert columns["setting"] == {"levels": ["beta 4", "beta 1"], "codes": [0, 1, -1]}
    assert columns["strength"] == [4, 1, None]
    assert [type(value) for value in columns["strength"]] == [int, int, type(None)]
    assert columns["rate"] == [9.1235, None, None]  # as evaluated, not of the last batch
    assert not {"path", "rate_0", "objective"} & set(columns)


def test_what_varies_can_be_chosen_by_kind_and_scores_come_first():
    data = page_data(RUNS)
    assert data["shown"] == ["family", "setting", "seed", "mig", "rate"]
    assert data["groups"] == {
        "what it is": ["family", "setting", "seed"],
        "scores": ["mig"],
        "terms, nats per image": ["rate", "evaluated.rate"],
        "settings": ["strength"],
        "beside the scores": ["mig.variant", "mig.chance"],
        "of the training": ["images_per_second"],
    }
    assert data["families"] == [["BetaVAE", "BetaVAE", 2], ["BiGAN", "BiGAN", 1]]


def test_short_names_hold_the_fewest_settings_that_tell_families_apart():
    families = [
        "BetaVAE, network MLP, latent_dim 2, hidden [256, 128]",
        "BetaVAE, network MLP, latent_dim 8, hidden [256, 128]",
        "BetaVAE, network Burgess, latent_dim 10, hidden none",
        "VAE, BetaELBO, data A",
        "VAE, BetaELBO, data B",
        "SCAN",
    ]
    assert list(short_names(families).values()) == [
        "BetaVAE, latent_dim 2",
        "BetaVAE, latent_dim 8",
        "BetaVAE, latent_dim 10",
        "VAE, BetaELBO, data A",
        "VAE, BetaELBO, data B",
        "SCAN",
    ]


def test_two_settings_are_named_where_one_is_not_enough():
    families = [f"A, x {x}, y {y}, same 1" for x in (1, 2) for y in (1, 2)]
    expected = [f"A, x {x}, y {y}" for x in (1, 2) for y in (1, 2)]
    assert list(short_names(families).values()) == expected
