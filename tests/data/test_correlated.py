# SPDX-License-Identifier: Apache-2.0
"""Correlated factors in training: the weights by hand, the draws by counting."""

from itertools import islice
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from disent.data.bursts import BurstLoader
from disent.data.correlated import WeightedDraw, correlation_weights, picture_weights
from disent.data.datamodule import FactorDataModule
from disent.data.loader import FactorLoader
from disent.data.views import SecondView
from disent.fleet import Member
from disent.fleet.loader import FleetLoader
from disent.grid import FactorGrid
from disent.models import VAE
from tests.bars import LabelledBars
from tests.data.probe import fit, module
from tests.data.test_datamodule import SaveAfter, assert_goes_on
from tests.data.tiny import Tiny, indices_of
from tests.fleet.both import SQUARES, small

GRID = FactorGrid(("shape", "scale", "pos_x"), (2, 3, 8))
TEXT = "scale ~ pos_x : 0.3"
LEAST = 1e-6  # p-value below which draws do not follow the weights


def follows(drawn: torch.Tensor, weights: torch.Tensor) -> float:
    """The p-value of counted draws under the weights; places of weight 0 must not be drawn."""
    counts = drawn.bincount(minlength=len(weights)).double()
    assert (counts[weights == 0] == 0).all()
    some, expected = weights > 0, weights / weights.sum() * len(drawn)
    return float(chisquare(counts[some].numpy(), expected[some].numpy()).pvalue)


def loader_of(data: FactorDataModule) -> FactorLoader:
    loader = data.train_dataloader()
    assert isinstance(loader, FactorLoader)
    return loader


def test_weights_by_hand():
    weights = correlation_weights(FactorGrid(("a", "b", "c"), (2, 3, 2)), "a~c:0.5")
    line = torch.exp(torch.tensor([0.0, -2.0, -2.0, 0.0], dtype=torch.float64))
    table = line.view(2, 1, 2).expand(2, 3, 2)
    torch.testing.assert_close(weights.view(2, 3, 2), table / table.sum())


def test_weights_are_those_of_the_paper_in_steps_of_the_factors():
    """exp(-(c1 - alpha c2)^2 / 2 sigma^2), alpha = c1_max / c2_max, sigma times c1's range."""
    c = GRID.all_factors().double()
    alpha, sigma = 2 / 7, 0.3 * 2
    expected = torch.exp(-((c[:, 1] - alpha * c[:, 2]) ** 2) / (2 * sigma**2))
    torch.testing.assert_close(correlation_weights(GRID, TEXT), expected / expected.sum())


@pytest.mark.parametrize("held_out", [None, "pos_x >= 6 or shape == 1 and scale == 0"])
@pytest.mark.parametrize("text", [TEXT, "pos_x ~ scale : 0.02", "shape ~ pos_x : 5"])
def test_a_million_draws_follow_the_weights(held_out, text):
    data = module(batch_size=1000, held_out=held_out, correlated=text)
    loader = loader_of(data)
    drawn = torch.cat([loader.indices(position) for position in range(1000)])
    weights = correlation_weights(Tiny().grid, text)
    weights[data.held_out_index] = 0
    assert follows(drawn, weights) > LEAST


def test_the_count_would_notice_other_weights():
    loader = loader_of(module(batch_size=1000, correlated="scale ~ pos_x : 0.303"))
    drawn = torch.cat([loader.indices(position) for position in range(1000)])
    assert follows(drawn, correlation_weights(GRID, TEXT)) < LEAST


def test_a_batch_is_a_function_of_seed_and_position():
    one, other = module(correlated=TEXT), module(correlated=TEXT)
    wanted = [loader_of(one).at(p).x for p in range(6)]
    assert torch.equal(loader_of(other).at(4).x, wanted[4])
    assert not torch.equal(loader_of(module(correlated=TEXT, seed=1)).at(4).x, wanted[4])


def test_ranks_together_draw_what_one_alone_would():
    weights = correlation_weights(GRID, TEXT)
    settings: dict[str, Any] = {"batch_size": 8, "weights": weights}
    whole = FactorLoader(Tiny(), **settings)
    ranks = [FactorLoader(Tiny(), **settings, rank=r, world_size=2) for r in range(2)]
    for position in range(5):
        parts = [indices_of(rank.at(position).x) for rank in ranks]
        dealt = [index for pair in zip(*parts, strict=True) for index in pair]
        assert dealt == indices_of(whole.at(position).x)


