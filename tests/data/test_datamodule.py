# SPDX-License-Identifier: Apache-2.0
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback
from lightning.pytorch.callbacks import ModelCheckpoint

from disent.data.bursts import Burst
from disent.data.datamodule import FactorDataModule
from disent.data.loader import FactorLoader
from tests.data.probe import STEPS, Probe, fit, make_trainer, module
from tests.data.tiny import Tiny, indices_of

# Lightning 2.6 asks torch 2.13 for the leaves of a batch in a way that torch will drop
pytestmark = pytest.mark.filterwarnings("ignore:.isinstance.treespec, LeafSpec:FutureWarning")


class SaveAfter(Callback):
    """Saves the checkpoint at the end of one step's batch."""

    def __init__(self, step: int, path: Path) -> None:
        self.step, self.path = step, path

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        if trainer.global_step == self.step:
            trainer.save_checkpoint(self.path)


def assert_goes_on(whole: Probe, resumed: Probe, step: int) -> None:
    assert resumed.seen == whole.seen[step:]
    for ours, theirs in zip(resumed.parameters(), whole.parameters(), strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize(
    ("sampling", "length"),
    [
        ("iid", {"max_steps": STEPS}),
        ("shuffled", {"max_steps": STEPS}),
        ("shuffled", {"max_steps": -1, "max_epochs": 3}),
    ],
)
@pytest.mark.parametrize("step", [1, 6, 10])
def test_a_resumed_run_is_the_uninterrupted_run(sampling, length, step, tmp_path):
    path = tmp_path / "stop.ckpt"
    whole = fit(module(sampling), SaveAfter(step, path), **length)
    resumed = fit(module(sampling), ckpt_path=path, **length)
    assert len(whole.seen) == STEPS
    assert_goes_on(whole, resumed, step)
    assert resumed.batch_idx == whole.batch_idx[step:]


@pytest.mark.parametrize("length", [{"max_steps": STEPS}, {"max_steps": -1, "max_epochs": 3}])
@pytest.mark.parametrize(
    ("when", "step"),
    [({"every_n_train_steps": 4}, 8), ({"every_n_train_steps": 6}, 6), ({"every_n_epochs": 1}, 12)],
)
@pytest.mark.filterwarnings("ignore:The dirpath has changed")
def test_the_checkpoints_of_lightning_resume_exactly_too(length, when, step, tmp_path):
    first, second = (
        ModelCheckpoint(tmp_path / name, "{step}", save_top_k=-1, **when) for name in ("1", "2")
    )
    whole = fit(module("shuffled"), first, **length)
    path = tmp_path / "1" / f"step={step}.ckpt"
    resumed = fit(module("shuffled"), second, ckpt_path=path, **length)
    assert_goes_on(whole, resumed, step)


def test_a_run_can_be_interrupted_twice(tmp_path):
    first, second = tmp_path / "first.ckpt", tmp_path / "second.ckpt"
    whole = fit(module("shuffled"))
    fit(module("shuffled"), SaveAfter(4, first), max_steps=4)
    fit(module("shuffled"), SaveAfter(9, second), max_steps=9, ckpt_path=first)
    assert_goes_on(whole, fit(module("shuffled"), ckpt_path=second), 9)


def test_nothing_is_drawn_ahead_of_the_step():
    class Watch(Callback):
        positions: list[int] = []  # noqa: RUF012

        def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
            self.positions.append(trainer.datamodule.position)  # pyright: ignore

    fit(module(), watch := Watch())
    assert watch.positions == list(range(1, STEPS + 1))


@pytest.mark.parametrize("limit", [4, 0.5])
def test_shortened_epochs_do_not_change_the_order(limit, tmp_path):
    whole = fit(module("shuffled"))
    path = tmp_path / "stop.ckpt"
    short = fit(module("shuffled"), SaveAfter(9, path), limit_train_batches=limit)
    assert short.seen == whole.seen
    resumed = fit(module("shuffled"), ckpt_path=path, limit_train_batches=limit)
    assert_goes_on(whole, resumed, 9)


def test_a_new_trainer_starts_anew_and_the_same_trainer_goes_on():
    data = module("shuffled")
    first, second = fit(data), fit(data)
    assert first.seen == second.seen
    model, trainer = Probe(), make_trainer(max_steps=-1, max_epochs=1)
    trainer.fit(model, data)
    trainer.fit_loop.max_epochs = 3
    trainer.fit(model, data)
    assert model.seen == first.seen


def test_held_out_pictures_are_never_drawn():
    data = module("shuffled", held_out="2 <= pos_x < 6", batch_size=4)
    assert data.held_out_index.tolist() == [i for i in range(48) if 2 <= i % 8 < 6]
    assert data.train_index.tolist() == [i for i in range(48) if not 2 <= i % 8 < 6]
    drawn = chain(*map(indices_of, loader_of(data)))
    assert sorted(drawn) == data.train_index.tolist()
    assert len(module().held_out_index) == 0


def loader_of(data: FactorDataModule) -> Any:
    loader = data.train_dataloader()
    assert isinstance(loader, FactorLoader)
    return loader


def test_with_bursts_it_gives_as_many_steps_at_once_and_keeps_the_place():
    data = module()
    data.burst = 3
    burst = next(iter(data.train_dataloader()))
    assert isinstance(burst, Burst)
    assert (len(burst.indices), data.position) == (3, 3)


def test_without_a_trainer_it_gives_batches_too():
    data = module()
    batches = iter(loader_of(data))
    next(batches)
    other = module()
    other.load_state_dict(data.state_dict())
    assert torch.equal(next(batches), next(iter(loader_of(other))))


@pytest.mark.parametrize(
    "change", [{"seed": 1}, {"batch_size": 4}, {"sampling": "shuffled"}, {"held_out": "pos_x > 3"}]
)
def test_a_checkpoint_of_another_order_is_refused(change):
    (name, value), state = next(iter(change.items())), module().state_dict()
    with pytest.raises(
        ValueError, match=f"saved with {name}=.*, but this run has {name}={value!r}"
    ):
        module(**change).load_state_dict(state)


def test_a_checkpoint_of_other_pictures_warns():
    other = FactorDataModule(Tiny(" II"), batch_size=8)
    with pytest.warns(UserWarning, match="trained on tiny, and goes on with tiny II"):
        other.load_state_dict(module().state_dict())


def test_saving_inside_a_step_warns(tmp_path):
    class Early(Callback):
        def on_before_backward(self, trainer, pl_module, loss):
            trainer.save_checkpoint(tmp_path / "early.ckpt")

    with pytest.warns(UserWarning, match="inside a training step"):
        fit(module(), Early(), max_steps=1)


@pytest.mark.parametrize("epochs", [{"max_epochs": 3}, {"max_epochs": 1000}, {}])
@pytest.mark.filterwarnings("ignore:.max_epochs. was not set")
def test_epochs_of_iid_batches_are_refused_in_one_line(epochs):
    message = "max_epochs is .*, but i.i.d. batches have no epochs: .* Say max_steps instead"
    with pytest.raises(ValueError, match=message) as error:
        fit(module(), max_steps=-1, **epochs)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("limits", "batches"),
    [
        ({"max_steps": 7}, 7),
        ({"max_steps": 7, "max_epochs": 3}, 7),
        ({"max_steps": -1, "max_epochs": 3, "limit_train_batches": 5}, 15),
        ({"max_steps": -1, "max_time": "00:00:00:01"}, None),
    ],
)
def test_iid_training_that_ends_is_not_refused(limits, batches):
    seen = fit(module(), **limits).seen
    assert len(seen) == batches or batches is None
    whole = module().loader_for(None)
    assert seen[:15] == [indices_of(whole.at(p).x) for p in range(min(15, len(seen)))]
    assert seen


