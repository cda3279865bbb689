# SPDX-License-Identifier: Apache-2.0
"""What a code holds, beside its scores: rates, information, and how factors can be read from it."""

from typing import Any

from disent.codes import CodeTable
from disent.evaluation.encoded import PROTOCOL_POINTS, labelled_rows
from disent.gaussian import ACTIVE
from disent.metrics.bounds import check_information
from disent.metrics.information import factor_entropy, mutual_information
from disent.metrics.linear import linear_r2, single_r2
from disent.metrics.samples import draw

BINS = 20


def describe(table: CodeTable, seed: int) -> dict[str, Any]:
    """The rate of each latent, and what the code tells of each factor.

    Where there is no rate, the mean and the variance of each latent's code over the pictures stand
    beside: `code_means` and `code_variances`.
    """
    return _rates(table) | (_factors(table, seed) or {"factors": {}})


def _rates(table: CodeTable) -> dict[str, Any]:
    rate = table.rates
    if rate is not None:
        return {
            "rate": float(rate.sum()),
            "rates": rate.tolist(),
            "active_latents": int((rate > ACTIVE).sum()),
        }
    means = table.means.double()
    return {
        "rate": None,
        "rates": None,
        "active_latents": None,
        "code_means": means.mean(0).tolist(),
        "code_variances": means.var(0, correction=0).tolist(),
    }


def _factors(table: CodeTable, seed: int) -> dict[str, Any] | None:
    """The matrices of information and of squared correlation, of posterior means.

    Information is of all labelled rows, and, as `information_estimated`, of 10,000 rows drawn with
    replacement, which counting biases upwards. None without labels.
    """
    rows = labelled_rows(table)
    if rows is None or table.factors is None:
        return None
    means, labels = table.means, table.factors
    if len(rows) < len(table):
        means, labels = means[rows], labels[rows]
    information = mutual_information(means, labels, BINS)
    entropy = factor_entropy(labels)
    check_information(information, entropy)
    sample = draw(means, labels, PROTOCOL_POINTS, seed=seed)[0]
    estimated = mutual_information(sample.codes, sample.factors, BINS)
    check_information(estimated, factor_entropy(sample.factors))
    single, whole = single_r2(means, labels), linear_r2(means, labels)
    share = information / entropy.clamp(min=1e-12)[:, None]
    return {
        "bins": BINS,
        "factor_entropy": entropy.tolist(),
        "information": information.tolist(),
        "information_estimated": estimated.tolist(),
        "single_r2": single.tolist(),
        "factors": {
            name: {
                "linear_r2": float(whole[k]),
                "single_r2": float(single[k].max()),
                "single_r2_latent": int(single[k].argmax()),
                "information": float(share[k].max()),
                "information_latent": int(share[k].argmax()),
            }
            for k, name in enumerate(table.names)
        },
    }
