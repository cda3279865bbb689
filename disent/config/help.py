# SPDX-License-Identifier: Apache-2.0
"""`disent fit --help`: the suite's own options on a page; `--help all` has every one."""

import textwrap
from collections.abc import Iterator
from typing import Any

from disent.config.kinds import KINDS, PARTS, member_names
from disent.config.parser import GROUPS, FitCLI
from disent.config.presets import presets

WIDTH, COLUMN = 100, 30
HEAD = """\
usage: disent fit [--config PRESET] [--model CLASS] [--data CLASS] [OPTION VALUE ...]

Trains a model into a run directory, scores it and draws it; the same command goes on where an
earlier one was stopped. What comes later on the command line wins.

  disent fit --config quickstart
  disent fit --config locatello2019 --model BetaVAE --model.beta 4 --data Shapes3D --data.path FILE

A CLASS is one of those named here, or FILE.CLASS of your own FILE.py in the working folder.
"""
TAIL = """
--help all: every option, Lightning's trainer's too. --model.help BetaVAE, --data.help Shapes3D:
those of a class. disent list models, or presets, networks, datasets ...: a line of each.
"""
SAID = {  # what the parser has no words for, or not ours
    "seed_everything": "of weights, batches and noise (default: 0)",
    "checkpoint_every_n_steps": "steps between two checkpoints (default: 1000)",
}
SHOWN = {  # of the trainer
    "max_steps": "length of the training; a finished run goes on to more",
    "max_time": "stop after DD:HH:MM:SS; the same command goes on",
    "accelerator": "cpu, gpu ... (default: what there is)",
    "devices": "how many, which share the batch (default: 1)",
    "precision": "such as bf16-mixed (default: float32)",
    "log_every_n_steps": "steps between two rows of metrics.csv (default: 50)",
}
LEFT_OUT = {"help", "print_config", "print_shtab", "provenance", "config", "model", "data"}
LEFT_OUT |= {"trainer", *GROUPS}


def short_help() -> str:
    """At most 80 lines of 100 columns."""
    parser = FitCLI(["--model", "VAE"]).parser
    defaults = parser.get_defaults()
    known = "such as quickstart or locatello2019 (disent list presets), or a file"
    lines = [HEAD, *_option("--config PRESET", known)]
    for key, kind in KINDS.items():
        name = f"model.{key}" if key in PARTS else key
        lines += _option(f"--{name} CLASS", ", ".join(kind.names()))
    group = ""
    for action in sorted(parser._actions, key=lambda action: "." in action.dest):
        first, dot, last = action.dest.partition(".")
        if action.dest in LEFT_OUT or first in LEFT_OUT - GROUPS.keys() or last == "help":
            continue
        if dot and first != group:
            group = first
            lines.append("")
        said = SAID.get(action.dest) or _said(action, defaults.get(action.dest))
        lines += _option(f"--{action.dest}", said)
    lines.append("")
    for name, text in SHOWN.items():
        lines += _option(f"--trainer.{name}", text)
    return "\n".join([*lines, TAIL])


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
    found.pop("--print_shtab", None)
    return found | {"--config": list(presets())}


def _said(action: Any, default: Any) -> str:
    """The parser's words, and the default where they do not say it."""
    text = " ".join(str(action.help or "").split())
    if "default" in text or default in (None, ""):
        return text
    default = ",".join(default) if isinstance(default, list | tuple) else default
    return f"{text} (default: {default})"


def _option(name: str, text: str) -> Iterator[str]:
    """An option and what is said of it, beside it."""
    lead = f"  {name:<{COLUMN - 3}} "
    if len(lead) > COLUMN:
        yield lead.rstrip()
        lead = " " * COLUMN
    yield from textwrap.wrap(
        text, WIDTH, initial_indent=lead, subsequent_indent=" " * COLUMN, break_on_hyphens=False
    ) or [lead.rstrip()]
