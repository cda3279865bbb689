# SPDX-License-Identifier: Apache-2.0
"""Classifiers and trees that scores are made of."""
