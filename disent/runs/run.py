# SPDX-License-Identifier: Apache-2.0
"""A run directory, and the way from it to its parts: config, model, step, dataset."""

import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from disent.files import expanded
from disent.runs.build import make_part
from disent.runs.classes import NoSuchModuleError, class_paths
from disent.runs.directory import RunDir
from disent.runs.sources import warn_of_changes, where_kept
from disent.shipped import zoo_run

PLAYERS = ("discriminator",)  # what a stored run may leave out


@dataclass(frozen=True)
class Run:
    """One run. Reading it is cheap; its parts are made when they are asked for.

    Attributes:
        directory: Its folder.
        config: What config.yaml holds.
    Example:
        >>> run = Run.load("runs/NAME")  # doctest: +SKIP
        >>> codes = CodeTable.encode(run.model(), run.dataset())  # doctest: +SKIP
    """

    directory: RunDir
    config: dict[str, Any]

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """The run in a folder; zoo/NAME is that of the suite's zoo.

        Raises:
            FileNotFoundError: The folder is no run.
            ValueError: Its config is damaged.
        """
        run = RunDir(zoo_run(path) or expanded(path))
        if not run.config.exists():
            raise FileNotFoundError(
                f"{run.config} does not exist, so {run.path} is not a run. "
                "Give a folder that `disent fit` made, such as runs/NAME."
            )
        return cls(run, run.read_config())

    @property
    def path(self) -> Path:
        """The folder's path."""
        return self.directory.path

    def model(self, *, best: bool = False) -> Any:
        """The trained model, in eval mode, on the CPU.

        Args:
            best: Take best.ckpt instead of last.ckpt.
        Raises:
            FileNotFoundError: There is no checkpoint.
            ValueError: It is damaged, or does not fit the config.
        """
        model = self.untrained()
        weights = self.weights(model, best=best)
        try:
            model.load_state_dict(weights)
        except RuntimeError as error:
            raise ValueError(
                f"the checkpoint does not fit the model of {self.directory.config}: "
                f"{' '.join(str(error).split())}. "
                "One of the two was changed after training: restore it, or train again."
            ) from None
        return model.eval()

    def weights(self, model: Any, *, best: bool = False) -> dict[str, Any]:
        """The tensors of a checkpoint by name, on the CPU; raises as `model` does.

        Players that neither code nor draw, which a stored run may leave out, are those of `model`.
        """
        checkpoint = self.checkpoint(best=best)
        left = tuple(f"{name}." for name in PLAYERS if name in checkpoint.get("left_out", ()))
        own = {name: w for name, w in model.state_dict().items() if name.startswith(left)}
        return {**own, **checkpoint["state_dict"]}

    def untrained(self) -> Any:
        """The model with the weights that it had at step 0, in eval mode, on the CPU."""
        return self._make("model").eval()

    def dataset(self) -> Any:
        """The dataset that the run was trained on."""
        return self._make("data")

    def step(self, *, best: bool = False) -> int:
        """How many steps its checkpoint had been trained for; ValueError if it is none."""
        step = self.checkpoint(best=best).get("global_step")
        if type(step) is not int:
            raise ValueError(f"{self._file(best)} is no checkpoint of a run: it has no step.")
        return step

    def _make(self, key: str) -> Any:
        """The object that section `key` of the config describes."""
        file = self.directory.config
        if key not in self.config:
            raise ValueError(
                f"{file} has no section {key!r}. It was changed, or made by something else."
            )
        try:
            made = make_part(self.config, key)
        except ValueError as error:
            lost = class_paths(self.config[key]) if isinstance(error, NoSuchModuleError) else ()
            kept = next(filter(None, (where_kept(self.path, path) for path in lost)), "")
            raise ValueError(f"section {key!r} of {file} cannot be used: {error}{kept}") from error
        warn_of_changes(self.path, self.config)
        return made

    def _file(self, best: bool) -> Path:
        return self.directory.best if best else self.directory.last

    def checkpoint(self, *, best: bool = False) -> dict[str, Any]:
        """All that a checkpoint holds, on the CPU; raises as `model` does."""
        import torch  # here: a table of runs, and a command of the login node, go without

        file = self._file(best)
        if not file.exists():
            raise FileNotFoundError(
                f"{file} does not exist, so there is no trained model in {self.path}. "
                "Start or resume the run with the `disent fit` command that made it."
            )
        try:
            _check_packed(file)
            checkpoint = torch.load(file, map_location="cpu", weights_only=True)
        except (PermissionError, IsADirectoryError):  # nothing is wrong with the file
            raise
        except Exception as error:  # torch and zipfile meet damage with errors of ten types
            told = " ".join(f"{type(error).__name__}: {error}".split())
            raise ValueError(
                f"{file} is damaged: {told[:300]}. Take --best, or train again from an earlier "
                "copy."
            ) from None
        weights = checkpoint.get("state_dict") if isinstance(checkpoint, dict) else None
        if not isinstance(weights, dict) or not all(isinstance(name, str) for name in weights):
            raise ValueError(f"{file} is no checkpoint of a run: it has no weights by name.")
        if not isinstance(checkpoint.get("left_out", []), list):
            raise ValueError(f"{file} is no checkpoint of a run: what it left out is no list.")
        return checkpoint


def _check_packed(file: Path) -> None:
    """Raises ValueError where a checkpoint would unpack to more than it is: torch packs none."""
    if not zipfile.is_zipfile(file):
        return
    with zipfile.ZipFile(file) as archive:
        size = sum(part.file_size for part in archive.infolist())
    if size > file.stat().st_size:
        raise ValueError(f"its parts take {size:,} bytes unpacked, more than the file has")
