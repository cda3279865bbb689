# SPDX-License-Identifier: Apache-2.0
"""Freed memory stays with the process, and is not faulted in again."""

import subprocess
import sys

import pytest

COUNT = """
import resource, sys, torch
from disent.memory import keep_freed_memory
torch.set_num_threads(1)
if sys.argv[1] == "keep":
    assert keep_freed_memory()
faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    torch.ones(2**24)
before = faults()
for _ in range(10):
    torch.ones(2**24)  # 64 MiB: 16,384 pages of 4 KiB
print(faults() - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc only")
def test_buffers_are_reused_instead_of_faulted_in():
    def faults(how: str) -> int:
        command = [sys.executable, "-c", COUNT, how]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    kept, returned = faults("keep"), faults("return")
    assert kept < 100
    if returned > 1000:  # unless something else already keeps memory, such as another allocator
        assert kept < returned / 10
