# SPDX-License-Identifier: Apache-2.0
"""The arguments of `disent fit`: a model, a dataset, how batches are drawn, a trainer."""

import difflib
import re
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Literal, NoReturn

from jsonargparse.typing import NonNegativeInt, PositiveInt
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI

import disent.likelihoods
import disent.networks
import disent.objectives
from disent.data import FactorDataModule
from disent.data.base import FactorDataset
from disent.models import VAE

TRAINER_DEFAULTS = {
    "logger": False,
    "enable_checkpointing": False,
    "enable_model_summary": False,
    "devices": 1,
    "max_epochs": -1,
    "log_every_n_steps": 50,
}


class Parser(LightningArgumentParser):
    """LightningArgumentParser that answers a mistake in one line, with the nearest names."""

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        raise ValueError(explain(message, self.known_names()))

    def known_names(self) -> list[str]:
        """Every option, and every class that an option can name."""
        options = [o for action in self._actions for o in action.option_strings]
        members = (FactorDataset, VAE, disent.networks.base.Network)
        classes = [VAE.__name__, *(c.__name__ for base in members for c in base.__subclasses__())]
        return options + classes


class FitCLI(LightningCLI):
    """--model, --data, --loader, --trainer and the run's own options; builds nothing by itself."""

    def __init__(self, args: Sequence[str]) -> None:
        super().__init__(
            model_class=VAE,
            subclass_mode_model=True,
            save_config_callback=None,
            trainer_defaults=TRAINER_DEFAULTS,
            seed_everything_default=0,
            parser_class=Parser,
            parser_kwargs={"prog": "disent fit", "exit_on_error": True},
            auto_configure_optimizers=False,
            load_from_checkpoint_support=False,
            run=False,
            args=list(args),
        )

    def add_core_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        parser.add_lightning_class_args(self.trainer_class, "trainer")
        parser.set_defaults({f"trainer.{name}": value for name, value in TRAINER_DEFAULTS.items()})
        parser.add_lightning_class_args(VAE, "model", subclass_mode=True)
        parser.add_subclass_arguments(FactorDataset, "data", required=False)
        parser.set_defaults({"data": {"class_path": "disent.data.DSprites"}})

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        parser.add_class_arguments(
            FactorDataModule, "loader", skip={"dataset", "seed"}, instantiate=False
        )
        option = parser.add_argument
        option("--run", type=str | None, help="name of the run (default: a readable one)")
        option("--runs", type=str, default="runs", help="folder of runs")
        option(
            "--again",
            type=bool,
            default=False,
            help="train a finished run again, from scratch; its folder is kept as NAME.1",
        )
        option("--checkpoint_every_n_steps", type=PositiveInt, default=1000)
        option(
            "--evaluate.metrics",
            type=list[str],
            default=["mig", "beta_vae_score"],
            help="names of the scores, as in disent.metrics",
        )
        option(
            "--evaluate.every_n_steps",
            type=NonNegativeInt,
            default=0,
            help="steps between two evaluations while training; 0: none",
        )
        option(
            "--evaluate.points",
            type=PositiveInt,
            default=50_000,
            help="while training, thin the grid to at most so many points",
        )
        option(
            "--evaluate.at_end",
            type=bool,
            default=True,
            help="score the trained model over the whole grid",
        )
        option(
            "--evaluate.precision",
            type=Literal["float32", "bfloat16"],
            default="float32",
            help="of the encoder's arithmetic at the end",
        )
        option(
            "--pictures.every_n_steps",
            type=NonNegativeInt,
            default=0,
            help="steps between two sets of pictures while training; 0: none",
        )
        option("--pictures.at_end", type=bool, default=True, help="draw the trained model")
        option("--provenance", type=dict[str, Any] | None, help="what made the run; filled in")

    def instantiate_classes(self) -> None:
        """Nothing yet: `disent fit` first looks at the run's folder."""

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        self.config = parser.parse_args(args)


def presets() -> dict[str, Path]:
    """The presets in the package, by name."""
    folder = resources.files("disent") / "presets"
    return {Path(str(f)).stem: Path(str(f)) for f in folder.iterdir() if f.name.endswith(".yaml")}


def resolve_presets(args: Sequence[str]) -> list[str]:
    """Replaces `--config NAME` by the preset's file, where NAME is not itself a file."""
    resolved, known = list(args), presets()
    for i, argument in enumerate(resolved):
        option, equals, value = argument.partition("=")
        if option not in ("--config", "-c") or (not equals and i + 1 >= len(resolved)):
            continue
        name = value if equals else resolved[i + 1]
        if Path(name).is_file():
            continue
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise ValueError(
                f"--config {name}: there is no such file, and no such preset.{hint} "
                f"The presets are: {', '.join(sorted(known))}."
            )
        if equals:
            resolved[i] = f"{option}={known[name]}"
        else:
            resolved[i + 1] = str(known[name])
    return resolved


def explain(message: str, known: Sequence[str]) -> str:
    """One line: what a parser complains of, and the names nearest to a misspelling."""
    lines = [line.strip(" -") for line in message.splitlines() if line.strip()]
    text = " ".join(lines[:2])
    words = re.findall(r"--[\w.]+|(?<=['\"])[\w.]+(?=['\"=])", message)
    for word in words:
        if word in known:
            continue
        near = difflib.get_close_matches(word, known, n=3, cutoff=0.6)
        if near:
            return f"{text} Nearest names: {', '.join(near)}."
    return text
