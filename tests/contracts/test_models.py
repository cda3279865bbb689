# SPDX-License-Identifier: Apache-2.0
"""What every model keeps: pure losses, updates that move what they name, exact resuming."""

import copy
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
import yaml
from lightning.pytorch import Callback, Trainer

import disent.models
from disent.cli.main import main
from disent.config.presets import presets
from disent.data import FactorDataModule
from disent.data.base import Batch
from disent.fleet import Stack
from disent.models import VAE, load_run
from disent.models.base import Model, take_step
from disent.networks import MLP
from disent.runs import RunDir
from disent.runs.build import FILLED
from disent.training.step import Steps
from tests.tiny import Squares

SQUARES = Squares()
NAMES = [name for name in disent.models.__all__ if isinstance(getattr(disent.models, name), type)]
MEMBERS: list[type[Model]] = [getattr(disent.models, name) for name in NAMES]
FACTORS = {"factor_names": SQUARES.grid.names, "factor_sizes": SQUARES.grid.sizes}
SMALL: dict[str, dict[str, Any]] = {
    "AdversarialAutoEncoder": {"width": 16},
    "BiGAN": {"width": 16},
    "ConditionalVAE": FACTORS,
    "FactorQVAE": {"width": 16, "values": 5},
    "FactorVAE": {"width": 16},
    "SCAN": {"width": 16, "operator_width": 8, **FACTORS},
}
STANDING = {"SCAN": "vision"}  # on a trained VAE, under this argument
each = pytest.mark.parametrize("member", MEMBERS)


def made(member: type[Model], seed: int = 0, **more: Any) -> Model:
    given: dict[str, Any] = {
        "network": lambda c, d, o, **numbers: MLP(c, d, o, hidden=[16], **numbers)
    }
    if argument := STANDING.get(member.__name__):
        seen = {n: more.pop(n) for n in ("channels", "size", "latent_dim") if n in more}
        given = {argument: VAE(**given, **seen, seed=seed)}
    return member(**{**given, **SMALL.get(member.__name__, {}), "seed": seed, **more})


def given(model: Model, step: int = 0) -> tuple[Batch, torch.Tensor]:
    """A batch as the model asks for it, and its noise."""
    batch = FactorDataModule(SQUARES, 8).loader_for(model).at(step)
    return batch, model.noise.normal(step, (8, sum(model.draws().values())))


def test_every_model_is_listed_with_its_source():
    assert {"VAE", "BetaVAE", "AnnealedVAE", "BetaTCVAE", "FactorVAE"} <= set(NAMES)
    for member in MEMBERS:
        assert "http" in str(member.__doc__) or "arXiv" in str(member.__doc__), member
        assert "Args:" in str(member.__doc__), member


@each
def test_losses_are_pure(member):
    model, before = made(member), torch.random.get_rng_state()
    batch, noise = given(model)
    weights = copy.deepcopy(model.state_dict())
    for update in model.updates:
        first, second = (model(batch, noise, 3, update.loss) for _ in range(2))
        assert torch.equal(first[0], second[0])
        assert first[0].shape == ()
        assert first[1].keys() == second[1].keys()
        assert all(torch.equal(first[1][name], second[1][name]) for name in first[1])
    assert torch.equal(torch.random.get_rng_state(), before)
    assert all(torch.equal(weights[name], value) for name, value in model.state_dict().items())


@each
def test_a_step_moves_what_its_updates_name_and_no_more(member):
    model = made(member)
    optimizers = model.configure_optimizers()
    for update in model.updates:
        alone = copy.deepcopy(model)
        alone.updates = (update,)  # type: ignore[misc]
        own = [alone.optimizer_of(update, [dict(alone.named_parameters())[n] for n in
                                           model.weights_of(update)])]  # fmt: skip
        take_step(alone, own, *given(model), 0)
        moved = {
            name
            for (name, new), old in zip(alone.named_parameters(), model.parameters(), strict=True)
            if not torch.equal(new, old)
        }
        assert moved == set(model.weights_of(update))
    before = copy.deepcopy(dict(model.named_parameters()))
    take_step(model, optimizers, *given(model), 0)
    moved = {name for name, new in model.named_parameters() if not torch.equal(new, before[name])}
    assert moved == {name for update in model.updates for name in model.weights_of(update)}


