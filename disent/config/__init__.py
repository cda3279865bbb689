# SPDX-License-Identifier: Apache-2.0
"""What a run was told: the options of `disent fit`, presets, names, and how configs compare."""
