# SPDX-License-Identifier: Apache-2.0
"""Seconds of three scores of an untrained network, as this suite works them out by default.

Every picture is encoded once, and each score is worked out from the codes. A score's seconds
contain the encoding of all 737,280 pictures; "all" contains it once. MIG is also worked out as the
peer does, from 10,000 pictures.
"""

import time

import torch
from stopwatch import arguments, tell

from disent.codes import CodeTable, encode_rows
from disent.data import DSprites
from disent.memory import keep_freed_memory
from disent.metrics import dci, factor_vae_score, mig
from disent.models import BetaVAE
from disent.networks import Burgess2018

if __name__ == "__main__":
    arguments()
    keep_freed_memory()  # as our commands do
    model, dataset = BetaVAE(network=Burgess2018), DSprites()
    begun = time.perf_counter()
    rows = torch.randint(len(dataset.grid), (10_000,))
    mig(encode_rows(model, dataset, rows).means, dataset.grid.factors(rows))
    few = time.perf_counter() - begun
    begun = time.perf_counter()
    table = CodeTable.encode(model, dataset)
    encoding, seconds = time.perf_counter() - begun, {}
    factors = dataset.grid.all_factors()
    scores = {
        "mig": lambda: mig(table.means, factors),
        "dci": lambda: dci(table.means, factors),
        "factor_vae": lambda: factor_vae_score(table.means, dataset.grid),
    }
    for name, score in scores.items():
        begun = time.perf_counter()
        score()
        seconds[name] = time.perf_counter() - begun
    whole = encoding + sum(seconds.values())
    each = {name: encoding + s for name, s in seconds.items()}
    tell({**each, "mig_10k": few, "all": whole, "encode": encoding})
