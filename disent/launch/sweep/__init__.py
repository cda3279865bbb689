# SPDX-License-Identifier: Apache-2.0
"""A sweep file: its parameters, its trials, and which of them come next."""
