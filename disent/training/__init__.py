# SPDX-License-Identifier: Apache-2.0
"""One run, from its config to "finished": how steps are taken, many at a time or captured."""
