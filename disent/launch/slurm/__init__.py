# SPDX-License-Identifier: Apache-2.0
"""A sweep as a Slurm job array: scripts, profiles, ranks and requeueing."""
