# SPDX-License-Identifier: Apache-2.0
"""How the process holds on to main memory."""

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # names and numbers of glibc's malloc.h
LARGEST = 2**30  # bytes


def keep_freed_memory() -> bool:
    """Lets the C library reuse freed buffers, where it would hand them back to the system.

    By default glibc maps every buffer of more than a few MB anew and unmaps it when it is freed, so
    each step of training on a CPU pays for the page faults of all its activations: measured on 2
    cores, steps of batch 64 took 1.6 times and encoding 2.3 times as long. It concerns the whole
    process and is therefore called by commands, never by importing a module.

    Returns:
        Whether it took effect; False on systems without glibc, where nothing happens.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return all(mallopt(name, LARGEST) == 1 for name in (M_MMAP_THRESHOLD, M_TRIM_THRESHOLD))
