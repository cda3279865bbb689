# SPDX-License-Identifier: Apache-2.0
"""`disent fit --help`: the suite's own options on a page; `--help all` has every one."""

import textwrap
from collections.abc import Iterator
from typing import Any

from disent.config.kinds import KINDS, PARTS, member_names
from disent.config.parser import FitCLI
from disent.config.presets import presets

WIDTH, COLUMN = 100, 34
HEAD = """\
usage: disent fit [--config PRESET] [--model CLASS] [--data CLASS] [OPTION VALUE ...]

Trains a model into a run directory, scores it and draws it; the same command goes on where an
earlier one was stopped. What comes later on the command line wins.

  disent fit --config quickstart
  disent fit --config locatello2019 --model BetaVAE --model.beta 4 --data Shapes3D --data.path FILE
"""
TRAINER = """\
What else Lightning's trainer takes is listed by disent fit --help all; the options of a class by
disent fit --model.help BetaVAE, --data.help Shapes3D; what there is, with a line of each, by
disent list models, or presets, networks, datasets, scores ...
"""
SHOWN = {  # of the trainer
    "max_steps": "length of the training; a finished run goes on to more",
    "max_time": "stop after DD:HH:MM:SS; the same command goes on",
    "accelerator": "cpu, gpu ... (default: what there is)",
    "devices": "how many, which share the batch (default: 1)",
    "precision": "such as bf16-mixed (default: float32)",
    "log_every_n_steps": "steps between two rows of metrics.csv (default: 50)",
}
LEFT_OUT = {"help", "print_config", "provenance", "config", "model", "data", "trainer"}


def short_help() -> str:
    """At most 80 lines of 100 columns."""
    parser = FitCLI(["--model", "VAE"]).parser
    lines = [HEAD, *_option("--config PRESET|FILE", f"{', '.join(presets())}; or a file")]
    for key, kind in KINDS.items():
        option = f"model.{key}" if key in PARTS else key
        names = ", ".join(kind.names())
        more = "" if key != "model" else "; each has options of its own, as --model.beta"
        lines += _option(f"--{option} CLASS", f"{names}; or FILE.CLASS of your own{more}")
    group = ""
    for action in parser._actions:
        first = action.dest.partition(".")[0]
        if first in LEFT_OUT or not action.option_strings or action.dest.endswith(".help"):
            continue
        if "." in action.dest and first != group:
            group = first
            lines.append("")
        lines += _option(
            action.option_strings[0], _said(action, parser.get_defaults().get(action.dest))
        )
    lines.append("")
    for name, text in SHOWN.items():
        lines += _option(f"--trainer.{name}", text)
    return "\n".join([*lines, "", TRAINER])


def full_help() -> str:
    """Every option, as the parser tells of it."""
    return FitCLI(["--model", "VAE"]).parser.format_help()


def options_with_choices() -> dict[str, list[str]]:
    """Every option of `disent fit`, with the names that it takes where there are such."""
    actions = FitCLI(["--model", "VAE"]).parser._actions
    found = {option: list[str]() for action in actions for option in action.option_strings}
    found |= {name: [] for name in member_names() if name.startswith("--")}
    for key, kind in KINDS.items():
        found[f"--model.{key}" if key in PARTS else f"--{key}"] = kind.names()
    return found | {"--config": list(presets())}


def _said(action: Any, default: Any) -> str:
    text = " ".join(str(action.help or "").split())
    said = "default" in text or default in (None, "")
    return text if said else f"{text} (default: {default})".strip()


def _option(name: str, text: str) -> Iterator[str]:
    """An option and what is said of it, beside it."""
    lead = f"  {name:<{COLUMN - 3}} "
    if len(lead) > COLUMN:
        yield lead.rstrip()
        lead = " " * COLUMN
    yield from textwrap.wrap(
        text, WIDTH, initial_indent=lead, subsequent_indent=" " * COLUMN, break_on_hyphens=False
    ) or [lead.rstrip()]
