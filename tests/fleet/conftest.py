# SPDX-License-Identifier: Apache-2.0
"""The sweep of three tiny runs that the commands are tested with."""

from tests.cli.conftest import sweep

__all__ = ["sweep"]
