# SPDX-License-Identifier: Apache-2.0
"""Seconds of three scores of an untrained network, as this suite works them out by default.

Every picture is encoded once, and each score is worked out from the codes. A score's seconds
contain the encoding of all 737,280 pictures; "all" contains it once.
"""

import time

from stopwatch import arguments, tell

from disent.codes import CodeTable
from disent.data import DSprites
from disent.memory import keep_freed_memory
from disent.metrics import dci, factor_vae_score, mig
from disent.models import BetaVAE
from disent.networks import Burgess2018

if __name__ == "__main__":
    arguments()
    keep_freed_memory()  # as our commands do
    begun = time.perf_counter()
    table = CodeTable.encode(BetaVAE(network=Burgess2018), DSprites())
    encoding, seconds = time.perf_counter() - begun, {}
    scores = {
        "mig": lambda: mig(table.means, table.factors),
        "dci": lambda: dci(table.means, table.factors),
        "factor_vae": lambda: factor_vae_score(table.means, table.grid),
    }
    for name, score in scores.items():
        begun = time.perf_counter()
        score()
        seconds[name] = time.perf_counter() - begun
    whole = encoding + sum(seconds.values())
    tell({**{name: encoding + s for name, s in seconds.items()}, "all": whole, "encode": encoding})
