# SPDX-License-Identifier: Apache-2.0
"""What a model draws against the nearest real pictures and a classifier of them."""

import copy
import json

import pytest
import torch
from torch import Tensor

from disent.codes import CodeTable
from disent.data import Digits
from disent.data.base import Batch
from disent.data.subgrid import Subset
from disent.evaluation import Options, evaluate
from disent.evaluation.classifier import Classifier
from disent.evaluation.drawn import judge_drawn
from disent.evaluation.nearest import nearest_pictures
from disent.models import VAE, AutoEncoder
from disent.models.base import take_step
from disent.networks import MLP, Linear
from disent.report.terminal import print_scores
from disent.runs.rows import score_columns
from disent.streams import Stream
from tests.bars import Bars
from tests.tiny import Squares

SQUARES, DIGITS = Squares(), Digits()


def test_each_real_picture_is_its_own_nearest():
    rows = torch.tensor([0, 77, 127, 5])
    found = nearest_pictures(SQUARES.batch(rows), SQUARES)
    assert found.rows.tolist() == rows.tolist()
    assert found.distance.tolist() == [0, 0, 0, 0]
    assert found.distance.dtype == torch.float64


def test_the_distance_counts_the_pixels_that_differ():
    # a square of 8 x 8 pixels, three of them black and one grey, and one white pixel far away
    picture = SQUARES.batch(torch.tensor([9]))
    x, y = 6, 6
    picture[0, 0, y, x : x + 3] = 0
    picture[0, 0, y + 1, x] = 0.5
    picture[0, 0, 60, 60] = 1
    found = nearest_pictures(picture, SQUARES)
    assert found.rows.item() == 9
    assert found.distance.item() == pytest.approx(3 + 0.25 + 1)


