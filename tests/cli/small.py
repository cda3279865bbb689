# SPDX-License-Identifier: Apache-2.0
"""A run of a second: the arguments, and its weights afterwards."""

from pathlib import Path

import torch

from disent.cli import fit as command
from disent.cli.main import main
from disent.stops import StopRequest

TINY = "--config locatello2019 --data tests.tiny.Squares --model.network Linear"
SMALL = (
    f"{TINY} --trainer.max_steps 60 --trainer.log_every_n_steps 10 --loader.batch_size 8 "
    "--loader.sampling shuffled --checkpoint_every_n_steps 20"
).split()
MODELS = {
    "VAE": "{class_path: disent.models.VAE}",
    "BetaVAE-beta4": "{class_path: disent.models.BetaVAE, init_args: {beta: 4.0}}",
    "AnnealedVAE-capacity5": "{class_path: disent.models.AnnealedVAE, init_args: {capacity: 5.0}}",
}
QUIET = ["--evaluate.at_end", "false", "--pictures.at_end", "false"]


def fit(folder: Path, *more: str) -> int:
    return main(["fit", *SMALL, "--runs", str(folder), *more])


def raising(*argv: str) -> None:
    """disent fit without the net that turns its errors into a line."""
    command.run(argv, StopRequest())


def weights(run: Path) -> dict[str, torch.Tensor]:
    return torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]


def assert_same_weights(a: Path, b: Path) -> None:
    one, other = weights(a), weights(b)
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
