# SPDX-License-Identifier: Apache-2.0
"""What wakes when: the rates of a run's latents while its capacity rises."""

from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup

from disent.figures.logged import NATS, Panel, panels
from disent.report.run_section import as_json, thinned
from disent.runs import RunDir, followed_factors, load_histories, wake_up
from disent.runs.rows import FAILURES


@dataclass(frozen=True)
class Ramp:
    """The run that is shown, and its panel; or why there is none."""

    run: str
    curves: Markup | None
    note: str = ""


def ramp_of(runs: pd.DataFrame) -> Ramp | None:
    """The first run with the highest capacity; None where no run has one.

    Args:
        runs: The finished runs, by `with_families`.
    """
    if "C" not in runs or not runs["C"].notna().any():
        return None
    run = runs.sort_values(["C", "run"], ascending=[False, True]).iloc[0]
    try:
        return Ramp(
            str(run["run"]), as_json([thinned(_panel(str(run["path"])), "capacity C, nats")])
        )
    except FAILURES as error:
        return Ramp(str(run["run"]), None, f"Not drawn: {error}")


def _panel(path: str) -> Panel:
    """Each latent named by the factor that it follows at the end, and by where it wakes."""
    history = load_histories(path)
    wakes = {int(str(latent)): float(c) for latent, c in wake_up(history).items()}
    record = RunDir(path).read_scores()
    factors = followed_factors(record) if record.get("information") else {}
    rising = history.dropna(subset=["capacity"]).drop_duplicates("capacity")
    # rows of one capacity are one place of the plot: the first stands for all
    drawn = [p for p in panels(rising.assign(step=rising["capacity"])) if "latent" in p.title]
    if not drawn:
        raise ValueError("no rates of latents were logged while the capacity rose.")
    names = {}
    for name in drawn[0].lines:
        latent = int(name[1:])
        names[name] = name + (f": {factors[latent]}" if latent in factors else "")
        names[name] += f", wakes at {wakes[latent]:.1f}" if latent in wakes else ""
    return Panel("", NATS, {names[name]: series for name, series in drawn[0].lines.items()})
