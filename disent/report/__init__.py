# SPDX-License-Identifier: Apache-2.0
"""The report of many runs as one HTML file.

Who writes one loads pandas and Jinja; `disent.report.terminal` goes without.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from disent.report.page import write_report

__all__ = ["write_report"]


def __getattr__(name: str) -> Any:
    if name == "write_report":
        from disent.report.page import write_report

        return write_report
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
