# SPDX-License-Identifier: Apache-2.0
"""Members go on alone and runs go on in a fleet; a member that breaks leaves the others alone."""

import pandas as pd
import pytest
import torch

from disent.callbacks.guard import Guard, NotFiniteError
from disent.callbacks.record import Record
from disent.fleet import Stack, join
from disent.models import VAE
from disent.networks import Burgess2018
from tests.fleet.both import (
    MIXED,
    alone,
    deviation,
    fit,
    logged,
    member,
    run_of,
    small,
    together,
    weights,
)
from tests.tiny import Breaks

pytestmark = pytest.mark.filterwarnings("ignore:the rate is", "ignore:the rate, ")


@pytest.mark.slow
@pytest.mark.parametrize("batched", [False, True])
def test_runs_go_on_in_a_fleet_and_members_alone(batched, tmp_path):
    """Through a fleet and out again, with optimizer, place in the data, noise and best elbo."""
    one, other = tmp_path / "alone", tmp_path / "mixed"
    alone(one, MIXED, 60, network=small)
    alone(other, MIXED, 20, network=small)
    together(other, MIXED, 45, network=small, batched=batched)
    alone(other, MIXED, 60, network=small)
    for i in range(len(MIXED)):
        assert deviation(one, other, i) < (1e-5 if batched else 1e-12)
        pd.testing.assert_frame_equal(logged(one, i), logged(other, i), rtol=1e-4, atol=1e-3)
        assert weights(one, i, "best").keys() == weights(other, i, "best").keys()
        assert run_of(other, i).status()["step"] == 60


@pytest.mark.parametrize("batched", [False, True])
def test_weights_in_the_layout_of_the_convolutions_go_on_too(batched, tmp_path):
    """Fused Adam reads its state in the order of the memory: strides must come along."""
    one, other = tmp_path / "alone", tmp_path / "mixed"
    alone(one, MIXED[:2], 4, network=Burgess2018, every=2)
    together(other, MIXED[:2], 2, network=Burgess2018, every=2, batched=batched)
    alone(other, MIXED[:2], 4, network=Burgess2018, every=2)
    tolerance = 1e-2 if batched else 1e-12  # a wrong order would give 1
    assert max(deviation(one, other, i) for i in range(2)) < tolerance


@pytest.mark.parametrize("batched", [False, True])
def test_a_member_that_breaks_is_left_and_the_others_go_on(batched, tmp_path):
    one, other = tmp_path / "alone", tmp_path / "together"
    makes = [MIXED[1], Breaks, MIXED[3]]
    for i in (0, 2):
        single = member(makes[i], i, network=small)
        fit(single.model, single.data, [Guard(), Record(run_of(one, i), 20)], 60, None)
    broken = member(Breaks, 1, network=small)
    with pytest.raises(NotFiniteError) as error:
        fit(broken.model, broken.data, [Guard(), Record(run_of(one, 1), 20)], 60, None)
    record = together(other, makes, 60, network=small, batched=batched)
    assert list(record.failed) == ["member1"]
    assert "the loss is nan at step 30" in str(record.failed["member1"])
    statuses = [run_of(folder, 1).status() for folder in (one, other)]
    assert [status["state"] for status in statuses] == ["failed", "failed"]
    assert [status["step"] for status in statuses] == [30, 30]
    assert statuses[0]["reason"] == f"NotFiniteError: {error.value}"
    for i in range(3):  # the broken one: as it was at its last checkpoint
        assert deviation(one, other, i) < (1e-5 if batched else 1e-12)
        pd.testing.assert_frame_equal(logged(one, i), logged(other, i), rtol=1e-4, atol=1e-3)


def test_a_fleet_without_members_left_stops(tmp_path):
    record = together(tmp_path, [Breaks, Breaks], 10_000, network=small)
    assert list(record.failed) == ["member0", "member1"]


def test_checkpoints_of_different_steps_are_refused(tmp_path):
    alone(tmp_path, MIXED[:1], 2, every=2, network=small)
    alone(tmp_path, MIXED[:2], 4, every=2, network=small)
    first = torch.load(run_of(tmp_path, 0).last, weights_only=True)
    parts = [first, {**first, "global_step": 2}]
    stack = Stack([make(network=small) for make in MIXED[:2]])
    with pytest.raises(ValueError, match=r"checkpoints of steps \[2, 4\] came"):
        join(parts, stack, {})


def test_models_that_ask_for_other_batches_are_refused():
    models = [MIXED[0](network=small), MIXED[1](network=small, latent_dim=3)]
    with pytest.raises(ValueError, match="members of a fleet ask for the same batches, but views"):
        Stack(models)


@pytest.mark.parametrize("more", [{"lr": 1e-3}, {"optimizer": "adagrad"}])
def test_only_models_of_one_kind_share_kernels(more):
    models = [MIXED[0](network=small), MIXED[0](network=small), VAE(network=small, **more)]
    assert [part.members for part in Stack(models, batched=True).parts] == [[0, 1], [2]]
