# SPDX-License-Identifier: Apache-2.0
"""Tests that run side by side have one thread each."""

import os

if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is loaded, and for what they start
