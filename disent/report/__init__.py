# SPDX-License-Identifier: Apache-2.0
"""The report of many runs as one HTML file."""

from disent.report.page import write_report

__all__ = ["write_report"]
