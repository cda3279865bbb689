# SPDX-License-Identifier: Apache-2.0
"""What counts as a seed of one setting, and what is another setting."""

import pandas as pd

from disent.runs import RunDir, load_runs, over_seeds, with_families


def family(**columns):
    table = with_families(pd.DataFrame(columns))
    return table[["objective", "setting"]].to_numpy().tolist()


def test_another_gamma_or_dataset_is_another_family():
    gammas = {"model.gamma": [100.0, 1000.0]}
    assert family(model=["AnnealedVAE"] * 2, C=[25.0, 25.0], **gammas) == [
        ["AnnealedVAE, gamma 100", "C 25"],
        ["AnnealedVAE, gamma 1000", "C 25"],
    ]
    assert family(model=["BetaVAE"] * 2, beta=[4.0, 4.0], data=["DSprites", "Shapes3D"]) == [
        ["BetaVAE, data DSprites", "beta 4"],
        ["BetaVAE, data Shapes3D", "beta 4"],
    ]


def test_what_one_class_alone_has_does_not_divide_another():
    columns = {"model": ["BetaVAE", "AnnealedVAE"], "beta": [4.0, None], "C": [None, 25.0]}
    found = family(**columns, **{"model.gamma": [None, 1000.0], "model.seed": [0, 1]})
    assert found == [["BetaVAE", "beta 4"], ["AnnealedVAE", "C 25"]]


def test_an_objective_given_apart_has_its_strength(tmp_path):
    for beta in (1, 4):
        run = RunDir(tmp_path / str(beta))
        objective = f"{{class_path: disent.objectives.BetaELBO, init_args: {{beta: {beta}}}}}"
        arguments = f"{{objective: {objective}}}"
        run.write_text(
            run.config, f"model: {{class_path: disent.models.VAE, init_args: {arguments}}}\n"
        )
    table = with_families(load_runs(tmp_path))
    assert table["setting"].tolist() == ["beta 1", "beta 4"]
    assert table["objective"].tolist() == ["VAE, BetaELBO"] * 2
    assert table["beta"].tolist() == [1, 4]


def test_a_second_beta_is_no_seed_of_the_first():
    knobs = {"provenance.strength.knob": ["model.gamma"] * 2}
    knobs |= {"provenance.strength.symbol": ["gamma"] * 2, "model.gamma": [1.2, 1.2]}
    assert family(model=["FactorQVAE"] * 2, **{"model.beta": [1.0, 2.0]}, **knobs) == [
        ["FactorQVAE, beta 1", "gamma 1.2"],
        ["FactorQVAE, beta 2", "gamma 1.2"],
    ]


def test_a_scheduled_objective_has_the_strength_of_what_is_scheduled():
    columns = {
        "model": ["VAE", "VAE", "VAE"],
        "model.objective": ["ScheduledELBO", "ScheduledELBO", "BetaELBO"],
        "model.objective.objective": ["BetaELBO", "TotalCorrelationELBO", None],
        "model.objective.objective.beta": [4.0, 6.0, None],
        "model.objective.beta": [None, None, 2.0],
        "provenance.strength.knob": [
            "model.objective.objective.beta",
            "model.objective.objective.beta",
            "model.objective.beta",
        ],
        "provenance.strength.symbol": ["beta"] * 3,
    }
    assert family(**columns) == [
        ["VAE, ScheduledELBO, BetaELBO", "beta 4"],
        ["VAE, ScheduledELBO, TotalCorrelationELBO", "beta 6"],
        ["VAE, BetaELBO", "beta 2"],
    ]


def test_a_model_without_strength_is_a_group_too():
    table = with_families(pd.DataFrame({"model": ["VAE", "VAE"], "mig": [0.1, 0.3]}))
    found = over_seeds(table, "mig", ["objective", "strength"])
    assert found[["objective", "n", "mean"]].to_numpy().tolist() == [["VAE", 2, 0.2]]


def test_each_model_says_what_its_strength_is():
    """By the run's own word: gamma divides AnnealedVAEs, and is the strength of FactorVAEs."""
    columns = {
        "model": ["FactorVAE", "FactorVAE", "AnnealedVAE", "BetaVAE"],
        "model.gamma": [10.0, 35.0, 100.0, None],
        "model.capacity": [None, None, 25.0, None],
        "model.beta": [None, None, None, 4.0],
        "provenance.strength.knob": ["model.gamma", "model.gamma", "model.capacity", "model.beta"],
        "provenance.strength.symbol": ["gamma", "gamma", "C", "beta"],
    }
    assert family(**columns) == [
        ["FactorVAE", "gamma 10"],
        ["FactorVAE", "gamma 35"],
        ["AnnealedVAE", "C 25"],
        ["BetaVAE", "beta 4"],
    ]


def test_runs_of_older_versions_are_of_the_same_family():
    columns = {"model": ["BetaVAE"] * 3, "beta": [4.0] * 3, "model.seed": [0, 1, 2]}
    columns["model.posterior"] = [None, "diagonal", "full"]
    columns["model.size"] = [None, [64, 64], [64, 64]]
    assert family(**columns) == [
        ["BetaVAE, posterior diagonal", "beta 4"],
        ["BetaVAE, posterior diagonal", "beta 4"],
        ["BetaVAE, posterior full", "beta 4"],
    ]
