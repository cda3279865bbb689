# SPDX-License-Identifier: Apache-2.0
"""Scores of trained models, each beside its baselines and with all that its number depends on."""

from disent.evaluation.evaluate import evaluate
from disent.evaluation.given import GivenCodes, score_codes, score_file
from disent.evaluation.log_weights import log_weights_of
from disent.evaluation.options import Options, find_scores
from disent.evaluation.run import evaluate_run, evaluate_runs
from disent.evaluation.scores import flat_scores
from disent.evaluation.shared import Shared
from disent.evaluation.together import encode_together

__all__ = [
    "GivenCodes",
    "Options",
    "Shared",
    "encode_together",
    "evaluate",
    "evaluate_run",
    "evaluate_runs",
    "find_scores",
    "flat_scores",
    "log_weights_of",
    "score_codes",
    "score_file",
]
