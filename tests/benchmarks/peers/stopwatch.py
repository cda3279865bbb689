# SPDX-License-Identifier: Apache-2.0
"""What every program of the comparison is asked for, and what it answers: one line of JSON.

It runs in each peer's environment, too, and therefore needs nothing but the standard library.
"""

import argparse
import json
import resource
import sys
import time
from collections import deque
from pathlib import Path

AVERAGED = 50  # last steps, whose mean loss is told


def arguments() -> argparse.Namespace:
    """The program's arguments; each uses those that concern it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pictures", type=Path, required=True, help="uint8 .npy, 0 and 255")
    parser.add_argument("--begun", type=float, default=time.time(), help="when it was started")
    parser.add_argument("--warm", type=int, default=50, help="steps before those that are timed")
    parser.add_argument("--steps", type=int, default=500, help="steps that are timed")
    parser.add_argument("--workers", type=int, default=0, help="processes that load pictures")
    parser.add_argument("--channels-last", action="store_true", help="memory layout of the network")
    parser.add_argument("--eager", action="store_true", help="the bare loop without a compiler")
    parser.add_argument("--options", default="", help="more of disent fit's own")
    return parser.parse_args()


class Stopwatch:
    """Times a loop from inside.

    Args:
        begun: When the process was started, in seconds of time.time().
        warm: Steps that are left out of the speed.
    """

    def __init__(self, begun: float, warm: int) -> None:
        self.begun, self.warm = begun, warm
        self.first_step_s = float("nan")
        self._start = self._last = (0, 0.0)  # step, seconds
        self._losses: deque[float] = deque(maxlen=AVERAGED)

    def step(self, number: int, loss: float) -> None:
        """Notes that step `number`, counted from 1, is done; the loss is in nats per image."""
        now = time.perf_counter()
        if self._last[0] == 0:
            self.first_step_s = time.time() - self.begun
        if number <= self.warm or self._start[0] == 0:
            self._start = (number, now)
        self._last = (number, now)
        self._losses.append(loss)

    def figures(self, parameters: int) -> dict[str, float]:
        """What was measured; `parameters` is how many the network has."""
        steps, seconds = (last - start for last, start in zip(self._last, self._start, strict=True))
        return {
            "first_step_s": self.first_step_s,
            "steps_per_s": steps / seconds if steps else float("nan"),
            "peak_mb": peak_mb(),
            "parameters": parameters,
            "loss": sum(self._losses) / len(self._losses),
        }


def peak_mb() -> float:
    """Largest resident memory of this process so far, in MB (1e6 bytes), without the pictures.

    The pictures' files are mapped, by everyone; what is resident of them is the system's cache,
    and grows with every step. From /proc where there is one: a maximum of getrusage begins with
    that of the parent.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return (int(lines["VmHWM"].split()[0]) - _mapped_pictures()) * 1024 / 1e6


def _mapped_pictures() -> int:
    """How much of the pictures' files is resident, in units of 1024 bytes."""
    total, counted = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        first, *rest = line.split(maxsplit=5)
        if not first.endswith(":"):
            counted = len(rest) == 5 and "dsprites" in Path(rest[4]).name
        elif first == "Rss:" and counted:
            total += int(rest[0])
    return total


def tell(figures: dict[str, float]) -> None:
    """Prints the answer on a line of its own, whatever a progress bar has left on the last."""
    print(f"\n{json.dumps(figures)}", flush=True)
