# SPDX-License-Identifier: Apache-2.0
"""Sixteen processes that want the same array at once."""

import subprocess
import sys
import time
from pathlib import Path

from disent.data import files

# loads the one file, without the packages that its folder imports, so that processes start at once
RACE = """
import importlib.util, os, sys, time
from pathlib import Path
spec = importlib.util.spec_from_file_location("files", sys.argv[1])
files = importlib.util.module_from_spec(spec)
spec.loader.exec_module(files)
folder = Path(os.environ["DISENT_DATA_DIR"])

def fill(array):
    (folder / f"made-by-{os.getpid()}").touch()
    time.sleep(0.3)
    array[:] = os.getpid() % 256

(folder / f"ready-{os.getpid()}").touch()
while not (folder / "go").exists():
    time.sleep(0.01)
array = files.stored("race", (64, 1000), fill)
print(set(array.flatten().tolist()))
"""


def test_sixteen_processes_at_once_make_one_file(tmp_path, monkeypatch):
    folder: Path = tmp_path
    monkeypatch.setenv("DISENT_DATA_DIR", str(folder))
    command = [sys.executable, "-c", RACE, files.__file__]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(16)]
    deadline = time.monotonic() + 120
    while len(list(folder.glob("ready-*"))) < 16 and time.monotonic() < deadline:
        time.sleep(0.01)
    (folder / "go").touch()
    read = {process.communicate(timeout=120)[0].strip() for process in processes}
    assert [process.returncode for process in processes] == [0] * 16
    makers = [int(path.name.split("-")[-1]) for path in folder.glob("made-by-*")]
    assert len(makers) == 1
    assert read == {str({makers[0] % 256})}
    assert not list(folder.glob(".*.tmp"))
