# SPDX-License-Identifier: Apache-2.0
"""What every objective keeps: pure, differentiable, knobs outside the checkpoint."""

import pytest
import torch

import disent.objectives
from disent.gaussian import DiagonalGaussian
from disent.objectives.base import Objective, Terms

MEMBERS = [getattr(disent.objectives, name) for name in disent.objectives.__all__]


def terms() -> Terms:
    generator = torch.Generator().manual_seed(0)
    distortion = 100 * torch.rand(8, generator=generator)
    rate = torch.rand(8, 10, generator=generator)
    mean, logvar, noise = torch.randn(3, 8, 10, generator=generator)
    q = DiagonalGaussian(mean.requires_grad_(), logvar.requires_grad_())
    z = q.sample(noise)
    return Terms(distortion.requires_grad_(), rate.requires_grad_(), q, z, noise)


@pytest.mark.parametrize("member", MEMBERS)
class TestObjective:
    def test_is_an_objective_with_a_docstring_that_names_its_source(self, member):
        assert issubclass(member, Objective)
        assert "et al." in str(member.__doc__)
        assert "nats" in str(member.__doc__)

    @pytest.mark.parametrize("step", [0, 1, 10**6])
    def test_gradients_are_finite(self, member, step):
        given = terms()
        loss = member()(given, step)
        assert loss.shape == ()
        loss.backward()
        assert given.distortion.grad is not None
        assert given.rate.grad is not None
        assert given.distortion.grad.isfinite().all()
        assert given.rate.grad.isfinite().all()
        assert isinstance(given.posterior, DiagonalGaussian)
        codes = [tensor.grad for tensor in given.posterior]
        assert all(grad is None or grad.isfinite().all() for grad in codes)

    def test_the_step_is_all_that_it_remembers(self, member):
        fresh, used = member(), member()
        for step in range(5):
            used(terms(), step)
        assert used(terms(), 1000) == fresh(terms(), 1000)
        assert used(terms(), torch.tensor(1000)) == fresh(terms(), 1000)

    def test_what_it_tells_is_finite_and_moves_nothing(self, member):
        objective, given = member(), terms()
        loss = objective(given, 7)
        told = objective.tell(given)
        assert all(value.isfinite().all() for value in told.values())
        assert objective(given, 7) == loss

    def test_knobs_are_buffers_outside_the_checkpoint(self, member):
        objective = member()
        assert dict(objective.named_buffers())
        assert objective.state_dict() == {}

    def test_many_knobs_at_once_equal_one_by_one(self, member):
        objectives = [member(), member()]
        for buffer in objectives[1].buffers():
            buffer.mul_(2)
        _, buffers = torch.func.stack_module_state(objectives)  # pyright: ignore[reportArgumentType]

        given = terms()

        def loss(knobs):
            return torch.func.functional_call(objectives[0], knobs, (given, 7))

        stacked = torch.func.vmap(loss)(buffers)
        torch.testing.assert_close(stacked, torch.stack([o(terms(), 7) for o in objectives]))