def test_bursts_hold_the_same_batches():
    loader = loader_of(module(correlated=TEXT))
    wanted = [indices_of(loader.at(position).x) for position in range(12)]
    bursts = islice(BurstLoader(loader, 4), 3)
    assert [indices_of(batch.x) for burst in bursts for batch in burst] == wanted


@pytest.mark.filterwarnings("ignore:.isinstance.treespec, LeafSpec:FutureWarning")
def test_a_resumed_run_is_the_uninterrupted_run(tmp_path):
    settings = {"correlated": TEXT, "held_out": "pos_x == 3"}
    path = tmp_path / "stop.ckpt"
    whole = fit(module(**settings), SaveAfter(6, path), max_steps=18)
    assert_goes_on(whole, fit(module(**settings), ckpt_path=path, max_steps=18), 6)


def test_members_of_a_fleet_draw_what_their_runs_alone_would():
    members = []
    for seed in (3, 4):
        data = FactorDataModule(SQUARES, 4, seed=seed, correlated="pos_x ~ pos_y : 0.2")
        members.append(Member(f"seed{seed}", VAE(seed=seed, network=small), data))
    for position, step in zip(range(3), FleetLoader(members, torch.device("cpu")), strict=False):
        alone = [m.data.loader_for(m.model).at(position).x for m in members]
        assert torch.equal(step.batch.x, torch.stack(alone))


def test_the_second_batch_follows_the_weights_too():
    weights = correlation_weights(GRID, TEXT)
    view = SecondView("independent", Tiny(), torch.arange(48), 0, weights=weights)
    drawn = torch.cat([view(position, torch.zeros(1000)) for position in range(200)])
    assert follows(drawn, weights) > LEAST


def test_without_correlation_nothing_changes():
    plain = FactorLoader(Tiny(), batch_size=8)
    assert plain.indices(3).tolist() == loader_of(module()).indices(3).tolist()
    assert module().state_dict() == {**module().state_dict(), "correlated": None}
    before = {k: v for k, v in module().state_dict().items() if k != "correlated"}
    module().load_state_dict(before)  # of a version that did not know it
    with pytest.raises(ValueError, match="correlated=None, but this run has correlated='scale ~"):
        module(correlated=TEXT).load_state_dict(before)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("scale ~ posx : 0.2", "no factor is named posx. Did you mean pos_x"),
        ("scale ~ pos_x : 0", "sigma must be a number above 0"),
        ("scale ~ pos_x : -1", "sigma must be a number above 0"),
        ("scale ~ pos_x : nan", "sigma must be a number above 0"),
        ("scale ~ pos_x : inf", "sigma must be a number above 0"),
        ("scale ~ pos_x : strong", "sigma must be a number above 0"),
        ("scale ~ pos_x", "FACTOR ~ FACTOR : SIGMA is wanted"),
        ("scale, pos_x: 0.2", "FACTOR ~ FACTOR : SIGMA is wanted"),
        ("scale ~ scale : 0.2", "two different factors are wanted"),
    ],
)
def test_what_is_no_correlation_is_one_line(text, message):
    with pytest.raises(ValueError, match=message) as error:
        module(correlated=text)
    assert "\n" not in str(error.value)


def test_what_has_no_weights_is_one_line():
    with pytest.raises(ValueError, match="correlated factors want sampling 'iid'"):
        module("shuffled", correlated=TEXT)
    with pytest.raises(ValueError, match="LabelledBars is no whole grid of factors"):
        picture_weights(LabelledBars(), TEXT)
    with pytest.raises(ValueError, match="but one has one value: it cannot vary"):
        correlation_weights(FactorGrid(("one", "two"), (1, 2)), "one~two:1")
    with pytest.raises(ValueError, match="every picture that may be drawn has weight 0"):
        module(correlated="shape ~ pos_x : 0.001", held_out="pos_x in (0, 7)")
    with pytest.raises(ValueError, match=r"weights has shape \[2\], but \[48\] is wanted"):
        FactorLoader(Tiny(), batch_size=8, weights=torch.ones(2))
    weights = torch.ones(48)
    weights[7] = -2
    with pytest.raises(
        ValueError, match="1 of 48 weights are negative or not finite, the first -2"
    ):
        FactorLoader(Tiny(), batch_size=8, weights=weights)


def test_places_of_no_weight_are_never_drawn_at_the_ends():
    draw = WeightedDraw(torch.tensor([0.0, 0.1, 0.0, 0.2, 0.0]))
    assert draw(np.array([0.0, 0.3, 0.34, np.nextafter(1.0, 0.0)])).tolist() == [1, 1, 3, 3]