@each
def test_weights_and_noise_are_functions_of_the_seed(member):
    state = torch.random.get_rng_state()
    first, same, other = (made(member, seed) for seed in (3, 3, 4))
    assert torch.equal(torch.random.get_rng_state(), state)
    for a, b in zip(first.parameters(), same.parameters(), strict=True):
        assert torch.equal(a, b)
    pairs = zip(first.parameters(), other.parameters(), strict=True)
    assert not all(torch.equal(a, b) for a, b in pairs)
    assert not torch.equal(first.noise.normal(0, (4,)), other.noise.normal(0, (4,)))


@each
def test_pictures_in_and_pictures_out(member):
    model = made(member, channels=3, size=(20, 24), latent_dim=3)
    x = torch.rand(4, 3, 20, 24)
    q = model.encode(x)
    assert q.mean.shape == (4, 3)
    assert q.sample(torch.zeros(4, 3)).shape == (4, 3)
    for pictures in (model.reconstruct(x), model.sample(4), model.picture(q.mean)):
        assert pictures.shape == (4, 3, 20, 24)
        assert 0 <= pictures.min() <= pictures.max() <= 1
    assert model(x).shape[0] == 4
    noise = torch.zeros(4, model.draws_of_prior)
    assert torch.equal(model.sample(4, noise=noise), model.picture(model.prior.sample(noise)))
    distortion = model.distortion(x, q.mean)
    assert distortion is None or distortion.shape == (4,)


@each
def test_a_fleet_of_it_has_the_gradients_of_its_runs_alone(member):
    models = [made(member, seed) for seed in (0, 1)]
    pairs = [given(model, step) for step, model in enumerate(models)]
    batch = Batch.of({
        name: torch.stack([pair[0].tensors()[name] for pair in pairs])
        for name in pairs[0][0].tensors()
    })  # fmt: skip
    noise = torch.stack([pair[1] for pair in pairs])
    for update in models[0].updates:
        wanted = []
        for model, (own, drawn) in zip(models, pairs, strict=True):
            model.zero_grad()
            model(own, drawn, 7, update.loss)[0].backward()
            weights = model.weights_of(update).values()
            wanted.append([w.grad.clone() for w in weights if w.grad is not None])
        for batched in (False, True):
            stack = Stack([copy.deepcopy(model) for model in models], batched=batched)
            for part in stack.parts:
                loss, _ = part(batch.each(part.share), part.share(noise), 7, update.loss)
                loss.backward()
            found = [
                [
                    w.grad[k] if batched else w.grad
                    for group in optimizer.param_groups
                    for w in group["params"]
                ]
                for part in stack.parts
                for optimizer in [part.optimizers()[list(models[0].updates).index(update)]]
                for k in range(len(part.members))
            ]
            tolerance: dict[str, Any] = (
                {"rtol": 1e-3, "atol": 1e-4} if batched else {"rtol": 0, "atol": 0}
            )
            for mine, its in zip(found, wanted, strict=True):
                torch.testing.assert_close(mine, its, **tolerance)


class _Save(Callback):
    def __init__(self, path: Path, step: int) -> None:
        self.path, self.step = path, step

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if trainer.global_step == self.step:
            trainer.save_checkpoint(self.path)


def trained(member: type[Model], steps: int, burst: int = 1, parts: int = 1, clip: Any = None,
            resume: Path | None = None, save: Path | None = None) -> Model:  # fmt: skip
    model, data = made(member, lr=1e-3), FactorDataModule(SQUARES, 8)
    data.burst, data.train, data.until = burst * parts, Steps(parts, clip), steps * parts
    model.automatic_optimization = False
    trainer = Trainer(
        accelerator="cpu", max_steps=steps, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, log_every_n_steps=2,
        callbacks=[_Save(save, 4)] if save else [],
    )  # fmt: skip
    trainer.fit(model, datamodule=data, ckpt_path=resume, weights_only=True)
    assert (trainer.global_step, data.position) == (steps, steps * parts)
    return model


