# SPDX-License-Identifier: Apache-2.0
"""Runs on disk: one folder each, readable and writable without torch."""

from disent.runs.directory import RunDir
from disent.runs.table import load_runs

__all__ = ["RunDir", "load_runs"]
