# SPDX-License-Identifier: Apache-2.0
"""What a run logs, sorted into panels: values of one kind and one unit together."""

import re
from dataclasses import dataclass

import pandas as pd
from pandas.api.types import is_numeric_dtype

from disent.figures.style import FAINT_RATE

NATS = "nats per image"
LATENT = re.compile(r"rate_(\d+)")
# title, unit, names: a column stands in the first panel that names it
KINDS = (
    ("Rate of each level", NATS, re.compile(r"rate_level_\d+")),
    ("Total correlation", NATS, re.compile(r".*total_correlation")),
    ("Accuracy", "share that is right", re.compile(r".*accuracy|right_.*")),
    ("Losses of the players", "nats", re.compile(r".+_loss")),
    ("Squared error", "squared, mean over pixels", re.compile(r"squared_error_per_pixel")),
    ("Squared error", "squared, sum over pixels", re.compile(r"squared_error")),
    ("Gain over what went in", "dB", re.compile(r"psnr_gain")),
    ("Symbols", NATS, re.compile(r"symbol_.*|.*_divergence")),
)
UNTOLD = re.compile(r"step|run|path|epoch|.*per_second|active_latents|capacity|.*\..*\..*")
BESIDE = re.compile(r".*\.(spread|error|chance|untrained|pca|variant|codes|seed|points|evaluated)")


@dataclass(frozen=True)
class Panel:
    """One plot: its lines by their names, each a series over the steps."""

    title: str
    unit: str
    lines: dict[str, pd.Series]
    log: bool = False


def panels(metrics: pd.DataFrame) -> list[Panel]:
    """The plots of what a run logged, by kind; a column that is empty is left out.

    Loss, negative ELBO and distortion (nats per image; the loss of a model without either has no
    unit); rate and capacity; the rate of each latent, by last rate; then total correlations,
    accuracies, losses of several players, squared errors, and whatever else was logged.

    Args:
        metrics: One row a logged step: a column "step", and what was logged. A cell may be empty.
    """
    logged = {str(name): series for name in metrics if len(series := _logged(metrics, str(name)))}
    found = [_terms(logged), _rate(logged), _latents(logged)]
    left = {
        name: series
        for name, series in logged.items()
        if name not in ("loss", "elbo", "distortion", "rate")
        and not any(kind.fullmatch(name) for kind in (LATENT, UNTOLD, BESIDE))
    }
    for title, unit, names in KINDS:
        mine = {name: left.pop(name) for name in list(left) if names.fullmatch(name)}
        if title == "Squared error" and any(panel and panel.title == title for panel in found):
            continue  # the same line, scaled
        found.append(Panel(title, unit, mine) if mine else None)
    shares = {name: s for name, s in left.items() if s.min() >= 0 and s.max() <= 1}
    found.append(Panel("Scores and shares", "0 to 1", shares) if shares else None)
    found += [Panel(name, name, {name: s}) for name, s in left.items() if name not in shares]
    return [panel for panel in found if panel]


def _logged(metrics: pd.DataFrame, name: str) -> pd.Series:
    """One column by step, without the steps at which it was not logged; empty if there is none."""
    if "step" not in metrics or not is_numeric_dtype(metrics[name]):
        return pd.Series(dtype=float)
    return (
        pd.Series(metrics[name].to_numpy(float), metrics["step"].to_numpy()).dropna().sort_index()
    )


def _terms(logged: dict[str, pd.Series]) -> Panel | None:
    names = {"loss": "loss", "elbo": "negative ELBO", "distortion": "distortion"}
    lines = {
        text: -logged[name] if name == "elbo" else logged[name]
        for name, text in names.items()
        if name in logged
    }
    if not lines:
        return None
    # the first steps are hundreds of times above the last: only a log scale shows both,
    # but the distortion of a density can be negative
    log = all((series > 0).all() for series in lines.values())
    if len(lines) == 1 and "loss" in lines and "rate" not in logged:
        return Panel("Loss", "loss", lines, log)
    return Panel("Loss and its terms", NATS, lines, log)


def _rate(logged: dict[str, pd.Series]) -> Panel | None:
    lines = {name: logged[name] for name in ("rate", "capacity") if name in logged}
    return Panel("Rate", NATS, lines) if lines else None


def _latents(logged: dict[str, pd.Series]) -> Panel | None:
    """Those that end faint come last."""
    rates = {f"z{m[1]}": s for name, s in logged.items() if (m := LATENT.fullmatch(name))}
    order = sorted(rates, key=lambda latent: -rates[latent].iloc[-1])
    return Panel("Rate of each latent", NATS, {z: rates[z] for z in order}) if rates else None


def is_faint(series: pd.Series) -> bool:
    """Whether a latent's rate ends below what can be seen, 0.1 nats per image."""
    return bool(series.iloc[-1] < FAINT_RATE)
