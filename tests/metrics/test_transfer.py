# SPDX-License-Identifier: Apache-2.0
import pytest
import torch

from disent.metrics.transfer import prediction_errors


def test_a_code_that_bends_beyond_its_rows_is_misread_there():
    """The code is the factor up to 5 and stays there: at 6 and 7 the line says 5."""
    factor = torch.arange(8)
    codes = factor.clamp(max=5).float()[:, None]
    found = prediction_errors(codes, factor[:, None], fitted_on=factor <= 5)
    assert found.fitted.item() == pytest.approx(0, abs=1e-9)
    assert found.others.item() == pytest.approx(((1**2 + 2**2) / 2) ** 0.5)


def test_rows_are_wanted_on_both_sides():
    codes, factors = torch.rand(4, 1), torch.arange(4)[:, None]
    for side in (True, False):
        with pytest.raises(ValueError, match="both sides"):
            prediction_errors(codes, factors, fitted_on=torch.full((4,), side))
