# SPDX-License-Identifier: Apache-2.0
"""Models in somebody's own Trainer, with somebody's own DataLoader."""

from typing import Any

import pytest
import torch
from lightning.pytorch import Trainer
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

from disent.data.base import Batch
from disent.models import VAE, BetaTCVAE, BetaVAE, FactorVAE
from disent.models.batches import as_batch
from disent.networks import Linear

pytestmark = [
    pytest.mark.filterwarnings("ignore:.isinstance.treespec, LeafSpec:FutureWarning"),
    pytest.mark.filterwarnings("ignore:The 'train_dataloader' does not have many workers"),
]

X = torch.rand(24, 1, 8, 8, generator=torch.Generator().manual_seed(0))
Y = torch.arange(24)
SMALL: dict[str, Any] = {"network": Linear, "latent_dim": 2, "size": (8, 8)}


@pytest.mark.parametrize("given", [X, (X,), [X], Batch(X)])
def test_pictures_alone(given):
    batch = as_batch(given)
    assert batch.x is X
    assert batch.factors is batch.other is None


@pytest.mark.parametrize("pair", [tuple, list])
def test_pictures_with_labels(pair):
    assert as_batch(pair([X, Y])).factors.tolist() == [[y] for y in range(24)]  # pyright: ignore
    table = torch.stack([Y, Y], 1)
    assert as_batch(pair([X, table])).factors is table


@pytest.mark.parametrize(
    "other", [X, Y.float(), Y > 3, "a caption", torch.zeros(24, 1, 8, 8).long()]
)
def test_what_is_no_table_of_whole_numbers_is_no_label(other):
    assert as_batch((X, other)).factors is None


def test_a_batch_keeps_its_second_pictures():
    whole = Batch(X, Y[:, None], Batch(X))
    assert as_batch(whole) is whole


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"x": X}, "a batch of type dict came"),
        ((X, Y, Y), "a batch of type tuple came"),
        ([], "a batch of type list came"),
        (("picture", Y), "a batch of type tuple came"),
        (None, "a batch of type NoneType came"),
        (X[0], r"shape \[1, 8, 8\] and type torch.float32"),
        (X.flatten(1), r"shape \[24, 64\]"),
        ((255 * X).to(torch.uint8), r"type torch.uint8 came.*by x.float\(\) / 255"),
    ],
)
def test_anything_else_is_refused_in_one_line(given, message):
    with pytest.raises(ValueError, match=message) as error:
        as_batch(given)
    assert "A batch is a tensor of pictures [B, C, H, W]" in str(error.value)
    assert "\n" not in str(error.value)


def loader(kind: str) -> DataLoader[Any]:
    given: Any = {"x": X, "(x,)": TensorDataset(X), "(x, y)": TensorDataset(X, Y)}[kind]
    return DataLoader(given, batch_size=8)


def fit(model: VAE, kind: str = "x", max_steps: int = 3, **settings: Any) -> Trainer:
    trainer = Trainer(
        accelerator="cpu",
        max_steps=max_steps,
        log_every_n_steps=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **settings,
    )
    trainer.fit(model, loader(kind))
    return trainer


def weights(model: VAE) -> dict[str, Tensor]:
    return {name: weight.clone() for name, weight in model.state_dict().items()}


@pytest.mark.parametrize("kind", ["x", "(x,)", "(x, y)"])
@pytest.mark.parametrize(
    "make", [VAE, BetaVAE, BetaTCVAE, lambda **more: FactorVAE(width=8, **more)]
)
def test_models_train_with_anybodys_loader(make, kind):
    model, plain = make(**SMALL), make(**SMALL)
    before = weights(model)
    trainer = fit(model, kind)
    assert trainer.global_step == 3
    assert all(not torch.equal(after, before[name]) for name, after in weights(model).items())
    assert trainer.callback_metrics["loss"].isfinite()
    # a step of plain pictures is what a model does with labels, too
    fit(plain, "x")
    assert all(torch.equal(weights(plain)[name], after) for name, after in weights(model).items())


@pytest.mark.parametrize("make", [VAE, BetaVAE, BetaTCVAE])
def test_models_of_one_update_train_clipped_and_in_parts(make):
    model = make(**SMALL)
    before = weights(model)
    # an epoch has 3 batches: a step of two, and one of one
    trainer = fit(model, gradient_clip_val=1, accumulate_grad_batches=2, max_steps=4)
    assert trainer.global_step == 4
    assert any(not torch.equal(after, before[name]) for name, after in weights(model).items())
    assert trainer.callback_metrics["loss"].isfinite()


@pytest.mark.parametrize("settings", [{"gradient_clip_val": 1.0}, {"accumulate_grad_batches": 2}])
def test_models_of_several_updates_refuse_what_lightning_cannot_do_for_them(settings):
    with pytest.raises(Exception, match=r"manual optimization|several updates"):
        fit(FactorVAE(width=8, **SMALL), **settings)


@pytest.mark.parametrize("make", [VAE, lambda **more: FactorVAE(width=8, **more)])
def test_a_model_of_pictures_alone_gives_the_parameters_of_their_reconstructions(make):
    model = make(**SMALL)
    logits = model(X)
    assert logits.shape == (24, 1, 8, 8)
    torch.testing.assert_close(logits.sigmoid(), model.reconstruct(X))
    torch.testing.assert_close(model(Batch(X)), logits)
    torch.testing.assert_close(model((X, Y)), logits)


def test_a_step_wants_pictures_between_none_and_one_tensor_of_them():
    with pytest.raises(ValueError, match="a batch of type dict came"):
        VAE(**SMALL)({"x": X}, torch.zeros(24, 2))
