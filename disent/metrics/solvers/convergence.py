# SPDX-License-Identifier: Apache-2.0
"""What an iterative solver says when it gives up."""


class NotConverged(ValueError):  # noqa: N818 - says what happened
    """A solver did not reach its optimum: the score does not exist for these codes."""
