# SPDX-License-Identifier: Apache-2.0
"""Tables on the terminal."""

import math
import os
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

WORDS = ("run", "state", "reason")
USUAL = (
    *("run", "state", "step", "rate", "distortion", "elbo", "mig", "beta_vae_score"),
    *("factor_vae_score", "dci.disentanglement", "reason"),
)
WIDTH = 100  # characters of the widest table of scores


def print_scores(run: str | os.PathLike[str], record: dict[str, Any]) -> None:
    """Prints an evaluation: scores beside their baselines, then how factors can be read.

    A number that is not finite leaves its cell empty: metrics.json holds null in its place.
    """
    console = Console()
    console.print(f"\nscores of {escape(os.fspath(run))}", soft_wrap=True, highlight=False)
    console.print(_title(record), style="italic", soft_wrap=True, highlight=False)
    # a line that a narrow terminal breaks can be read, a number that was cut off can not
    Console(width=max(console.width, WIDTH)).print(_scores(record))
    for name, score in record["scores"].items():
        if score.get("reason"):
            console.print(escape(f"{name}: {score['reason']}"), highlight=False)
        if "bounds" in score:
            console.print(_bounds(name, score), highlight=False)
    console.print()
    if record["factors"]:
        console.print(_factors(record["factors"]))
        console.print(
            "R2: of a straight line; I/H: mutual information over the factor's entropy.",
            highlight=False,
        )
    else:
        console.print("no factor of these pictures is known", highlight=False)
    console.print(_rate(record), highlight=False)
    _print_bounds(console, record.get("rate_distortion") or {})
    if record.get("drawn"):
        console.print()
        console.print(_drawn(record["drawn"]))


def _drawn(groups: dict[str, dict[str, float]]) -> Table:
    """How far the pictures that the model draws are from real ones, by where their codes are."""
    pictures = next(iter(groups.values()))["pictures"]
    title = f"{pictures} pictures drawn of each, against the nearest real ones (squared error)"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("codes of")
    names = {
        "distance": "distance",
        "distance_error": "error",
        "confidence": "confidence",
        "sure": "above 0.9",
        "log_density": "log density",
    }
    told = list(dict.fromkeys(part for numbers in groups.values() for part in numbers))
    names |= {part: f"{part[6:]} right" for part in told if part.startswith("right_")}
    kept = [part for part in names if part in told]
    for part in kept:
        table.add_column(names[part], justify="right")
    for name, numbers in groups.items():
        label = "real pictures" if name == "codes" else name
        table.add_row(label, *(_text(numbers.get(part)) for part in kept))
    return table


def _factors(entries: dict[str, Any]) -> Table:
    title = "How each factor can be read from the code"
    factors = Table(title=title, title_justify="left", box=None, pad_edge=False)
    factors.add_column("factor")
    for column in ("R2, all latents", "R2, best latent", "I/H, best latent"):
        factors.add_column(column, justify="right")
    for name, entry in entries.items():
        factors.add_row(
            escape(name),
            _text(entry["linear_r2"]),
            _of_latent(entry, "single_r2"),
            _of_latent(entry, "information"),
        )
    return factors


def _rate(record: dict[str, Any]) -> str:
    if record["active_latents"] is None:
        return "no rate: the code of a picture is a point"
    active = record["active_latents"]
    return f"rate {_nats(record['rate'])} nats per image, {active} active latents"


def _title(record: dict[str, Any]) -> str:
    """How many pictures the scores are of, and their baselines where these are of fewer."""
    entries = record["scores"].values()
    coarse = {entry["baseline_points"] for entry in entries if "baseline_points" in entry}
    labelled = record.get("labelled")
    coarse -= {record["points"], labelled}
    thinned = " and ".join(f"{points:,}" for points in sorted(coarse))
    title = f"Scores on {record['points']:,} pictures"
    if labelled is None:
        return f"{title}; baselines on {thinned}, a thinned grid" if thinned else title
    if labelled < record["points"]:
        title += f", {labelled:,} of them labelled" if labelled else ", without labels"
    return f"{title}; baselines on {thinned} of them" if thinned else title