def test_a_shuffled_epoch_that_a_step_does_not_divide_is_refused_in_one_line():
    message = "accumulate_grad_batches is 4, .* 6 batches, .* of 2: choose a divisor of 6"
    with pytest.raises(ValueError, match=message) as error:
        fit(module("shuffled"), accumulate_grad_batches=4, max_steps=3)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("sampling", "parts"), [("shuffled", 1), ("shuffled", 3), ("iid", 4)])
def test_other_accumulation_is_not_refused(sampling, parts):
    model = fit(module(sampling), accumulate_grad_batches=parts, max_steps=4)
    assert len(model.seen) == 4 * parts


def test_the_checkpoint_holds_the_place_in_the_data_once(tmp_path):
    path = tmp_path / "stop.ckpt"
    fit(module(), SaveAfter(5, path))
    state = torch.load(path, weights_only=True)
    assert state["FactorDataModule"]["position"] == 5
    assert "position" not in str(state["loops"])


def test_overfit_batches_is_refused():
    with pytest.raises(ValueError, match="hold out the others"):
        fit(module(), overfit_batches=1)


def test_bad_settings_are_refused_at_once():
    with pytest.raises(ValueError, match="only 48 pictures"):
        module("shuffled", batch_size=64)
    with pytest.raises(ValueError, match="no factor is named posx"):
        module(held_out="posx > 3")
