# SPDX-License-Identifier: Apache-2.0
"""Tables on the terminal."""

import os
from typing import Any

from rich.console import Console
from rich.table import Table


def print_scores(run: str | os.PathLike[str], record: dict[str, Any]) -> None:
    """Prints an evaluation: scores beside their baselines, then each factor's readability."""
    console = Console()
    console.print(f"\nscores of {os.fspath(run)}", soft_wrap=True, highlight=False)
    scores = Table(title=f"Scores on {record['points']:,} pictures", title_justify="left")
    scores.add_column("score")
    for column in ("value", "untrained", "chance"):
        scores.add_column(column, justify="right")
    for name, score in record["scores"].items():
        scores.add_row(name, *(f"{score[part]:.3f}" for part in ("value", "untrained", "chance")))
    console.print(scores)
    factors = Table(title="How each factor can be read from the code", title_justify="left")
    factors.add_column("factor")
    for column in ("R2, all latents", "R2, best latent", "I/H, best latent"):
        factors.add_column(column, justify="right")
    for name, entry in record["factors"].items():
        factors.add_row(
            name,
            f"{entry['linear_r2']:.3f}",
            f"z{entry['single_r2_latent']}  {entry['single_r2']:.3f}",
            f"z{entry['information_latent']}  {entry['information']:.3f}",
        )
    console.print(factors)
    console.print(
        f"R2: of a straight line; I/H: mutual information over the factor's entropy.\n"
        f"rate {record['rate']:.2f} nats per image, {record['active_latents']} active latents",
        highlight=False,
    )


def print_runs(table: Any) -> None:
    """Prints the table that load_runs returns: state, knobs, last values and scores."""
    console = Console()
    shown = [
        "run",
        "state",
        "step",
        "rate",
        "distortion",
        "elbo",
        "mig",
        "beta_vae_score",
        "reason",
    ]
    columns = [name for name in shown if name in table]
    if table[columns[-1]].eq("").all():
        columns.pop()
    view = Table()
    for name in columns:
        view.add_column(name, justify="left" if name in ("run", "state", "reason") else "right")
    for row in table[columns].itertuples(index=False):
        view.add_row(*(_cell(value) for value in row))
    console.print(view)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "" if value != value else f"{value:.4g}"
    return str(value)
