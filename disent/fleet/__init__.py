# SPDX-License-Identifier: Apache-2.0
"""Many runs trained as one program: stacked weights, one batch and one noise for each member."""

from disent.fleet.checkpoints import join, part
from disent.fleet.loader import FleetData
from disent.fleet.member import Member
from disent.fleet.stack import Stack

__all__ = ["FleetData", "Member", "Stack", "join", "part"]
