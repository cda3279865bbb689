# SPDX-License-Identifier: Apache-2.0
"""python -m tests.faults --inputs 10000 --seed 0: damaged files of every kind, and what came."""

import argparse
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.faults.attempt import little_memory
from tests.faults.every import EVERY, shares
from tests.faults.kinds import HARMLESS, tried

COLUMNS = ("result", "refused", "pages", "traceback", "left", "hang", "code")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=500, help="of all kinds together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", default="", help="only these, with commas between")
    parser.add_argument("--show", type=int, default=3, help="faults of a kind that are told")
    given = parser.parse_args()
    only = [name for name in given.kinds.split(",") if name]
    kinds = [kind for kind in EVERY if not only or kind.name in only]
    total = Counter[str]()
    print(f"{'kind':22}{'inputs':>8}" + "".join(f"{name:>10}" for name in COLUMNS) + f"{'s':>8}")
    with tempfile.TemporaryDirectory() as folder, little_memory():
        for kind, inputs in shares(kinds, given.inputs):
            start = time.monotonic()
            found = tried(kind, inputs, given.seed, Path(folder) / kind.name)
            counts = Counter(outcome.what for _, _, outcome in found)
            seconds = time.monotonic() - start
            print(_row(kind.name, inputs, counts, seconds), flush=True)
            total += counts
            faults = {f"{o.what}: {o.told[:300]}": f"{kind.name} {n} ({done})"
                      for n, done, o in found if o.what not in HARMLESS}  # fmt: skip
            for what, where in list(faults.items())[: given.show]:
                print(f"  {where} {what}", flush=True)
    print(_row("all", sum(total.values()), total, None))
    return int(any(total[what] for what in COLUMNS if what not in HARMLESS))


def _row(name: str, inputs: int, counts: Counter[str], seconds: float | None) -> str:
    cells = "".join(f"{counts[column]:>10,}" for column in COLUMNS)
    return f"{name:22}{inputs:>8,}{cells}" + ("" if seconds is None else f"{seconds:>8.1f}")


if __name__ == "__main__":
    raise SystemExit(main())
