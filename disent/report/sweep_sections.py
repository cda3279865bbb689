# SPDX-License-Identifier: Apache-2.0
"""The figures over all runs of a report, for the families that are present."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pandas as pd
from markupsafe import Markup
from matplotlib.figure import Figure

from disent import figures
from disent.report.summary import entropy_of
from disent.report.svg import svg
from disent.runs import (
    RunDir,
    followed_factors,
    load_histories,
    over_seeds,
    rank_correlations,
    score_names,
    variance_shares,
    wake_up,
)
from disent.runs.rows import FAILURES

SHOWN = ("mig", "dci.disentanglement", "factor_vae_score", "beta_vae_score", "sap")
LOGGED = ("squared_error_per_pixel", "psnr_gain")  # what models without a rate are judged by
BASELINES = ("untrained", "pca", "chance")


@dataclass(frozen=True)
class SweepSection:
    """A figure over runs: its title, what to see in it, and the figure, or why there is none."""

    title: str
    text: str
    figure: Markup | None


def sweep_sections(runs: pd.DataFrame, entropy: float | None) -> list[SweepSection]:
    """Every figure that these runs allow.

    Args:
        runs: The finished runs, by `with_families`.
        entropy: H(x) of the pictures, nats per image, where it bounds rate + distortion.
    """
    sections = []
    for title, text, draw in _plans(runs, entropy):
        try:
            sections.append(SweepSection(title, text, svg(draw(), title)))
        except FAILURES as error:
            sections.append(SweepSection(title, f"Not drawn: {error}", None))
    return sections


def _plans(runs: pd.DataFrame, entropy: float | None) -> Iterator[tuple[str, str, Any]]:
    """Title, text and drawing of each figure that there is something to draw of."""
    scores = [name for name in score_names(runs) if runs[name].notna().any()]
    if {"rate", "distortion"} <= set(runs):
        placed = _evaluated(runs)
        yield (
            "Rate and distortion",
            "Each point is a run; lines join the means of a family's settings. Nearer to the lower "
            "left is better; below the black line is nothing.",
            lambda: figures.rate_distortion_plane(placed, entropy=_shared_entropy(placed)),
        )
    if runs["strength"].nunique() > 1:
        for name in [name for name in SHOWN if name in scores]:
            yield (
                f"{name} against strength",
                "A point is a seed. The interval is of the mean over seeds (bootstrap); lines are "
                "the baselines, averaged over the runs.",
                lambda name=name: _strength(runs, name),
            )
        for name in [name for name in LOGGED if name in runs and runs[name].notna().any()]:
            yield (
                f"{name} against strength",
                "Of the last logged batch; a point is a seed, the interval is of the mean over "
                "seeds (bootstrap).",
                lambda name=name: _strength(runs, name),
            )
    if "C" in runs and runs["C"].notna().any():
        yield (
            "What wakes when",
            "The rates of the latents while the capacity rises, each named by the factor that it "
            "follows at the end; of the first run with the highest capacity.",
            lambda: _ramp(runs),
        )
    varying = [name for name in scores if runs[name].nunique() > 2]
    if len(varying) > 1 and len(runs) > 2:
        yield (
            "Do the scores agree?",
            "Spearman's rank correlation over the runs.",
            lambda: figures.rank_correlation_matrix(
                rank_correlations(runs, varying), runs=len(runs.dropna(subset=varying))
            ),
        )
    seeds = runs["seed"].nunique() if "seed" in runs else 0
    if seeds > 1 and runs["setting"].nunique() > 1 and varying:
        yield (
            "Setting or seed?",
            "Shares of each score's variance over these runs (adjusted for the number of "
            "settings).",
            lambda: _shares(runs, varying),
        )
    bounded = ["evaluated.entropy", "evaluated.mutual_information"]
    known = runs.dropna(subset=bounded) if set(bounded) <= set(runs) else runs.head(0)
    if entropy is not None and len(known) and _several(known):
        yield (
            "Bounds on the information",
            "H(x) \N{MINUS SIGN} D, I(x; z) and R: each must lie above the one before it.",
            lambda: figures.information_bounds(known, entropy=entropy),
        )


def _shared_entropy(runs: pd.DataFrame) -> float | None:
    """H(x), if it bounds every run that is drawn."""
    drawn = runs.dropna(subset=["rate", "distortion"])
    whole = "evaluated.entropy" in drawn and drawn["evaluated.entropy"].notna().all()
    return entropy_of(drawn) if whole else None


def _several(runs: pd.DataFrame) -> bool:
    return runs["strength"].nunique() > 1


def _evaluated(runs: pd.DataFrame) -> pd.DataFrame:
    """Terms on all pictures where the runs were evaluated, else of the last logged step."""
    terms = {
        name: runs[f"evaluated.{name}"].fillna(runs[name])
        for name in ("rate", "distortion")
        if f"evaluated.{name}" in runs
    }
    return runs.assign(**terms)


def _strength(runs: pd.DataFrame, score: str) -> Figure:
    columns = {part: f"{score}.{part}" for part in BASELINES if f"{score}.{part}" in runs}
    baselines = {p: float(runs[c].mean()) for p, c in columns.items() if runs[c].notna().any()}
    means = over_seeds(runs.dropna(subset=["strength"]), score, ["objective", "strength"])
    return figures.score_against_strength(runs, score, means=means, baselines=baselines)


def _ramp(runs: pd.DataFrame) -> Figure:
    run = runs.sort_values(["C", "run"], ascending=[False, True]).iloc[0]
    history = load_histories(run["path"])
    record = RunDir(run["path"]).read_scores()
    factors = followed_factors(record) if record.get("information") else None
    wakes = {int(str(latent)): float(c) for latent, c in wake_up(history).items()}
    return figures.capacity_ramp(history, wakes=wakes, factors=factors, title=str(run["run"]))


def _shares(runs: pd.DataFrame, scores: list[str]) -> Figure:
    shares = {}
    for name in scores:
        with suppress(ValueError):  # no setting has this score for two seeds
            shares[name] = variance_shares(runs, name, adjusted=True)._asdict()
    return figures.variance_bars(shares)
