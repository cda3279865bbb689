# SPDX-License-Identifier: Apache-2.0
"""Drains a sweep on this machine, together with whoever shares its folder."""
