# SPDX-License-Identifier: Apache-2.0
"""Packages of hundreds of thousands of objects, loaded in less time."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading(package: str) -> Iterator[None]:
    """Keeps Python's collector from searching what is loaded in the block, then and later.

    What PyTorch and Lightning make when they are imported stays to the end of the process. The
    collector looks through it again and again while it grows, which takes a quarter of the time.
    It concerns the whole process, and is therefore called by commands. Where the package is loaded
    already, nothing happens.

    Args:
        package: The one that is large, such as "torch".
    Example:
        >>> import decimal, gc
        >>> with loading("decimal"):  # is loaded
        ...     gc.isenabled()
        True
    """
    if package in sys.modules or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
