# SPDX-License-Identifier: Apache-2.0
"""Many runs: sweep files, drained on this machine or by a cluster. Nothing here imports torch."""
