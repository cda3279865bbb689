# SPDX-License-Identifier: Apache-2.0
"""Each of Lightning's private parts that the suite leans on, shown on a real trainer."""

import signal
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch.utils.data import DataLoader

from disent import internals

pytestmark = [
    pytest.mark.filterwarnings("ignore:.isinstance.treespec, LeafSpec:FutureWarning"),
    pytest.mark.filterwarnings("ignore:The 'train_dataloader' does not have many workers"),
]

NUMBERS = torch.arange(48.0).view(48, 1)


class Automatic(LightningModule):
    """Learns by Lightning's own loop; notes the step at the start of each batch."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.steps: list[int] = []

    def training_step(self, x: Any, batch_idx: int) -> Any:
        self.steps.append(self.global_step)
        return (self.weight - x).square().mean()

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD([self.weight], lr=0.001)


class Manual(Automatic):
    """Steps `optimizers` times a batch itself, and counts one step."""

    def __init__(self, optimizers: int = 1) -> None:
        super().__init__()
        self.automatic_optimization, self.number = False, optimizers

    def training_step(self, x: Any, batch_idx: int) -> Any:
        loss = super().training_step(x, batch_idx)
        optimizer: Any = self.optimizers(use_pl_optimizer=False)
        for _ in range(self.number):
            optimizer.zero_grad()
            (self.weight - x).square().mean().backward()
            optimizer.step()
        internals.count_step(self.trainer)
        return loss

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        internals.count_alike(checkpoint)


class Resumable(Automatic):
    """Learns by Lightning's own loop, also from a checkpoint of a model that does not."""

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        internals.count_alike(checkpoint)


def make_trainer(*callbacks: Callback, max_steps: int = 5, **settings: Any) -> Trainer:
    return Trainer(
        accelerator="cpu",
        callbacks=list(callbacks),
        max_steps=max_steps,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **settings,
    )


def fit(model: LightningModule, trainer: Trainer, ckpt_path: Any = None) -> Trainer:
    data = DataLoader(cast(Any, NUMBERS), batch_size=4)
    trainer.fit(model, data, ckpt_path=ckpt_path, weights_only=True)
    return trainer


@pytest.mark.parametrize("optimizers", [1, 3])
def test_one_step_is_counted_for_a_batch_whatever_is_stepped_in_it(optimizers):
    model = Manual(optimizers)
    trainer = fit(model, make_trainer(max_steps=5))
    assert model.steps == [0, 1, 2, 3, 4]
    assert trainer.global_step == 5


@pytest.mark.parametrize(
    ("first", "second"),
    [(Automatic, Manual), (Manual, Resumable), (Manual, Manual), (Automatic, Resumable)],
)
@pytest.mark.filterwarnings("ignore:You're resuming from a checkpoint that ended before")
def test_either_kind_of_training_goes_on_with_the_steps_of_the_other(first, second, tmp_path):
    trainer = fit(first(), make_trainer(max_steps=5))
    trainer.save_checkpoint(tmp_path / "stop.ckpt")
    model = second()
    resumed = fit(model, make_trainer(max_steps=9), tmp_path / "stop.ckpt")
    assert model.steps == [5, 6, 7, 8]
    assert resumed.global_step == 9


def test_a_checkpoint_without_loops_is_left_as_it_is():
    for checkpoint in ({"state_dict": {}}, {"state_dict": {}, "loops": {}}, {"global_step": 3}):
        before = dict(checkpoint)
        internals.count_alike(cast(Any, checkpoint))
        assert checkpoint == before


def test_lightning_keeps_its_hands_off_signals():
    handlers: list[Any] = []

    class Look(Callback):
        def on_train_batch_end(self, *given: Any) -> None:  # pyright: ignore
            handlers.append(signal.getsignal(signal.SIGTERM))

    before = signal.signal(signal.SIGTERM, mine := lambda number, frame: None)
    try:
        fit(Automatic(), internals.leave_signals(make_trainer(Look(), max_steps=1)))
        fit(Automatic(), make_trainer(Look(), max_steps=1))
    finally:
        signal.signal(signal.SIGTERM, before)
    assert handlers[0] is mine
    assert handlers[1] is not mine  # what Lightning does if it is let


def test_the_parts_of_a_step_are_told_from_its_end():
    found: list[tuple[int, bool]] = []

    class Look(Callback):
        def on_train_batch_end(self, trainer: Trainer, *given: Any) -> None:  # pyright: ignore
            found.append((trainer.global_step, internals.is_part_of_step(trainer)))

    fit(Automatic(), make_trainer(Look(), max_steps=2, accumulate_grad_batches=3))
    assert found == [(0, True), (0, True), (1, False), (1, True), (1, True), (2, False)]


def test_a_batch_that_is_being_trained_on_is_told_from_one_that_is_done():
    found: dict[str, bool] = {}

    class Look(Callback):
        def on_train_batch_start(self, trainer: Trainer, *given: Any) -> None:  # pyright: ignore
            found["start"] = internals.is_inside_step(trainer)

        def on_before_backward(self, trainer: Trainer, *given: Any) -> None:  # pyright: ignore
            found["backward"] = internals.is_inside_step(trainer)

        def on_train_batch_end(self, trainer: Trainer, *given: Any) -> None:  # pyright: ignore
            found["end"] = internals.is_inside_step(trainer)

    trainer = fit(Automatic(), make_trainer(Look(), max_steps=2))
    assert found == {"start": True, "backward": True, "end": False}
    assert not internals.is_inside_step(trainer)
    assert not internals.is_inside_step(make_trainer())


def test_a_whole_checkpoint_is_what_lightning_would_save(tmp_path):
    whole: dict[str, Any] = {}

    class Look(Callback):
        def on_train_batch_end(self, trainer: Trainer, *given: Any) -> None:  # pyright: ignore
            trainer.save_checkpoint(tmp_path / "saved.ckpt")
            whole.update(internals.whole_checkpoint(trainer))

    fit(Automatic(), make_trainer(Look(), max_steps=1))
    saved = torch.load(tmp_path / "saved.ckpt", weights_only=True)
    assert saved.keys() == whole.keys() >= {"state_dict", "optimizer_states", "loops"}
    assert len(saved["optimizer_states"]) == 1
    assert str(saved) == str(whole)


def test_the_trainer_of_a_module_or_none():
    model, trainer = Automatic(), make_trainer(max_steps=1)
    assert internals.trainer_of(model) is None
    fit(model, trainer)
    assert internals.trainer_of(model) is trainer


def test_gradients_are_left_to_the_model_where_lightning_would_share_them():
    def stand_in(model: Any) -> Any:
        return SimpleNamespace(strategy=SimpleNamespace(model=model))

    shared = stand_in(SimpleNamespace(require_backward_grad_sync=True))
    internals.leave_gradients(shared)
    assert shared.strategy.model.require_backward_grad_sync is False
    alone = stand_in(SimpleNamespace())
    internals.leave_gradients(alone)
    assert vars(alone.strategy.model) == {}


def test_distributed_models_have_what_is_set_to_leave_gradients():
    assert "require_backward_grad_sync" in (
        torch.nn.parallel.DistributedDataParallel.__init__.__code__.co_names
    )
