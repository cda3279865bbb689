# SPDX-License-Identifier: Apache-2.0
"""What a code holds, beside its scores: rates, information, and how factors can be read from it."""

from typing import Any

from disent.codes import CodeTable
from disent.evaluation.encoded import PROTOCOL_POINTS, rates
from disent.gaussian import ACTIVE
from disent.metrics.bounds import check_information
from disent.metrics.information import factor_entropy, mutual_information
from disent.metrics.linear import linear_r2, single_r2
from disent.metrics.samples import draw

BINS = 20


def describe(table: CodeTable, seed: int) -> dict[str, Any]:
    """The rate of each latent, and the matrices of information and of squared correlation.

    Of posterior means. Information is of the whole table, and, as `information_estimated`, of
    10,000 rows drawn with replacement, which counting biases upwards.
    """
    rate = rates(table)
    information = mutual_information(table.means, table.factors, BINS)
    entropy = factor_entropy(table.factors)
    check_information(information, entropy)
    sample = draw(table.means, table.factors, PROTOCOL_POINTS, seed=seed)[0]
    estimated = mutual_information(sample.codes, sample.factors, BINS)
    check_information(estimated, factor_entropy(sample.factors))
    single, whole = single_r2(table.means, table.factors), linear_r2(table.means, table.factors)
    share = information / entropy.clamp(min=1e-12)[:, None]
    return {
        "rate": float(rate.sum()),
        "rates": rate.tolist(),
        "active_latents": int((rate > ACTIVE).sum()),
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
            for k, name in enumerate(table.grid.names)
        },
    }
