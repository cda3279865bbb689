# SPDX-License-Identifier: Apache-2.0
from disent.metrics import beta_vae_score, mig
from disent.metrics.base import settings, wants


def test_what_a_score_wants_is_read_from_its_signature():
    assert wants(beta_vae_score) == ("codes", "factors")
    assert wants(mig) == ("codes", "factors")
    assert settings(beta_vae_score) == {"seed": 0, "batch": 64, "train": 10_000, "test": 5_000}
    assert settings(mig) == {"bins": 20}
