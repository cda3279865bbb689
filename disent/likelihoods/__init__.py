# SPDX-License-Identifier: Apache-2.0
"""Likelihoods p(x|z): log-probability of a picture in nats, summed over its pixels."""

from disent.likelihoods.bernoulli import Bernoulli
from disent.likelihoods.gaussian import FixedGaussian, LearnedGaussian

__all__ = ["Bernoulli", "FixedGaussian", "LearnedGaussian"]
