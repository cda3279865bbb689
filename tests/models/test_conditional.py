# SPDX-License-Identifier: Apache-2.0
"""The conditional VAE: it draws what it is asked for, and its code holds the rest."""

from typing import Any

import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from disent.cli.main import main
from disent.data import Digits
from disent.data.base import Batch
from disent.models import VAE, ConditionalVAE
from disent.models.base import Model, take_step
from disent.models.conditions import Given, columns_of, one_hot
from disent.networks import MLP, Linear

NAMES, SIZES = ("shape", "scale"), (2, 3)
GIVEN: dict[str, Any] = {"factor_names": NAMES, "factor_sizes": SIZES}
LABELS: dict[str, Any] = {"factor_names": ("label",), "factor_sizes": (10,)}


def small(c: int, d: int, o: int, **numbers: Any) -> MLP:
    return MLP(c, d, o, hidden=[128], **numbers)


def test_columns_and_blocks_by_hand():
    assert columns_of(None, NAMES) == (0, 1)
    assert columns_of(["scale"], NAMES) == columns_of("scale", NAMES) == (1,)
    assert columns_of("scale, shape", NAMES) == (0, 1)
    factors = torch.tensor([[1, 2], [-1, 0], [0, -1]])
    wanted = [[0, 1, 0, 0, 1], [0, 0, 1, 0, 0], [1, 0, 0, 0, 0]]
    assert one_hot(factors, (0, 1), SIZES, 3).tolist() == wanted
    assert one_hot(factors, (1,), SIZES, 3).tolist() == [row[2:] for row in wanted]
    assert one_hot(None, (0,), SIZES, 2).tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize(
    ("wanted", "names", "told"),
    [
        ("colour", NAMES, "got conditions colour, but the dataset has shape, scale"),
        ([], NAMES, "an empty list"),
        ("", NAMES, "an empty list"),
        (None, (), "no factors or labels"),
    ],
)
def test_conditions_that_the_dataset_has_not_are_refused(wanted, names, told):
    with pytest.raises(ValueError, match=told):
        ConditionalVAE(wanted, factor_names=names, factor_sizes=(2,) * len(names))


def test_a_decoder_of_the_condition_alone_draws_its_column_whatever_the_latents():
    model = ConditionalVAE("shape", network=Linear, latent_dim=2, size=(8, 8), **GIVEN)
    layer: Any = model.network.decoder[0]  # type: ignore[index]
    torch.nn.init.zeros_(layer.weight)
    layer.weight.data[:, 2] = torch.linspace(-3, 3, 64)  # shape 0: after the two latents
    layer.weight.data[:, 3] = torch.linspace(2, -2, 64)  # shape 1
    z = torch.randn(3, 2, generator=torch.Generator().manual_seed(0))
    asked = torch.tensor([[0, 2], [1, 0], [-1, 1]])
    pictures = model.given(asked).picture(z).flatten(1)
    ramps = [torch.linspace(-3, 3, 64), torch.linspace(2, -2, 64), torch.zeros(64)]
    torch.testing.assert_close(pictures, torch.stack(ramps).sigmoid())
    for k in range(3):  # one row for all pictures
        same = model.given(asked[k : k + 1]).picture(z).flatten(1)
        torch.testing.assert_close(same, ramps[k].sigmoid().expand(3, -1))
    with pytest.raises(ValueError, match="2 pictures are given, but 3 came"):
        Given(model, asked[:2]).picture(z)


def test_the_objective_of_a_batch_is_that_of_its_factors():
    model = ConditionalVAE(network=small, latent_dim=2, size=(8, 8), **GIVEN)
    x = torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(0)).round()
    noise = torch.randn(4, 2, generator=torch.Generator().manual_seed(1))
    factors = torch.tensor([[0, 0], [1, 1], [0, 2], [1, -1]])
    loss, told = model(Batch(x, factors), noise)
    q = model.encode(x, factors)
    decoded = model.decode(q.sample(noise), factors)
    distortion = -model.likelihood.log_prob(x, decoded)
    rate: Any = q.kl()
    torch.testing.assert_close(loss, (distortion + rate.sum(-1)).mean())
    torch.testing.assert_close(told["distortion"], distortion)
    other = model(Batch(x, factors.flip(0)), noise)[0]
    assert abs((other - loss).item()) > 1e-3


def trained(model: Model, x: Tensor, factors: Tensor, steps: int = 900) -> Any:
    optimizers = model.configure_optimizers()
    for step in range(steps):
        rows = torch.randint(len(x), (64,), generator=torch.Generator().manual_seed(step))
        noise = model.noise.normal(step, (64, model.latent_dim))
        take_step(model, optimizers, Batch(x[rows], factors[rows]), noise, step)
    return model.eval()


def test_digits_that_are_asked_for_are_drawn_and_the_code_holds_the_style_alone():
    train, test = Digits("train"), Digits("test")
    rows, more = torch.arange(len(train)), torch.arange(len(test))
    x, y = train.batch(rows), train.factors(rows)
    held, label = test.batch(more), test.factors(more)
    judge: Any = LogisticRegression(max_iter=3000).fit(x.flatten(1).numpy(), y[:, 0].numpy())
    assert judge.score(held.flatten(1).numpy(), label[:, 0].numpy()) > 0.94
    common: dict[str, Any] = {"network": small, "latent_dim": 8, "size": (8, 8), "lr": 2e-3}
    told = trained(ConditionalVAE(**common, **LABELS), x, y)
    plain = trained(VAE(**common), x, y)
    with torch.no_grad():
        asked = (label + 1 + torch.arange(len(label))[:, None] % 9) % 10  # any but their own
        codes = told.encode(held, label).mean
        drawn = told.given(asked).picture(codes).flatten(1)
        assert judge.score(drawn.numpy(), asked[:, 0].numpy()) > 0.9
        # nothing is left to read of the label in the code, which is all there is in the VAE's
        rate = float(told.encode(held, label).kl().sum(-1).mean())
        assert rate < float(plain.encode(held).kl().sum(-1).mean()) - 0.5
        readable = [
            LogisticRegression(max_iter=3000).fit(of_train.numpy(), y[:, 0].numpy())
            .score(of_held.numpy(), label[:, 0].numpy())
            for of_train, of_held in (
                (told.encode(x, y).mean, codes),
                (plain.encode(x).mean, plain.encode(held).mean),
            )
        ]  # fmt: skip
    assert readable[0] < 0.45 < 0.75 < readable[1]


def test_a_run_of_it_draws_each_condition_and_is_scored_with_its_labels(tmp_path, capsys):
    words = "fit --config conditional --trainer.max_steps 20 --run told --evaluate.metrics mig"
    assert main([*words.split(), "--runs", str(tmp_path)]) == 0
    figures = {path.name for path in (tmp_path / "told" / "figures").iterdir()}
    assert {"condition_label.png", "traversals.png", "samples.png"} <= figures
    assert main(["evaluate", str(tmp_path / "told"), "--metrics", "dci"]) == 0
    capsys.readouterr()
    words = "fit --config conditional --trainer.max_steps 20 --run no --model.conditions colour"
    assert main([*words.split(), "--runs", str(tmp_path)]) == 1
    told = capsys.readouterr().err
    assert "got conditions colour, but the dataset has label" in told
    assert not (tmp_path / "no").exists()
