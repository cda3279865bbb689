# SPDX-License-Identifier: Apache-2.0
"""The model card of a run: what it is, what it can do beside baselines, and what it cannot."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from disent.export.seeds import ONE_SEED, SEVERAL, seeds_table
from disent.runs.directions import is_better
from disent.runs.run import Run

BASELINES = ("untrained", "pca", "chance")
READ = ("linear_r2", "information")  # how a factor can be read from the code
UNREAD = 0.1  # a factor whose R2 and I/H both stay below it is not in the code
LIMITS = """\
- The scores are of the pictures named above, which it was trained on where nothing was held out.
  They say nothing of other pictures.
- {seeds}
- The latents have no names, and their order and signs mean nothing. What one holds is read from
  the traversals, which are of one model.
- Encoder inputs are float32 in [0, 1], channels first, of exactly the size in `model.json`.
"""


def card_of(
    run: Run,
    fingerprint: str,
    folder: Path,
    licence: str | None = None,
    others: Sequence[Run] = (),
) -> str:
    """The card, in Markdown.

    Args:
        run: Whose model it is.
        fingerprint: Of its data.
        folder: Where the card will lie, with figures/ and model.json.
        licence: Of the weights; None: none was chosen.
        others: Runs of other seeds, whose scores stand beside its own.
    """
    config, record = run.config, run.directory.read_scores()
    kind = str(config["model"]["class_path"]).rpartition(".")[2]
    parts = {
        f"{kind}: {run.path.name}": _what(run, kind),
        "Data": _data(config, fingerprint),
        "Settings": ["```yaml", *_settings(config), "```"],
        "Cost": [_cost(run)],
        "Scores": list(_scores(record)),
        **({"Scores of all seeds": list(seeds_table(run, others))} if others else {}),
        "Figures": list(_figures(folder)),
        "What it failed at": list(_failures(run, record)),
        "Limits": [LIMITS.format(seeds=SEVERAL if others else ONE_SEED).rstrip()],
        "Licence": _licence(licence),
        "Made by": ["```sh", _command(config), "```", *_versions(config)],
    }
    marks = ["#", *["##"] * len(parts)]
    texts = [f"{mark} {title}\n\n" + "\n".join(lines) for mark, (title, lines) in
             zip(marks, parts.items(), strict=False)]  # fmt: skip
    return "\n\n".join(texts) + "\n"


def _what(run: Run, kind: str) -> list[str]:
    given = run.config["model"].get("init_args") or {}
    places = [f"`{name}: {value}`" for name, value in given.items() if str(value).startswith("/")]
    needed = f"It needs {', '.join(places)} of `model.json`: say there where it is with you."
    return [
        f"Model {kind}, trained by disent, an experiment suite for disentanglement studies.",
        "To build it again:",
        "",
        "```python",
        "from disent.export import load_export",
        "",
        'model = load_export("FOLDER OF THIS CARD")',
        "codes = model.encode(pictures).mean  # pictures: float32 [n, channels, height, width]",
        "```",
        *(["", needed] if places else []),
    ]


def _data(config: Mapping[str, Any], fingerprint: str) -> list[str]:
    section, loader = config["data"], config.get("loader") or {}
    kind = str(section.get("class_path") if isinstance(section, Mapping) else section)
    lines = [f"- dataset: {kind.rpartition('.')[2]}", f"- fingerprint: {fingerprint}"]
    lines += [f"- {n.replace('_', ' ')}: {loader[n]}" for n in ("held_out", "correlated")
              if loader.get(n)]  # fmt: skip
    return lines


def _settings(config: Mapping[str, Any]) -> list[str]:
    trainer = config.get("trainer") or {}
    told = {
        "model": config["model"],
        "loader": config.get("loader"),
        "trainer": {name: trainer.get(name) for name in ("max_steps", "precision", "devices")},
        "seed_everything": config.get("seed_everything"),
    }
    return yaml.safe_dump(told, sort_keys=False).rstrip().splitlines()


def _cost(run: Run) -> str:
    """Time from the start to the end, with pauses; and where."""
    status, made = run.directory.status(), run.config.get("provenance") or {}
    steps = status.get("step") or run.step()
    try:
        start, end = (datetime.fromisoformat(status[key]) for key in ("started", "finished"))
    except (KeyError, TypeError, ValueError):
        return f"{steps:,} steps; the time is not known."
    took = timedelta(seconds=round((end - start).total_seconds()))
    return (
        f"{steps:,} steps; {took} from start to end, scores and pictures included, on "
        f"{made.get('platform', 'an unknown platform')}."
    )


def _scores(record: Mapping[str, Any]) -> Iterator[str]:
    if not record.get("scores"):
        yield "None: it was not scored. `disent evaluate RUN` does."
        return
    yield f"On {record['points']:,} pictures, after {record['step']:,} steps.\n"
    yield "| score | value | untrained | PCA | chance |"
    yield "|---|---|---|---|---|"
    for name, score in record["scores"].items():
        cells = [_number(score.get(part)) for part in ("value", *BASELINES)]
        yield f"| {name} | {' | '.join(cells)} |"
    if record.get("factors"):
        yield "\n| factor | R2, all latents | I/H, best latent |"
        yield "|---|---|---|"
        for name, entry in record["factors"].items():
            read = [_number(entry.get(part)) for part in READ]
            yield f"| {name} | {' | '.join(read)} |"
    terms = record.get("rate_distortion") or {}
    told = [f"{name} {_number(terms[name])}" for name in ("rate", "distortion") if terms.get(name)]
    if told:
        yield f"\n{', '.join(told)} nats per image."


def _figures(folder: Path) -> Iterator[str]:
    pictures = sorted(folder.glob("figures/*"))
    for picture in pictures:
        yield f"![{picture.stem}](figures/{picture.name})"
    if not pictures:
        yield "None: `disent traverse RUN` draws them, and another export takes them along."


def _failures(run: Run, record: Mapping[str, Any]) -> Iterator[str]:
    """What its own record says against it."""
    found = False
    for line in (*_unfinished(run), *_beaten(record), *_uncoded(record)):
        found = True
        yield f"- {line}"
    if not found and record.get("scores"):
        yield "Nothing that was measured: each score is better than its baselines."
    elif not found:
        yield "Not known: it was not scored."


def _unfinished(run: Run) -> Iterator[str]:
    status = run.directory.status()
    if status.get("state") != "finished":
        yield f"Training did not come to its end: {status.get('state', 'its state is not known')}."


def _beaten(record: Mapping[str, Any]) -> Iterator[str]:
    for name, score in (record.get("scores") or {}).items():
        if score.get("value") is None:
            yield f"{name} could not be computed: {score.get('reason', 'no reason was kept')}"
            continue
        given = [part for part in BASELINES if score.get(part) is not None]
        same = [part for part in given if is_better(name, score["value"], score[part]) is False]
        if same:
            told = ", ".join(f"{part} {_number(score[part])}" for part in same)
            yield f"{name} {_number(score['value'])} is no better than {told}."


def _uncoded(record: Mapping[str, Any]) -> Iterator[str]:
    for name, entry in (record.get("factors") or {}).items():
        told = [entry[part] for part in READ if entry.get(part) is not None]
        if told and max(told) < UNREAD:
            yield f"{name} can hardly be read from the code."
    rates, active = record.get("rates"), record.get("active_latents")
    if rates and active is not None and active < len(rates):
        yield f"{len(rates) - active} of {len(rates)} latents hold nothing (below 0.01 nats)."


def _licence(licence: str | None) -> list[str]:
    weights = licence or "none was chosen; whoever publishes them says it here"
    return [
        f"- weights: {weights}",
        "- pictures: that of their dataset, which is not part of this export",
        "- disent, which builds the model: Apache-2.0",
    ]


def _command(config: Mapping[str, Any]) -> str:
    words = (config.get("provenance") or {}).get("command")
    given = words if isinstance(words, list) and words else ["disent", "fit", "--config", "..."]
    return shlex.join(map(str, given))


def _versions(config: Mapping[str, Any]) -> list[str]:
    made = config.get("provenance") or {}
    names = ("disent", "git_commit", "python", "torch", "lightning", "numpy", "scikit-learn")
    return ["", ", ".join(f"{name} {made[name]}" for name in names if made.get(name))]


def _number(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, int | float) and value == value else ""
