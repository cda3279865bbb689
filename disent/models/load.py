# SPDX-License-Identifier: Apache-2.0
"""From a run directory back to its trained model."""

import os
from typing import Any

from disent.runs.run import Run


def load_run(path: str | os.PathLike[str], *, best: bool = False) -> Any:
    """The trained model of the run in a folder, in eval mode, on the CPU; see `Run.model`."""
    return Run.load(path).model(best=best)
