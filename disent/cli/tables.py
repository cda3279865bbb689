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
    console.print(_scores(record))
    for name, score in record["scores"].items():
        if score.get("reason"):
            console.print(f"{name}: {score['reason']}", highlight=False)
    title = "How each factor can be read from the code"
    factors = Table(title=title, title_justify="left", box=None, pad_edge=False)
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
    console.print()
    console.print(factors)
    console.print(
        f"R2: of a straight line; I/H: mutual information over the factor's entropy.\n"
        f"rate {record['rate']:.2f} nats per image, {record['active_latents']} active latents",
        highlight=False,
    )
    _print_bounds(console, record.get("rate_distortion") or {})


def _scores(record: dict[str, Any]) -> Table:
    """Each score beside its spread, the protocol's estimate and its baselines, where there are."""
    parts = {
        "value": ("value",),
        "+-": ("spread",),
        "10k points": ("protocol", "value"),
        "untrained": ("untrained",),
        "PCA": ("pca",),
        "chance": ("chance",),
    }
    title = f"Scores on {record['points']:,} pictures"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("score", no_wrap=True)
    cells = {
        column: [_number(score, path) for score in record["scores"].values()]
        for column, path in parts.items()
    }
    shown = [column for column in parts if any(cells[column])]
    for column in shown:
        table.add_column(column, justify="right", no_wrap=True)
    for i, name in enumerate(record["scores"]):
        table.add_row(name, *(cells[column][i] for column in shown))
    return table


def _number(score: dict[str, Any], path: tuple[str, ...]) -> str:
    value: Any = score
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return "" if value is None else f"{value:.3f}"


def _print_bounds(console: Console, found: dict[str, Any]) -> None:
    """Rate, distortion and the bounds that were checked, in nats per image."""
    if found:
        line = (
            f"distortion {found['distortion']:.2f}, rate + distortion {found['total']:.2f}, "
            f"I(x; z) {found['mutual_information']:.2f} nats per image"
        )
        if found.get("entropy") is not None:
            line += f"; entropy of the pictures {found['entropy']:.2f}"
        console.print(line, highlight=False, soft_wrap=True)


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
