# SPDX-License-Identifier: Apache-2.0
"""The suite's own options of `disent fit`, with their types and defaults."""
# jsonargparse makes its types at run time
# pyright: reportInvalidTypeForm=false

from dataclasses import dataclass
from typing import Literal

from jsonargparse.typing import NonNegativeInt, PositiveFloat, PositiveInt

from disent.evaluation.options import Codes, Options, Precision

DEFAULT = Options()


@dataclass
class EvaluateOptions:
    """Which scores, and when.

    Attributes:
        metrics: names of scores with commas between, as in disent.metrics, or: all
        codes: what represents a picture: the mean of its posterior, or a sample of it
        repeats: draw what is drawn so many times; gives mean and spread
        every_n_steps: steps between two evaluations while training; 0: none
        points: while training, thin the grid to at most so many points
        at_end: score the trained model over the whole grid
        precision: of the encoder's arithmetic (default: float32; with --fast bfloat16, too)
    """

    metrics: list[str] | str = DEFAULT.metrics  # type: ignore[assignment]
    codes: Codes = DEFAULT.codes
    repeats: PositiveInt = DEFAULT.repeats
    every_n_steps: NonNegativeInt = 0
    points: PositiveInt = 50_000
    at_end: bool = True
    precision: Precision | None = None

    def options(self, points: int | None = None) -> Options:
        """As an evaluation takes them; ValueError for a score that does not exist."""
        names = self.metrics.split(",") if isinstance(self.metrics, str) else self.metrics
        precision = self.precision or DEFAULT.precision
        return Options(names, self.codes, DEFAULT.seed, self.repeats, points, precision)


@dataclass
class PictureOptions:
    """When a model is drawn.

    Attributes:
        every_n_steps: steps between two sets of pictures while training; 0: none
        film_every_n_steps: steps between two frames of a film of the training; 0: no film
        at_end: draw the trained model
    """

    every_n_steps: NonNegativeInt = 0
    film_every_n_steps: NonNegativeInt = 0
    at_end: bool = True


@dataclass
class WandbOptions:
    """How Weights & Biases is used, where it is.

    Attributes:
        project: where WANDB_PROJECT does not say
        on_failure: what to do if W&B cannot be reached
        timeout: seconds to wait for W&B, at the start and at the end
        checkpoints: upload the last and best ones
    """

    project: str = "disent"
    on_failure: Literal["continue", "stop"] = "continue"
    timeout: PositiveFloat = 60.0
    checkpoints: bool = False


@dataclass
class LoaderOptions:
    """How batches are drawn.

    Attributes:
        batch_size: pictures per step, of all devices together
        sampling: iid: uniform with replacement for ever; shuffled: a permutation per epoch
        held_out: condition on the factors of the pictures that are never trained on, such as
            "12 <= pos_x < 20", or a named split, as "schott:extrapolation"; none: trains on all
        correlated: two factors that go together in training, such as "pos_x ~ pos_y : 0.2", whose
            distance has this standard deviation as a share of their range; none: all alike
    """

    batch_size: int = 64
    sampling: Literal["iid", "shuffled"] = "iid"
    held_out: str | None = None
    correlated: str | None = None
