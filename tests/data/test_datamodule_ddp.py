# SPDX-License-Identifier: Apache-2.0
import atexit
import multiprocessing
import os

import pytest
import torch
from lightning.pytorch import Callback

from tests.data.probe import fit, module


class LeaveAtOnce(Callback):
    """Threads of gloo abort, now and then, a rank that ends in order; see disent/cli/main.py."""

    def teardown(self, trainer, pl_module, stage):
        if multiprocessing.parent_process() is not None:
            atexit.register(os._exit, 0)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.isinstance.treespec, LeafSpec:FutureWarning")
def test_two_processes_learn_what_one_learns():
    one = fit(module("shuffled"))
    two = fit(module("shuffled"), LeaveAtOnce(), strategy="ddp_spawn", devices=2)
    for ours, theirs in zip(two.parameters(), one.parameters(), strict=True):
        # the mean over a batch is taken as the mean of two means
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)
    other = fit(module("shuffled", seed=1))
    assert not torch.allclose(next(other.parameters()), next(one.parameters()), atol=1e-3)
