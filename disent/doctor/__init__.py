# SPDX-License-Identifier: Apache-2.0
"""Whether the suite works here: what the machine has, a tiny run, and what a GPU alone can show."""

from disent.doctor.findings import Finding, print_findings
from disent.doctor.gpu import check_gpu
from disent.doctor.machine import check_machine
from disent.doctor.trial import check_by_a_run

__all__ = ["Finding", "check_by_a_run", "check_gpu", "check_machine", "print_findings"]
