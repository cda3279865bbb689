# SPDX-License-Identifier: Apache-2.0
"""Looking into one model: what each latent carries, and pictures of it."""
