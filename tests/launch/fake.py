# SPDX-License-Identifier: Apache-2.0
"""A program that behaves as `disent fit` does towards a sweep, in a fraction of a second.

It counts to --steps, a log row each; saves its count on SIGTERM or SIGUSR1 and goes on from there;
fails with --fail=true until the file `mended` lies beside its run. Every start leaves a line in
starts.txt.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from disent.runs.directory import RunDir

ROOT = Path(__file__).parents[2]
COMMAND = ["python", "-m", "tests.launch.fake", "${args}"]


def wait_for(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Until something has happened; fails where it does not."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def main() -> None:
    given = dict(pair.lstrip("-").split("=") for pair in sys.argv[1:] if "=" in pair)
    runs, name = sys.argv[sys.argv.index("--runs") + 1], sys.argv[sys.argv.index("--run") + 1]
    run, stopped = RunDir(Path(runs) / name), []
    for signum in (signal.SIGTERM, signal.SIGUSR1):
        signal.signal(signum, lambda signum, frame: stopped.append(signum))
    run.path.mkdir(parents=True, exist_ok=True)
    with (run.path.parent / "starts.txt").open("a") as stream:
        stream.write(f"{name} {os.environ.get('OMP_NUM_THREADS')} {os.getpid()}\n")
    if given.get("fail") == "true" and not (run.path.parent / "mended").exists():
        run.write_status("failed", reason="it was told to")
        print("disent: error: it was told to", file=sys.stderr)
        sys.exit(1)
    with run.lock():
        run.write_status("running")
        count = run.path / "count"
        done = int(count.read_text()) if count.exists() else 0
        for step in range(done + 1, int(given.get("steps", 3)) + 1):
            time.sleep(float(given.get("wait", 0.01)))
            run.append_row(run.metrics, {"step": step, "loss": float(given.get("x", 1)) / step})
            run.write_text(count, str(step))
            if stopped:
                signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # told once more, it still ends well
                requeued = stopped[0] == signal.SIGUSR1
                run.write_status("requeued" if requeued else "failed", reason="interrupted")
                sys.exit(85 if requeued else 128 + stopped[0])
        run.write_status("finished")


if __name__ == "__main__":
    try:
        main()
    except BlockingIOError:
        sys.exit(75)