def assert_same(a: Model, b: Model) -> None:
    for one, other in zip(a.parameters(), b.parameters(), strict=True):
        assert torch.equal(one, other)


@each
@pytest.mark.parametrize("parts", [1, 3])
def test_bursts_are_single_steps_and_resuming_changes_nothing(member, parts, tmp_path):
    whole = trained(member, 9, parts=parts, clip=1.0, save=tmp_path / "stop.ckpt")
    assert_same(whole, trained(member, 9, burst=4, parts=parts, clip=1.0))
    resumed = trained(member, 9, burst=2, parts=parts, clip=1.0, resume=tmp_path / "stop.ckpt")
    assert_same(whole, resumed)


@each
def test_parts_of_a_step_are_averaged(member):
    """The gradient of a step of two parts is the mean of theirs."""
    model = made(member)
    for update in model.updates:
        means = []
        for step in (0, 1):
            model.zero_grad()
            batch, noise = given(model, step)
            model(batch, noise, 0, update.loss)[0].backward()
            means.append([w.grad for w in model.weights_of(update).values()])
        alone = copy.deepcopy(model)
        alone.updates = (update,)  # type: ignore[misc]
        weights = [dict(alone.named_parameters())[n] for n in model.weights_of(update)]
        seen: list[torch.Tensor] = []

        def note(moved: list[torch.Tensor], seen: list[torch.Tensor] = seen) -> None:
            seen.extend(w.grad.clone() for w in moved if w.grad is not None)

        batches, noises = zip(*(given(model, step) for step in (0, 1)), strict=True)
        take_step(
            alone, [torch.optim.SGD(weights, lr=0.0)], list(batches), list(noises), 0,
            clip=note,
        )  # fmt: skip
        for mine, a, b in zip(seen, *means, strict=True):
            torch.testing.assert_close(mine, (a + b) / 2)


OPTIONS = """
--data tests.tiny.Squares --loader.batch_size 4 --trainer.max_steps 2 --run step
--trainer.log_every_n_steps 1 --evaluate.at_end false --pictures.at_end false
""".split()  # noqa: SIM905


@pytest.mark.parametrize("name", NAMES)
def test_the_quickstart_takes_steps_of_it_and_its_run_loads(name, tmp_path):
    words = ["--config", "quickstart", "--model", name, "--model.network", "Linear"]
    if argument := STANDING.get(name):
        below = ["--config", "quickstart", "--model.network", "Linear", *OPTIONS]
        assert main(["fit", *below, "--run", "below", "--runs", str(tmp_path)]) == 0
        words[-2:] = [f"--model.{argument}", str(tmp_path / "below")]
    small = SMALL.get(name, {}).items()
    words += [f"--model.{key}={value}" for key, value in small if key not in FILLED]
    assert main(["fit", *words, *OPTIONS, "--runs", str(tmp_path)]) == 0
    logged = pd.read_csv(RunDir(tmp_path / "step").metrics)
    assert list(logged["step"]) == [1, 2]
    assert logged.notna().all(axis=None)
    model = load_run(tmp_path / "step")
    assert type(model).__name__ == name
    saved = torch.load(RunDir(tmp_path / "step").last, weights_only=True)["state_dict"]
    assert all(torch.equal(model.state_dict()[key], value) for key, value in saved.items())
    config = yaml.safe_load(RunDir(tmp_path / "step").config.read_text())
    told = config["provenance"]["strength"]
    own = getattr(disent.models, name).strength
    assert told == (None if own is None else {"knob": f"model.{own[0]}", "symbol": own[1]})
    again = ["fit", "--config", str(tmp_path / "step" / "config.yaml"), "--run", "again"]
    assert main([*again, "--runs", str(tmp_path)]) == 0
    repeated = torch.load(RunDir(tmp_path / "again").last, weights_only=True)["state_dict"]
    assert all(torch.equal(repeated[key], value) for key, value in saved.items())


def test_the_quickstart_is_there():
    assert "quickstart" in presets()
