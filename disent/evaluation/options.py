# SPDX-License-Identifier: Apache-2.0
"""What an evaluation is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import disent.metrics
from disent.metrics.base import Score, wants

Codes = Literal["mean", "sampled"]
Precision = Literal["float32", "bfloat16"]

# What costs minutes, and is not meant by "all".
BY_NAME_ONLY = {"downstream", "fairness", "log_likelihood"}


@dataclass(frozen=True)
class Options:
    """How models are scored.

    Args:
        metrics: Names in disent.metrics.__all__; "all": those that cost little. log_likelihood,
            downstream and fairness cost minutes, and are to be named beside it.
        codes: What represents a picture: the mean of its posterior, or one sample of it.
        seed: Of the scores that draw, of sampled codes, and of the shuffle of the chance baseline.
        repeats: How often what is drawn is drawn anew, with seeds seed, seed + 1 ...: the score is
            the mean, its spread the standard deviation.
        points: Thin the grid to at most so many points; None: the whole grid.
        precision: Of the encoder's arithmetic; bfloat16 is faster where the processor has it, and
            moves codes by about 1 %.
        samples: K, draws from the posterior of each picture, of log_likelihood.
        pictures: At most so many, drawn at random by the seed, of log_likelihood.
        drawn: Pictures that the model draws, to be compared with the real ones; 0: none.
    """

    metrics: Sequence[str] = ("mig", "beta_vae_score")
    codes: Codes = "mean"
    seed: int = 0
    repeats: int = 1
    points: int | None = None
    precision: Precision = "float32"
    samples: int = 1000
    pictures: int = 1024
    drawn: int = 0

    def __post_init__(self) -> None:
        names = [name.strip() for name in self.metrics]
        cheap = [name for name in _every() if name not in BY_NAME_ONLY]
        names = [n for name in names for n in (cheap if name == "all" else [name])]
        object.__setattr__(self, "metrics", tuple(dict.fromkeys(names)))
        find_scores(self.metrics)
        if self.seed < 0 or self.repeats < 1 or (self.points is not None and self.points < 2):
            raise ValueError(
                f"got seed={self.seed}, repeats={self.repeats}, points={self.points}. The seed "
                "must be at least 0, repeats at least 1, points at least 2."
            )
        if self.samples < 1 or self.pictures < 2:
            raise ValueError(
                f"got samples={self.samples}, pictures={self.pictures}. log_likelihood wants at "
                "least 1 sample for each of at least 2 pictures; 1,000 for each of 1,024 is usual."
            )
        if self.drawn < 0 or self.drawn == 1:
            raise ValueError(f"got drawn={self.drawn}, but 0 or at least 2 pictures are wanted.")
        if self.codes not in ("mean", "sampled") or self.precision not in ("float32", "bfloat16"):
            raise ValueError(
                f"got codes={self.codes!r}, precision={self.precision!r}. Codes are 'mean' or "
                "'sampled'; the precision is 'float32' or 'bfloat16'."
            )

    @property
    def of_one_run(self) -> dict[str, Score]:
        """The scores that judge one model."""
        return self._scores(between=False)

    @property
    def between_runs(self) -> dict[str, Score]:
        """The scores that compare several models."""
        return self._scores(between=True)

    def _scores(self, *, between: bool) -> dict[str, Score]:
        scores = find_scores(self.metrics)
        return {k: v for k, v in scores.items() if ("codes_of_runs" in wants(v)) == between}


def find_scores(names: Sequence[str]) -> dict[str, Score]:
    """The scores of disent.metrics by name; raises ValueError naming those that exist."""
    every = _every()
    unknown = sorted(set(names) - set(every))
    if unknown or not names:
        raise ValueError(
            f"there is no metric {', '.join(unknown) or '(an empty list came)'}. "
            f"The metrics are: {', '.join(every)}; or: all."
        )
    return {name: every[name] for name in names}


def _every() -> dict[str, Score]:
    """All scores, by name."""
    return {name: getattr(disent.metrics, name) for name in disent.metrics.__all__}
