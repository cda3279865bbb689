# SPDX-License-Identifier: Apache-2.0
"""Which way a score, or what is logged of a step, is better."""

# of all other scores, and of elbo, more is better
LESS = frozenset(
    {"loss", "distortion", "squared_error", "gaussian_total_correlation", "mutual_info_score"}
    | {"gaussian_wasserstein_correlation", "fairness"}
)
NEITHER = frozenset({"active_units", "elbo_decomposition"})  # they describe a code


def is_better(name: str, value: float, other: float) -> bool | None:
    """Whether one value of a score is better than another; None where neither way is.

    Example:
        >>> is_better("dci.completeness", 0.5, 0.4), is_better("loss", 0.5, 0.4)
        (True, False)
        >>> is_better("active_units", 3, 2)
    """
    score = name.partition(".")[0]
    if score in NEITHER:
        return None
    return value < other if score in LESS else value > other
