# SPDX-License-Identifier: Apache-2.0
"""Rays whose meeting points can be worked out by hand."""

import math

import numpy as np
import pytest

from disent.data import raycast
from disent.data.raycast import CAPSULE, CUBE, CYLINDER, SPHERE, meet_object, trace

HALF_HEIGHT = {  # at scale 1, of the object above the point that it hovers over
    CUBE: raycast.CUBE_HALF,
    CYLINDER: raycast.CYLINDER_HALF,
    SPHERE: raycast.SPHERE_RADIUS,
    CAPSULE: raycast.CAPSULE_RADIUS + raycast.CAPSULE_HALF,
}
HALF_WIDTH = {
    CUBE: raycast.CUBE_HALF,
    CYLINDER: raycast.CYLINDER_RADIUS,
    SPHERE: raycast.SPHERE_RADIUS,
    CAPSULE: raycast.CAPSULE_RADIUS,
}


def vector(*components: float) -> np.ndarray:
    return np.array(components, dtype=np.float64).reshape(3, 1, 1)


def meet(shape, scale, origin, ray) -> tuple[float, list[float]]:
    distance, normal = meet_object(shape, scale, vector(*origin), vector(*ray))
    return float(distance[0, 0]), normal[:, 0, 0].tolist()


@pytest.mark.parametrize("scale", [0.75, 1.25])
@pytest.mark.parametrize("shape", range(4))
def test_from_above_from_below_and_from_the_side(shape, scale):
    top = raycast.HOVER + 2 * scale * HALF_HEIGHT[shape]
    middle = (top + raycast.HOVER) / 2
    distance, normal = meet(shape, scale, (0.01, 0.02, 5), (0, 0, -1))
    assert distance == pytest.approx(5 - top, abs=1e-3)
    np.testing.assert_allclose(normal, [0, 0, 1], atol=0.1)
    distance, normal = meet(shape, scale, (0.01, 0.02, -1), (0, 0, 1))
    assert distance == pytest.approx(1 + raycast.HOVER, abs=1e-3)
    np.testing.assert_allclose(normal, [0, 0, -1], atol=0.1)
    distance, normal = meet(shape, scale, (0, -3, middle), (0, 1, 0))
    assert distance == pytest.approx(3 - scale * HALF_WIDTH[shape])
    np.testing.assert_allclose(normal, [0, -1, 0], atol=1e-9)


@pytest.mark.parametrize("shape", range(4))
def test_what_lies_behind_or_beside_a_ray_is_not_met(shape):
    assert meet(shape, 1, (0, -3, 0.4), (0, -1, 0))[0] == raycast.NOWHERE
    assert meet(shape, 1, (0, -3, 0.4), (1, 0, 0))[0] == raycast.NOWHERE
    assert meet(shape, 1, (0.6, -3, 0.4), (0, 1, 0))[0] == raycast.NOWHERE


def test_a_cube_has_corners_and_a_cylinder_of_its_width_has_none():
    beside = 0.9 * raycast.CUBE_HALF  # from above, on the diagonal: 1.27 half widths away
    down = (beside, beside, 5), (0, 0, -1)
    assert meet(CUBE, 1, *down)[0] < 5
    assert meet(CYLINDER, 1, *down)[0] == raycast.NOWHERE


def test_the_camera_turns_about_the_object_and_looks_at_it():
    for angle in (-math.pi / 6, 0.0, math.pi / 6):
        eye, rays = raycast.camera(angle, side=64, samples=1)
        assert np.hypot(eye[0], eye[1]).item() == pytest.approx(raycast.CAMERA_DISTANCE)
        np.testing.assert_allclose((rays**2).sum(0), 1)
        middle = rays[:, 31:33, 31:33].mean((1, 2))
        np.testing.assert_allclose(
            middle[:2] / np.hypot(*middle[:2]), -eye[:2, 0, 0] / raycast.CAMERA_DISTANCE, atol=1e-9
        )


def test_level_with_the_room_the_picture_has_sky_above_walls_above_floor():
    material = trace(1.0, SPHERE, 0.0, samples=1).material
    assert material.shape == (64, 64)
    left = material[:, 0].tolist()
    assert left == sorted(left)  # from the top: sky 0, wall 1, floor 2
    assert set(left) == {raycast.SKY, raycast.WALL, raycast.FLOOR}
    np.testing.assert_array_equal(material, material[:, ::-1])
    assert material[40, 32] == raycast.OBJECT


def test_turning_the_camera_to_either_side_shows_mirrored_materials():
    for shape in range(4):
        right, left = (trace(1.0, shape, angle, samples=1).material for angle in (-30.0, 30.0))
        assert (right != left).any()
        assert (right != left[:, ::-1]).mean() < 0.001  # rays through an edge


def test_a_larger_object_covers_more_and_casts_a_shadow():
    small, large = (trace(scale, CUBE, 0.0) for scale in (0.75, 1.25))
    covered = [int((t.material == raycast.OBJECT).sum()) for t in (small, large)]
    assert covered[1] > 2 * covered[0]
    floor = large.intensity[large.material == raycast.FLOOR]
    assert floor.min() < 0.5 * np.median(floor)
    assert not large.highlight[large.material != raycast.OBJECT].any()
