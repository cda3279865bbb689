# SPDX-License-Identifier: Apache-2.0
"""The first words of the report: how many runs, which, and what they say together."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import pandas as pd

from disent.report.short_names import short_names
from disent.runs import (
    minimal_detectable_difference,
    pooled_std,
    score_names,
    variance_shares,
)

VERSIONS = ("disent", "git_commit", "python", "torch", "lightning", "numpy", "scikit-learn")
UNDIRECTED = ("active_units", "gaussian_total_correlation", "gaussian_wasserstein_correlation")
# of these the highest is not the best
UNDIRECTED += ("mutual_info_score", "elbo_decomposition", "fairness")
SLACK = 0.05  # nats: what a bound may seem broken by, beyond the standard error


@dataclass(frozen=True)
class Summary:
    """Facts in the order in which they are told, and tables of what stands behind them."""

    facts: list[str]
    best: list[dict[str, str]]
    versions: list[tuple[str, str]]
    failures: list[tuple[str, str, str]]


def summarise(runs: pd.DataFrame) -> Summary:
    """The summary of all runs, by `with_families`; scores and bounds are of the finished ones."""
    finished = runs[runs["state"].eq("finished")]
    failed = runs[~runs["state"].isin(["finished", "running", "requeued", "stopped"])]
    parts = by_pictures(finished)
    compared = [
        f"On {name}: {fact[0].lower()}{fact[1:]}" if len(parts) > 1 else fact
        for tell in (_bound, _power)
        for name, part in parts.items()
        for fact in tell(part)
    ]
    return Summary(
        [_counted(runs), *_families(finished), *compared],
        [row for name, part in parts.items() for row in _best(part, name)],
        _versions(runs),
        [(str(r["run"]), str(r["state"]), str(r["reason"])) for _, r in failed.iterrows()],
    )


def by_pictures(runs: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The runs of each dataset, by its name: numbers of different pictures are not compared.

    Where the fingerprints of one class differ, they are the names.
    """
    nothing = pd.Series("", index=runs.index)
    names = runs["data"].astype(object).fillna("").astype(str) if "data" in runs else nothing
    prints = runs["fingerprint"].astype(object) if "fingerprint" in runs else nothing.astype(object)
    prints = prints.where(prints.notna() & prints.ne(""), None)
    several = prints.groupby(names).transform("nunique") > 1
    labels = names.where(~several | prints.isna(), prints)
    return {str(name): part for name, part in runs.groupby(labels)}


def entropy_of(runs: pd.DataFrame) -> float | None:
    """H(x) of the pictures, if the runs agree on it; nats per image."""
    if "evaluated.entropy" not in runs:
        return None
    known = runs["evaluated.entropy"].dropna().astype(float).round(3).unique()
    return float(known[0]) if len(known) == 1 else None


def _counted(runs: pd.DataFrame) -> str:
    states = Counter(runs["state"])
    return f"{len(runs)} runs: " + ", ".join(f"{n} {state}" for state, n in states.most_common())


def _families(runs: pd.DataFrame) -> list[str]:
    told = []
    names = short_names(sorted(set(runs["objective"])))
    for name, family in runs.groupby("objective"):
        settings = family.sort_values("strength")["setting"].drop_duplicates()
        seeds = family["seed"].nunique() if "seed" in family else 0
        many = "seed" if seeds == 1 else "seeds"
        which = ", ".join(str(setting) for setting in settings if setting != name)
        told.append(f"{names[str(name)]}: {f'{which}; ' if which else ''}{seeds} {many}")
    return told


def _bound(runs: pd.DataFrame) -> list[str]:
    """Whether every run lies above the line rate + distortion = H(x)."""
    entropy = entropy_of(runs)
    if entropy is None or "evaluated.total" not in runs or runs["evaluated.total"].isna().all():
        return []
    runs = runs.dropna(subset=["evaluated.entropy", "evaluated.total"])  # the others have no bound
    total = runs["evaluated.total"].astype(float)
    known = "evaluated.total_error" in runs
    error = runs["evaluated.total_error"].astype(float).fillna(0) if known else 0
    below = int((total + 3 * error + SLACK < entropy).sum())
    verdict = "all lie above" if not below else f"{below} lie BELOW, so something is wrong"
    return [
        f"Rate + distortion is {total.min():.2f} nats per image at least; the entropy of the "
        f"pictures is {entropy:.2f}: {verdict}"
    ]


def _power(runs: pd.DataFrame) -> list[str]:
    """The seed's share of the variance of MIG, and the difference that the seeds can resolve."""
    score = "mig"
    if score not in runs or runs[score].nunique() < 2 or runs["setting"].nunique() < 2:
        return []
    seeds = int(runs.dropna(subset=[score]).groupby(["objective", "setting"]).size().median())
    std = pooled_std(runs, score, ["objective", "setting"])
    if seeds < 2 or not std > 0:
        return []
    share = variance_shares(runs, score, adjusted=True).seed
    smallest = minimal_detectable_difference(std, seeds)
    return [
        f"The seed accounts for {100 * share:.0f} per cent of the variance of {score} (adjusted)",
        f"With {seeds} seeds a setting, a difference of two mean {score}s is found in 4 of 5 "
        f"studies if it is {smallest:.3f} or more (two-sided t test at 5 per cent; standard "
        f"deviation over seeds {std:.3f})",
    ]


def _best(runs: pd.DataFrame, data: str) -> list[dict[str, str]]:
    """For each score its best run on one dataset, beside the baselines."""
    rows = []
    for name in [n for n in score_names(runs) if n.split(".")[0] not in UNDIRECTED]:
        values = runs[name].astype(float)
        if values.isna().all():
            continue
        best: Any = runs.iloc[int(values.fillna(float("-inf")).to_numpy().argmax())]
        parts = {p: best.get(f"{name}.{p}") for p in ("untrained", "pca", "chance")}
        rows.append(
            {"data": data, "score": name, "run": str(best["run"]), "value": f"{best[name]:.3f}"}
            | {"median": f"{values.median():.3f}"}
            | {p: f"{v:.3f}" if isinstance(v, float) and v == v else "" for p, v in parts.items()}
        )
    return rows


def _versions(runs: pd.DataFrame) -> list[tuple[str, str]]:
    found = []
    for name in VERSIONS:
        column = f"provenance.{name}"
        if column in runs and runs[column].notna().any():
            counts = Counter(map(str, runs[column].dropna()))
            found.append((name, ", ".join(f"{v} ({n} runs)" for v, n in counts.most_common())))
    return found
