# SPDX-License-Identifier: Apache-2.0
"""What one run was told, with types: read from the command line, written to config.yaml."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import yaml

from disent.config.complete import facts_of, fill_in
from disent.config.kinds import check_classes
from disent.config.knobs import own_knobs
from disent.config.naming import options_of
from disent.config.options import EvaluateOptions, LoaderOptions, PictureOptions, WandbOptions
from disent.config.parser import GROUPS, FitCLI
from disent.config.places import make_absolute
from disent.config.precision import checked_precision
from disent.config.presets import resolve_presets
from disent.config.rehearsal import rehearse
from disent.config.values import as_yaml
from disent.data.base import PictureDataset, check_pictures
from disent.data.datamodule import FactorDataModule
from disent.evaluation.options import Precision
from disent.files import expanded
from disent.models.base import Model
from disent.runs.mistakes import what_was_raised
from disent.shipped import zoo_run

EPOCHS = ("max_epochs", "min_epochs", "limit_train_batches", "check_val_every_n_epoch")
EPOCHS += ("val_check_interval", "reload_dataloaders_every_n_epochs")


@dataclass(frozen=True)
class Built:
    """The objects that a config describes."""

    model: Model
    dataset: PictureDataset
    loader: FactorDataModule
    trainer: dict[str, Any]  # arguments of Lightning's Trainer


@dataclass
class FitConfig:
    """The options of one run. config.yaml holds what `dump` gives.

    Attributes:
        model: class_path and init_args.
        data: class_path and init_args.
        trainer: Arguments of Lightning's Trainer.
        seed: --seed_everything.
    """

    model: dict[str, Any]
    data: dict[str, Any]
    loader: LoaderOptions
    trainer: dict[str, Any]
    seed: int
    fast: bool
    run: str | None
    runs: str
    again: bool
    init_from: str | None
    checkpoint_every_n_steps: int
    evaluate: EvaluateOptions
    pictures: PictureOptions
    wandb: WandbOptions
    logger: Literal["none", "wandb"] | None
    argv: list[str]
    _cli: FitCLI

    @classmethod
    def read(cls, argv: Sequence[str]) -> "FitConfig":
        """From the arguments of `disent fit`, completed.

        Raises:
            ValueError: An option is wrong; in one line.
        """
        words = as_yaml(resolve_presets(argv))
        check_classes(words)
        _check_precision(words)
        cli = FitCLI(words)
        config = cli.config
        _check_groups(config)
        for name, value in own_knobs(words, config.model.class_path).items():
            config.model.init_args[name] = value
        if isinstance(config.evaluate.metrics, str):
            config.evaluate.metrics = [n.strip() for n in config.evaluate.metrics.split(",")]
        config.trainer.precision = checked_precision(config.trainer.precision)
        _check_steps(config.trainer, cli.parser.get_defaults().trainer)
        _read_places(config)
        fill_in(config.model, facts_of(config.data.as_dict(), config.seed_everything))
        groups = {name: kind(**config[name].as_dict()) for name, kind in GROUPS.items()}
        groups["evaluate"].options()  # a score that does not exist is said now
        plain = ("init_from", "fast", "run", "runs", "again", "checkpoint_every_n_steps", "logger")
        return cls(
            model=config.model.as_dict(),
            data=config.data.as_dict(),
            trainer=config.trainer.as_dict(),
            seed=config.seed_everything,
            argv=list(argv),
            _cli=cli,
            **groups,
            **{name: config[name] for name in plain},
        )

    def take_precision(self, trainer: str | None, scores: Precision) -> None:
        """Says in which arithmetic the run trains and scores."""
        self.trainer["precision"] = self._cli.config.trainer.precision = trainer
        self.evaluate.precision = self._cli.config.evaluate.precision = scores

    def dump(self) -> dict[str, Any]:
        """As it is written into the run directory."""
        return yaml.safe_load(self._cli.parser.dump(self._cli.config, skip_unset=False))

    def trainer_defaults(self) -> dict[str, Any]:
        """The trainer's arguments where nobody has said anything."""
        return vars(self._cli.parser.get_defaults().trainer)

    def build(self) -> Built:
        """Model, dataset, loader and the trainer's parts; a bad value is answered in one line."""
        try:
            made = self._cli.parser.instantiate(self._cli.config)
        except ValueError as error:
            raise ValueError(what_was_raised(error)) from error
        check_pictures(made.data)
        made.model.check_data(made.data)
        loader = FactorDataModule(made.data, seed=self.seed, **vars(self.loader))
        rehearse(made.model, loader)
        return Built(made.model, made.data, loader, dict(made.trainer))


def _check_groups(config: Any) -> None:
    """Raises ValueError where something else stands for a class, or the options of a group."""
    for name in ("model", "data", "trainer", *GROUPS):
        if not hasattr(config.get(name), "as_dict"):
            what = "a class" if name in ("model", "data") else "options by name"
            raise ValueError(f"{name}: is {config.get(name)}, but {what} must stand there.")


def _read_places(config: Any) -> None:
    """Reads paths as a shell does; those that a run needs again become absolute."""
    for section in (config.model, config.data):
        make_absolute(section)
    config.runs = str(expanded(config.runs))
    if config.init_from:
        source = zoo_run(config.init_from) or expanded(config.init_from)
        config.init_from = str(source.resolve())


def _check_precision(words: Sequence[str]) -> None:
    """Raises ValueError for a precision that is none, which the parser answers with three lists."""
    for option, value in options_of(words):
        if option == "trainer.precision" and value not in ("null", ""):
            checked_precision(value.strip("'\""))


def _check_steps(trainer: Any, defaults: Any) -> None:
    """Raises ValueError unless the length of the training is said in steps."""
    if trainer.max_steps < 1 and trainer.max_steps != defaults.max_steps:
        raise ValueError(
            f"--trainer.max_steps is {trainer.max_steps}, but a number from 1 on is wanted."
        )
    if trainer.max_steps < 1:
        raise ValueError(
            "the number of steps is not said. Take a preset (--config quickstart), "
            "or add --trainer.max_steps 10000."
        )
    for name in EPOCHS:
        value, usual = getattr(trainer, name), getattr(defaults, name)
        if value not in (None, usual):
            # where whole numbers and fractions are allowed, either may come: 2 or 2.0
            said = f"{value:g}" if isinstance(value, float) else value
            raise ValueError(
                f"--trainer.{name} is {said}, but it counts epochs or batches of one, and a run "
                "is counted in steps: leave it out, and say --trainer.max_steps."
            )
