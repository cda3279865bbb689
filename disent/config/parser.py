# SPDX-License-Identifier: Apache-2.0
"""The arguments of `disent fit`: a model, a dataset, how batches are drawn, a trainer."""

from collections.abc import Sequence
from typing import Any, Literal, NoReturn

from jsonargparse import ActionYesNo
from jsonargparse.typing import PositiveInt
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI

import disent.data
import disent.models
import disent.networks
from disent.config.kinds import member_names
from disent.config.options import EvaluateOptions, LoaderOptions, PictureOptions, WandbOptions
from disent.config.presets import presets
from disent.config.values import as_word
from disent.data.base import PictureDataset
from disent.models.base import Model
from disent.runs.mistakes import explain

TRAINER_DEFAULTS = {
    "logger": False,
    "enable_checkpointing": False,
    "enable_model_summary": False,
    "devices": 1,
    "max_epochs": -1,
    "log_every_n_steps": 50,
}
GROUPS = {
    "loader": LoaderOptions,
    "evaluate": EvaluateOptions,
    "pictures": PictureOptions,
    "wandb": WandbOptions,
}


DESCRIPTION = f"""
Trains a model into a run directory, scores it and draws it; goes on where an earlier call of the
same command was stopped. Presets: {", ".join(presets())}; options after --config win.
Models: {", ".join(name for name in disent.models.__all__ if name != "load_run")}; their options:
--model.help BetaVAE. Networks: {", ".join(disent.networks.__all__)}. Datasets:
{", ".join(name for name in disent.data.__all__ if name != "FactorDataModule")}.
"""


class Parser(LightningArgumentParser):
    """LightningArgumentParser that raises its complaints, where the original prints and exits."""

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        raise ValueError(message)


class FitCLI(LightningCLI):
    """--model, --data, --loader, --trainer and the run's own options; builds nothing by itself."""

    def __init__(self, args: Sequence[str]) -> None:
        super().__init__(
            model_class=Model,
            subclass_mode_model=True,
            save_config_callback=None,
            trainer_defaults=TRAINER_DEFAULTS,
            seed_everything_default=0,
            parser_class=Parser,
            parser_kwargs={
                "prog": "disent fit",
                "usage": "disent fit [--config PRESET] [--model CLASS] [--data CLASS] [OPTION ...]",
                "description": DESCRIPTION,
            },
            auto_configure_optimizers=False,
            load_from_checkpoint_support=False,
            run=False,
            args=list(args),
        )

    def add_core_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        parser.add_lightning_class_args(self.trainer_class, "trainer")
        parser.set_defaults({f"trainer.{name}": value for name, value in TRAINER_DEFAULTS.items()})
        parser.add_lightning_class_args(Model, "model", subclass_mode=True)
        parser.add_subclass_arguments(PictureDataset, "data", required=False)
        parser.set_defaults({"data": {"class_path": "disent.data.DSprites"}})

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        for name, kind in GROUPS.items():
            parser.add_class_arguments(kind, name, instantiate=False)
        option = parser.add_argument
        option("--run", type=str | None, help="name of the run (default: a readable one)")
        option("--runs", type=str, default="runs", help="folder of runs")
        option(
            "--again",
            type=bool,
            default=False,
            help="train a finished run again, from scratch; its folder is kept as NAME.1",
        )
        option("--init_from", type=str | None, help="start with the weights of this run's folder")
        option(
            "--fast",
            action=ActionYesNo,
            nargs="?",
            default=False,
            help="train and score in bfloat16 where the machine computes in it, many steps at "
            "a time; the same objective and data, other rounding (default: float32)",
        )
        option("--checkpoint_every_n_steps", type=PositiveInt, default=1000)
        option(
            "--logger",
            type=Literal["none", "wandb"] | None,
            help="wandb: send the run to Weights & Biases too, or keep it for `wandb sync` with "
            "WANDB_MODE=offline (default: none, but wandb under wandb agent)",
        )
        option("--provenance", type=dict[str, Any] | None, help="what made the run; filled in")

    def instantiate_classes(self) -> None:
        """Nothing yet: `disent fit` first looks at the run's folder."""

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        try:
            self.config = parser.parse_args(args)
        except ValueError as error:
            options = [option for action in parser._actions for option in action.option_strings]
            raise ValueError(explain(str(error), [*options, *member_names()])) from error
        _check_seed(self.config.seed_everything)  # at once: for true, one would be drawn


def _check_seed(seed: Any) -> None:
    """Raises ValueError unless it is a number: model, noise and batches are functions of it."""
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise ValueError(
            f"--seed_everything is {as_word(seed)}, but a whole number is wanted: a run is a "
            "function of its seed. Leave it out for 0."
        )
