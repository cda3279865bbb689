# SPDX-License-Identifier: Apache-2.0
"""From nothing to the first step of `disent fit`: seconds, processor seconds and memory, by part.

Processor seconds are of the whole process; they tell more than seconds where others compute, too.
The parts are cumulative: each loads what the one before it loads. (On Linux, which tells the peak.)

Run: python -m tests.benchmarks start
"""

import statistics
import subprocess
import sys
import tempfile
import time

ROUNDS = 3
FIT = (
    "from disent.cli.main import main; assert not main(['fit', '--config', 'quickstart', "
    "'--trainer.max_steps', '1', '--evaluate.at_end', 'false', '--pictures.at_end', 'false', "
    "'--runs', sys.argv[1]])"
)
PROGRAMS = {
    "import torch": "import torch",
    "and Lightning": "import lightning.pytorch",
    "and all of a training": "import disent.training.start",
    "and one step, saved": FIT,
    "sweep workers": "import disent.launch.workers.workers",
}
TELL = """
import time
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(time.process_time(), int(status["VmHWM"].split()[0]) * 1024 / 1e6)
"""
ASKED = {"and one step, saved": "3 s, two cores"}


def rows() -> list[tuple[str, str, str]]:
    """(what, figure, what was asked for); medians of ROUNDS, of which each runs all programs."""
    rounds = [{name: _run(text) for name, text in PROGRAMS.items()} for _ in range(1 + ROUNDS)][1:]
    found = []
    for name in PROGRAMS:
        wall, own, peak = (
            statistics.median(c) for c in zip(*(r[name] for r in rounds), strict=True)
        )
        figure = f"{wall:.1f} s, of processor {own:.1f} s, peak {peak:.0f} MB"
        found.append((name, figure, ASKED.get(name, "-")))
    return found


def _run(text: str) -> tuple[float, float, float]:
    """Seconds, processor seconds, and the largest resident memory in MB (1e6 bytes)."""
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", f"import sys\n{text}\n{TELL}", folder],
            capture_output=True,
            text=True,
            check=True,
        )
        wall = time.perf_counter() - begun
    own, peak = (float(word) for word in done.stdout.split()[-2:])
    return wall, own, peak
