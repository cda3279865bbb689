# SPDX-License-Identifier: Apache-2.0
"""Trains a beta-VAE by `disent fit`, with all that it does in a training: log, checkpoints, guard.

The stopwatch is one more callback. Scores and pictures at the end are left out.
"""

import json
import shlex
import sys
import tempfile

from network import BATCH, BETA, LATENTS, LR
from stopwatch import arguments

from disent.cli.main import main

if __name__ == "__main__":
    asked = arguments()
    watch = {"class_path": "watch.Watch", "init_args": {"begun": asked.begun, "warm": asked.warm}}
    with tempfile.TemporaryDirectory() as folder:
        status = main(
            [
                "fit",
                *("--model", "BetaVAE", f"--model.beta={BETA}", f"--model.lr={LR}"),
                *("--model.network=Burgess2018", f"--model.latent_dim={LATENTS}"),
                *("--data=DSprites", f"--loader.batch_size={BATCH}"),
                *("--trainer.accelerator=cpu", f"--trainer.max_steps={asked.warm + asked.steps}"),
                *("--trainer.callbacks", json.dumps([watch])),
                *("--evaluate.at_end=false", "--pictures.at_end=false", f"--runs={folder}"),
                *shlex.split(asked.options),
            ]
        )
    sys.exit(status)
