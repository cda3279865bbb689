# SPDX-License-Identifier: Apache-2.0
"""What happens beside training: the run's record, its guard, its bar, its scores and pictures."""