def _scores(record: dict[str, Any]) -> Table:
    """Each score and its estimate by the protocol with their spreads, and its baselines."""
    parts = (
        ("value", ("value",)),
        ("+-", ("spread",)),
        ("error", ("error",)),
        ("10k points", ("protocol", "value")),
        ("+-", ("protocol", "spread")),
        ("untrained", ("untrained",)),
        ("PCA", ("pca",)),
        ("chance", ("chance",)),
    )
    table = Table(box=None, pad_edge=False)
    table.add_column("score", no_wrap=True)
    columns = []
    for title, path in parts:
        cells = [_number(score, path) for score in record["scores"].values()]
        if any(cells):
            table.add_column(title, justify="right", no_wrap=True)
            columns.append(cells)
    for name, *cells in zip(record["scores"], *columns, strict=True):
        table.add_row(name, *cells)
    return table


def _number(score: dict[str, Any], path: tuple[str, ...]) -> str:
    value: Any = score
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return _text(value)


def _bounds(name: str, score: dict[str, Any]) -> str:
    """What a log-likelihood is of, and how it grew with the samples."""
    grown = ", ".join(f"{int(k):,}: {_nats(value)}" for k, value in score["bounds"].items())
    return (
        f"{name}: nats per image, of {score['points']:,} random pictures. By samples: {grown}. "
        f"Naive (samples of the prior) and untrained: of {score['untrained_points']:,} of them, "
        f"whose own value is {_nats(score['of_these'])}."
    )


def _of_latent(entry: dict[str, Any], name: str) -> str:
    """A factor's number at the latent that has most of it."""
    value = _text(entry[name])
    return value and f"z{entry[f'{name}_latent']}  {value}"


def _text(value: float | None) -> str:
    return "" if value is None or not math.isfinite(value) else f"{value:.3f}"


def _nats(value: float | None) -> str:
    return "?" if value is None or not math.isfinite(value) else f"{value:.2f}"


def _print_bounds(console: Console, found: dict[str, Any]) -> None:
    """Rate, distortion and the bounds that were checked, in nats per image."""
    if found:
        names = {"total": "rate + distortion", "mutual_information": "I(x; z)"}
        parts = [f"distortion {_nats(found['distortion'])}"]
        parts += [f"{text} {_nats(found[name])}" for name, text in names.items() if name in found]
        line = f"{', '.join(parts)} nats per image"
        if found.get("entropy") is not None:
            line += f"; entropy of the pictures {found['entropy']:.2f}"
        console.print(line, highlight=False, soft_wrap=True)


def print_runs(table: Any, columns: Sequence[str] = ()) -> None:
    """Prints the table that load_runs returns: `columns`, or state, last values and scores.

    On a terminal, the usual columns that do not fit are left out; what was asked for never is.
    """
    from pandas.api.types import is_numeric_dtype  # here: scores are printed without pandas

    chosen = [name for name in columns or USUAL if name in table]
    if not columns and table["reason"].eq("").all():
        chosen.remove("reason")
    cells = {name: [_cell(value) for value in table[name]] for name in chosen}
    widths = {name: max(map(len, [name, *cells[name]])) + 2 for name in chosen}
    console = Console()
    if console.is_terminal and not columns:
        for name in [name for name in reversed(chosen) if name not in WORDS]:
            if sum(widths[kept] for kept in chosen) > console.width and len(chosen) > 1:
                chosen.remove(name)
    console.width = max(console.width, sum(widths[name] for name in chosen))
    view = Table(box=None, pad_edge=False)
    for name in chosen:
        number = name not in WORDS and is_numeric_dtype(table[name])
        view.add_column(name, justify="right" if number else "left", no_wrap=True)
    for row in zip(*(cells[name] for name in chosen), strict=True):
        view.add_row(*map(escape, row))
    console.print(view, soft_wrap=True)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "" if value != value else f"{value:.4g}"
    return "" if value is None else str(value)