def test_it_agrees_with_comparing_every_pair():
    pictures = torch.rand(20, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    every = DIGITS.batch(torch.arange(len(DIGITS)))
    squares = (pictures[:, None] - every).double().square().flatten(2).sum(2)
    found = nearest_pictures(pictures, DIGITS)
    assert torch.equal(found.rows, squares.argmin(1))
    torch.testing.assert_close(found.distance, squares.amin(1))


def test_only_the_rows_asked_for_are_looked_at():
    rows = torch.arange(0, 128, 3)
    found = nearest_pictures(SQUARES.batch(torch.tensor([3, 4])), SQUARES, rows=rows)
    assert found.rows[0] == 3
    assert found.rows[1] in rows
    assert found.distance[1] > 0


@pytest.mark.parametrize(
    ("shape", "rows"), [((2, 1, 28, 28), None), ((0, 1, 64, 64), None), ((2, 1, 64, 64), [])]
)
def test_pictures_that_cannot_be_compared_are_refused(shape, rows):
    rows = None if rows is None else torch.tensor(rows, dtype=torch.int64)
    with pytest.raises(ValueError, match=r"at least one of each, \[n, 1, 64, 64\], is wanted"):
        nearest_pictures(torch.zeros(shape), SQUARES, rows=rows)


@pytest.fixture(scope="module")
def judge():
    return Classifier.fit(DIGITS, rows=torch.arange(1437))


def test_the_classifier_knows_digits_that_it_was_not_shown(judge):
    unseen = torch.arange(1437, 1797)
    right = judge.classes(DIGITS.batch(unseen)) == DIGITS.factors(unseen)[:, 0]
    assert right.double().mean() > 0.95
    probabilities = judge.probabilities(DIGITS.batch(unseen))
    torch.testing.assert_close(  # its network rounds to float32: 2e-7 off was seen
        probabilities.sum(1), torch.ones(360).double(), atol=1e-5, rtol=0
    )
    assert torch.equal(judge.confidence(DIGITS.batch(unseen)), probabilities.amax(1))


def test_the_classifier_is_surer_of_digits_than_of_blends_of_two(judge):
    x = DIGITS.batch(torch.arange(1437, 1797))
    blends = (x + x.roll(1, 0)) / 2
    assert judge.confidence(x).mean() > judge.confidence(blends).mean() + 0.15


def test_classes_are_values_of_the_label_and_unknown_ones_are_left_out():
    class Some(Digits):
        def factors(self, index: Tensor) -> Tensor:
            label = super().factors(index)
            return torch.where(label < 7, -1, label)

    judge = Classifier.fit(Some())
    assert judge.values.tolist() == [7, 8, 9]
    rows = (DIGITS.factors(torch.arange(1797))[:, 0] == 8).nonzero()[:, 0]
    assert (judge.classes(DIGITS.batch(rows)) == 8).double().mean() > 0.95


def test_a_classifier_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least two classes, but 0 came"):
        Classifier.fit(Bars())


@pytest.mark.parametrize(
    ("member", "groups"),
    [(VAE, ["prior", "codes"]), (AutoEncoder, ["diagonal", "full", "mixture", "codes"])],
)
def test_what_a_model_draws_has_numbers_by_where_the_codes_come_from(member, groups):
    data = Subset(DIGITS, 6)
    model = member(network=Linear, latent_dim=2, size=(8, 8)).eval()
    table = CodeTable.encode(model, data)
    found = judge_drawn(model, data, table, 20)
    assert list(found) == groups
    for name, numbers in found.items():
        assert numbers["pictures"] == 20
        assert 0 <= numbers["sure"] <= 1
        assert 0.1 <= numbers["confidence"] <= 1
        assert ("log_density" in numbers) == (name in ("diagonal", "full", "mixture"))
    assert found == judge_drawn(model, data, table, 20)
    assert found != judge_drawn(model, data, table, 20, seed=1)


def test_one_gaussian_is_too_simple_for_the_codes_of_digits():
    """An autoencoder of 600 steps: each density comes nearer to the digits than the one before."""
    model = AutoEncoder(
        network=lambda c, d, o, **more: MLP(c, d, o, hidden=[64], **more), latent_dim=8, lr=3e-3,
        size=(8, 8),
    )  # fmt: skip
    optimizers = model.configure_optimizers()
    for step in range(600):
        rows = Stream(0, "digits of a step").integers(step, len(DIGITS), 128)
        take_step(model, optimizers, Batch(DIGITS.batch(rows)), torch.empty(128, 0), step)
    found = judge_drawn(model.eval(), DIGITS, CodeTable.encode(model, DIGITS), 400)
    simple, full, mixture, codes = found.values()
    for nearer, farther in ((full, simple), (mixture, full), (codes, mixture)):
        error = nearer["distance_error"] + farther["distance_error"]
        assert nearer["distance"] < farther["distance"] - 2 * error
    assert mixture["confidence"] > max(simple["confidence"], full["confidence"]) + 0.05
    assert mixture["sure"] > max(simple["sure"], full["sure"]) + 0.1
    assert simple["log_density"] < full["log_density"] - 0.3 < mixture["log_density"] - 1.3


def test_the_numbers_are_those_of_the_pictures():
    """A decoder that always draws the picture of one square, one pixel of it wrong."""

    class Stuck(VAE):
        def picture(self, z: Tensor) -> Tensor:
            picture = SQUARES.batch(torch.tensor([40]))
            picture[0, 0, 63, 63] = 1
            return picture.expand(len(z), -1, -1, -1)

    model = Stuck(network=Linear, latent_dim=2)
    found = judge_drawn(model, SQUARES, CodeTable.encode(model, SQUARES), 5)
    numbers = {"pictures": 5, "seed": 0, "distance": 1.0, "distance_error": 0.0}
    assert found["prior"] == numbers
    assert found["codes"] == found["prior"]


class Exact(VAE):
    """Draws what its conditions say, but for every other picture another value of the first."""

    conditions = (0, 1)
    shown: Tensor

    def given(self, factors: Tensor | None) -> VAE:
        assert factors is not None
        own, shown = copy.copy(self), factors.clone()
        shown[::2, 0] = (shown[::2, 0] + 1) % SQUARES.grid.sizes[0]
        own.shown = shown
        return own

    def picture(self, z: Tensor) -> Tensor:
        return SQUARES.batch(SQUARES.grid.index(self.shown))


def test_a_condition_is_right_where_the_nearest_real_picture_shows_it():
    model = Exact(network=Linear, latent_dim=2).eval()
    codes = CodeTable(torch.zeros(len(SQUARES), 2), None, SQUARES.grid)
    found = judge_drawn(model, SQUARES, codes, 6, seed=3)
    first, second = SQUARES.names[:2]
    assert found["prior"][f"right_{first}"] == 0.5
    assert found["prior"][f"right_{second}"] == 1
    assert found["prior"]["distance"] == 0
    assert f"right_{first}" not in found["codes"]


def test_an_evaluation_holds_them_and_they_are_printed(capsys):
    data = Subset(DIGITS, 12)
    model = AutoEncoder(network=Linear, latent_dim=2, size=(8, 8)).eval()
    record = evaluate(model, model, data, Options(["active_units"], drawn=4))[0]
    assert set(record["drawn"]) == {"diagonal", "full", "mixture", "codes"}
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    row = score_columns(record)
    assert row["drawn.mixture.distance"] == record["drawn"]["mixture"]["distance"]
    print_scores("runs/a", record)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    distance = f"{record['drawn']['full']['distance']:.3f}"
    assert any(line[:2] == ["full", distance] and len(line) == 6 for line in lines)
    assert "drawn" not in evaluate(model, model, data, Options(["active_units"]))[0]


@pytest.mark.parametrize("drawn", [-1, 1])
def test_numbers_of_pictures_that_cannot_be_are_refused(drawn):
    with pytest.raises(ValueError, match=f"got drawn={drawn}, but 0 or at least 2 pictures"):
        Options(drawn=drawn)
