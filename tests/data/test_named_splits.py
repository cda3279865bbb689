# SPDX-License-Identifier: Apache-2.0
"""The splits with a name: what they hold out, by counting."""

import numpy as np
import pytest
import torch

from disent.data.cars3d import Cars3D
from disent.data.named_splits import NAMES, named_split
from disent.data.shapes3d import SCALES
from disent.data.splits import held_out, held_out_pictures
from disent.grid import FactorGrid
from tests.bars import LabelledBars
from tests.tiny import Squares

DSPRITES = FactorGrid(("shape", "scale", "orientation", "pos_x", "pos_y"), (3, 6, 40, 32, 32))
SHAPES3D = FactorGrid(
    ("floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation"),
    (10, 10, 10, 8, 4, 15),
)
SMALL = FactorGrid(("size", "pos_x", "pos_y"), (2, 8, 8))
GRIDS = {"dsprites": DSPRITES, "shapes3d": SHAPES3D, "small": SMALL}


def dsprites_values() -> dict[str, np.ndarray]:
    """The official values of each factor, degrees for the orientation."""
    factors = DSPRITES.all_factors().numpy().T
    shape, scale, orientation, x, y = factors
    return {
        "shape": shape,
        "scale": np.linspace(0.5, 1, 6)[scale],
        "angle": orientation * 360 / 39,
        "x": x / 31,
        "y": y / 31,
    }


def test_those_of_montero_on_dsprites_are_those_of_the_official_values():
    v = dsprites_values()
    held = {
        "recombination_to_range": (v["shape"] == 0) & (v["x"] > 0.5),
        "extrapolation": v["x"] > 0.5,
        "recombination_to_element": (v["shape"] == 1)
        & (v["scale"] > 0.61)
        & (v["angle"] > 120.1)
        & (v["angle"] < 239.9)
        & (v["x"] > 0.66)
        & (v["y"] > 0.66),
    }
    for name, mask in held.items():
        assert torch.equal(held_out(DSPRITES, f"montero:{name}"), torch.from_numpy(mask))
    assert held["recombination_to_element"].sum() == 4 * 12 * 11 * 11


def test_those_of_montero_on_3d_shapes_are_those_of_the_official_values():
    floor, wall, thing, scale, shape, angle = SHAPES3D.all_factors().numpy().T
    degrees = np.linspace(-30, 30, 15)[angle]
    corner = (floor / 10 >= 0.8) & (wall / 10 >= 0.8) & (thing / 10 >= 0.8)
    corner &= (SCALES[scale] >= 1.1) & (shape == 1) & (degrees > 20)
    held = {
        "recombination_to_range": (shape == 3) & (thing / 10 >= 0.5),
        "extrapolation": floor / 10 >= 0.5,
        "recombination_to_element": corner,
    }
    for name, mask in held.items():
        assert torch.equal(held_out(SHAPES3D, f"montero:{name}"), torch.from_numpy(mask))
    assert corner.sum() == 2**3 * 3 * 3


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("grid", GRIDS)
def test_every_split_exists_of_every_grid_and_repeats(grid, name):
    mask = held_out(GRIDS[grid], name)
    assert mask.shape == (len(GRIDS[grid]),)
    assert mask.any()
    assert not mask.all()
    assert torch.equal(mask, held_out(GRIDS[grid], f"  {name}\n"))


@pytest.mark.parametrize(
    ("name", "condition"),
    [
        ("montero:interpolation", "2 <= pos_x < 6 and 2 <= pos_y < 6"),
        ("montero:recombination_to_element", "size >= 1 and pos_x >= 6 and pos_y >= 6"),
        ("montero:recombination_to_range", "size == 0 and pos_x >= 4"),
        ("montero:extrapolation", "pos_x >= 4"),
        ("schott:composition", "(size * 3 // 2 + pos_x * 3 // 8 + pos_y * 3 // 8) % 3 != 0"),
        # 4 of 8 values of each: 25 % of the combinations; 5 would be 39 %
        ("schott:interpolation", "pos_x not in (0, 2, 5, 7) or pos_y not in (0, 2, 5, 7)"),
        ("schott:extrapolation", "pos_x >= 4 or pos_y >= 4"),
    ],
)
def test_general_rules(name, condition):
    assert named_split(SMALL, name) == condition


@pytest.mark.parametrize("grid", ["dsprites", "shapes3d"])
@pytest.mark.parametrize("name", [n for n in NAMES if n.startswith("schott")])
def test_those_of_schott_train_on_about_three_tenths(grid, name):
    share = 1 - held_out(GRIDS[grid], name).double().mean()
    assert share == pytest.approx(0.3, abs=0.035)


@pytest.mark.parametrize("name", ["schott:composition", "schott:random", "montero:interpolation"])
@pytest.mark.parametrize("grid", GRIDS)
def test_every_value_of_every_factor_is_trained_on(grid, name):
    seen = GRIDS[grid].all_factors()[~held_out(GRIDS[grid], name)]
    assert [len(column.unique()) for column in seen.T] == list(GRIDS[grid].sizes)


def test_what_is_extrapolated_to_lies_beyond_and_what_is_interpolated_to_between():
    for name, beyond in (("schott:extrapolation", True), ("schott:interpolation", False)):
        mask = held_out(DSPRITES, name)
        seen, unseen = DSPRITES.all_factors()[~mask], DSPRITES.all_factors()[mask]
        assert (seen.amin(0) == 0).all()
        assert (unseen.amax(0) > seen.amax(0)).tolist() == [False, *[beyond] * 4]
        assert len(seen[:, 0].unique()) == 3  # shapes are kinds


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("montero:recombination_to_rnage", "Did you mean montero:recombination_to_range. The spl"),
        ("extrapolation", "Did you mean [a-z]+:extrapolation"),
        ("montero: recombination-to-range", "Did you mean montero:recombination_to_range"),
        ("schot:random", "Did you mean schott:random"),
        ("locatello:all", "The splits: montero:interpolation, montero:recombination_to_element"),
        (":", 'or say a condition, such as "12 <= pos_x < 20"'),
    ],
)
def test_a_misspelt_name_lists_the_names(name, message):
    with pytest.raises(ValueError, match=message):
        held_out(SMALL, name)


@pytest.mark.parametrize("name", [n for n in NAMES if n != "schott:random"])
def test_a_grid_too_small_for_a_split_is_told(name):
    with pytest.raises(ValueError, match=r"does not exist of a grid of pixel 1|holds out"):
        held_out(FactorGrid(("pixel",), (1,)), name)


def test_pictures_of_a_grid_have_them_and_others_say_so():
    assert int(held_out_pictures(Squares(), "montero:extrapolation").sum()) == len(Squares()) // 2
    with pytest.raises(ValueError, match="are of whole grids of factors, but LabelledBars is none"):
        held_out_pictures(LabelledBars(), "montero:extrapolation")


def test_between_two_cars_is_no_car():
    for name in ("schott:interpolation", "schott:extrapolation"):
        assert "object_type" not in str(named_split(Cars3D.grid, name))
