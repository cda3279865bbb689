# SPDX-License-Identifier: Apache-2.0
# pyright: reportMissingImports=false, reportAttributeAccessIssue=false
"""Seconds of three scores of an untrained network by the published package disent 0.8.0.

Its own defaults: MIG of 10,000 pictures, DCI of 10,000 and 5,000 with scikit-learn's gradient
boosting, FactorVAE of 10,000 and 5,000 batches of 64; each encodes its own pictures.
"""

import operators  # noqa: F401  # first, see there

# isort: split
import time

import torch
from network import arranged
from run_nmichlo import beta_vae, pictures
from stopwatch import arguments, tell
from torch import Tensor

from disent.metrics import metric_dci, metric_factor_vae, metric_mig

if __name__ == "__main__":
    asked = arguments()
    model, dataset = beta_vae(), pictures(asked.pictures)
    arranged(model, asked.channels_last).eval()

    def codes(x: Tensor) -> Tensor:
        with torch.no_grad():
            return model.encode(x)

    seconds = {}
    for name, score in (
        ("mig", metric_mig),
        ("factor_vae", metric_factor_vae),
        ("dci", metric_dci),
    ):
        begun = time.perf_counter()
        score(dataset, codes)
        seconds[name] = time.perf_counter() - begun
    tell({**seconds, "mig_10k": seconds["mig"], "all": sum(seconds.values())})
