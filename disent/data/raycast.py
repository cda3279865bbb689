# SPDX-License-Identifier: Apache-2.0
"""The room of 3D Shapes as it looks: camera, walls, object and light, one ray per sub-pixel.

Every constant was fitted to 50 published pictures of the real set; none is the original's. Lengths
are in units in which the room is 7 wide. x runs to the right, y away from the camera, z upwards;
the camera turns about the object, which stands at the origin of the floor. Points, rays and normals
have their components along the first axis.

The work is NumPy's, on one core: PyTorch would wake its other threads for every small step, which
takes a hundred times as long as soon as another process wants the same cores.
"""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

SKY, WALL, FLOOR, OBJECT = range(4)  # materials
CUBE, CYLINDER, SPHERE, CAPSULE = range(4)  # values of the factor shape
NOWHERE = 1e9  # the distance of what a ray does not meet

CAMERA_DISTANCE, CAMERA_HEIGHT, CAMERA_PITCH, FOCAL_LENGTH = 2.8310, 0.9454, 0.0283, 72.0704
WALL_HEIGHT, BACK_WALL, SIDE_WALL = 2.0284, 3.5558, 3.5
CUBE_HALF, CYLINDER_RADIUS, CYLINDER_HALF = 0.4049, 0.4059, 0.4101
SPHERE_RADIUS, CAPSULE_RADIUS, CAPSULE_HALF = 0.4574, 0.3522, 0.3461
HOVER = 0.0561  # the object's height above the floor
LIGHT = (-1.4991, -0.7295, 6.5909)
# by material: constant, times cos(light), times cos(view)
AMBIENT = np.array([0.0, -0.0880, 0.3553, 0.5847])
DIFFUSE = np.array([0.0, 0.0445, 0.0094, 0.7448])
FRONTAL = np.array([0.0, 1.1365, 0.0460, 0.3173])
SPECULAR, SHININESS = 0.1242, 4.5862
POOL, POOL_X, POOL_Y, POOL_WIDTH = 0.8924, -1.4650, 0.5828, 2.4333  # of light, on the floor
WALL_SLOPE_X, WALL_SLOPE_Z = -0.0128, -0.0174

Scalars = Float[np.ndarray, "h w"]
Vectors = Float[np.ndarray, "3 h w"]
Hit = tuple[Scalars, Vectors]  # distance along the ray, outward normal


class Shading(NamedTuple):
    """What each ray meets: its material, how bright, and how much white the light adds."""

    material: Int[np.ndarray, "h w"]
    intensity: Scalars
    highlight: Scalars


def trace(scale: float, shape: int, degrees: float, *, side: int = 64, samples: int = 3) -> Shading:
    """One geometry, seen by `samples` x `samples` rays per pixel.

    Args:
        scale: Size of the object, 0.75 to 1.25.
        shape: 0 cube, 1 cylinder, 2 sphere, 3 capsule.
        degrees: Of the camera about the object, -30 to 30.
        side: Pixels of the picture's side.
        samples: Rays per pixel along each axis.
    """
    eye, rays = camera(math.radians(degrees), side, samples)
    room, normal, material = _room(eye, rays)
    distance, object_normal = meet_object(shape, scale, eye, rays)
    nearer = distance < room
    material = np.where(nearer, OBJECT, material)
    normal = np.where(nearer, object_normal, normal)
    point = eye + np.minimum(np.minimum(room, distance), 50) * rays
    to_light = _vector(*LIGHT) - point
    far = np.sqrt(_dot(to_light, to_light))
    to_light = to_light / far
    lit = meet_object(shape, scale, point + 2e-3 * normal, to_light)[0] >= far
    facing = _dot(normal, to_light).clip(0) * lit
    frontal = (-_dot(normal, rays)).clip(0)
    intensity = AMBIENT[material] + DIFFUSE[material] * facing + FRONTAL[material] * frontal
    intensity += _uneven(point, material, lit)
    mirrored = _dot(normal, _unit(to_light - rays)).clip(0)
    highlight = SPECULAR * mirrored**SHININESS * (lit & (material == OBJECT))
    return Shading(material, intensity, highlight)


def camera(angle: float, side: int, samples: int) -> tuple[Float[np.ndarray, "3 1 1"], Vectors]:
    """Where the eye is after a turn by `angle` (radians), and a unit ray through each sub-pixel."""
    across = (np.arange(side * samples) + 0.5) / samples - side / 2
    right, up = np.meshgrid(across / FOCAL_LENGTH, -across / FOCAL_LENGTH)
    cosine, sine = math.cos(CAMERA_PITCH), math.sin(CAMERA_PITCH)
    ahead, up = cosine + up * sine, up * cosine - sine
    cosine, sine = math.cos(angle), math.sin(angle)
    rays = np.stack([right * cosine - ahead * sine, right * sine + ahead * cosine, up])
    eye = _vector(CAMERA_DISTANCE * sine, -CAMERA_DISTANCE * cosine, CAMERA_HEIGHT)
    return eye, _unit(rays)


def meet_object(shape: int, scale: float, origin: np.ndarray, rays: Vectors) -> Hit:
    """The first point at which rays from `origin` [3, h, w] or [3, 1, 1] meet the object."""
    origin = origin - _vector(0, 0, HOVER)
    if shape == CUBE:
        return _box(origin, rays, CUBE_HALF * scale)
    if shape == CYLINDER:
        return _cylinder(origin, rays, CYLINDER_RADIUS * scale, 2 * CYLINDER_HALF * scale)
    if shape == SPHERE:
        return _ball(origin, rays, SPHERE_RADIUS * scale, SPHERE_RADIUS * scale)
    radius = CAPSULE_RADIUS * scale
    top = radius + 2 * CAPSULE_HALF * scale
    hit = _tube(origin, rays, radius, radius, top)
    for centre in (radius, top):
        hit = _first(hit, _ball(origin, rays, radius, centre))
    return hit


def _room(eye: np.ndarray, rays: Vectors) -> tuple[Scalars, Vectors, Int[np.ndarray, "h w"]]:
    """Distance, normal and material of the floor, the three walls, or the sky above them."""
    down = rays[2] < 0
    distance = np.where(down, -eye[2] / _divisor(rays[2]), NOWHERE)
    material = np.where(down, FLOOR, SKY)
    normal = np.broadcast_to(_vector(0, 0, 1), rays.shape)
    for axis, place in ((0, SIDE_WALL), (0, -SIDE_WALL), (1, BACK_WALL)):
        along = (place - eye[axis]) / _divisor(rays[axis])
        meets = (along > 0) & (rays[axis] * place > 0) & (along < distance)
        height = eye[2] + along * rays[2]
        material = np.where(meets, np.where(height <= WALL_HEIGHT, WALL, SKY), material)
        inward = _vector(0, 0, 0)
        inward[axis] = -np.sign(place)
        normal = np.where(meets, inward, normal)
        distance = np.where(meets, along, distance)
    return distance, normal, material


def _uneven(
    point: Vectors, material: Int[np.ndarray, "h w"], lit: Bool[np.ndarray, "h w"]
) -> Scalars:
    """The pool of light on the floor, and the slope of brightness along the walls."""
    away = (point[0] - POOL_X) ** 2 + (point[1] - POOL_Y) ** 2
    pool = POOL * np.exp(-away / (2 * POOL_WIDTH**2)) * lit
    slope = WALL_SLOPE_X * point[0] + WALL_SLOPE_Z * (point[2] - 1)
    return pool * (material == FLOOR) + slope * (material == WALL)


def _box(origin: np.ndarray, rays: Vectors, half: float) -> Hit:
    """A cube that stands on the plane z = 0."""
    low, high = _vector(-half, -half, 0), _vector(half, half, 2 * half)
    one, other = (low - origin) / _divisor(rays), (high - origin) / _divisor(rays)
    entered = np.minimum(one, other)
    enter, leave = entered.max(0), np.maximum(one, other).min(0)
    meets = (enter < leave) & (enter > 1e-4)
    through = np.arange(3).reshape(3, 1, 1) == entered.argmax(0)
    return np.where(meets, enter, NOWHERE), np.where(through, -np.sign(rays), 0)


def _ball(origin: np.ndarray, rays: Vectors, radius: float, height: float) -> Hit:
    """A sphere whose centre is at z = `height`."""
    offset = origin - _vector(0, 0, height)
    half = _dot(offset, rays)
    square = half**2 - _dot(offset, offset) + radius**2
    distance = -half - np.sqrt(square.clip(0))
    distance = np.where((square > 0) & (distance > 1e-4), distance, NOWHERE)
    return distance, (offset + np.minimum(distance, 99) * rays) / radius


def _cylinder(origin: np.ndarray, rays: Vectors, radius: float, height: float) -> Hit:
    """An upright cylinder that stands on the plane z = 0, with its lids."""
    hit = _tube(origin, rays, radius, 0, height)
    for lid, up in ((height, 1), (0, -1)):
        along = (lid - origin[2]) / _divisor(rays[2])
        x, y = origin[0] + along * rays[0], origin[1] + along * rays[1]
        inside = (x**2 + y**2 <= radius**2) & (along > 1e-4)
        facing = np.broadcast_to(_vector(0, 0, up), rays.shape)
        hit = _first(hit, (np.where(inside, along, NOWHERE), facing))
    return hit


def _tube(origin: np.ndarray, rays: Vectors, radius: float, low: float, high: float) -> Hit:
    """The outside of an upright tube from z = `low` to `high`, without lids."""
    flat = _dot(rays[:2], rays[:2]).clip(1e-12)
    half = _dot(origin[:2], rays[:2])
    square = half**2 - flat * (_dot(origin[:2], origin[:2]) - radius**2)
    distance = (-half - np.sqrt(square.clip(0))) / flat
    z = origin[2] + distance * rays[2]
    meets = (square > 0) & (distance > 1e-4) & (z >= low) & (z <= high)
    distance = np.where(meets, distance, NOWHERE)
    normal = (origin + np.minimum(distance, 99) * rays) / radius
    normal[2] = 0
    return distance, normal


def _first(one: Hit, other: Hit) -> Hit:
    return np.minimum(one[0], other[0]), np.where(other[0] < one[0], other[1], one[1])


def _vector(x: float, y: float, z: float) -> Float[np.ndarray, "3 1 1"]:
    return np.array([x, y, z], dtype=np.float64).reshape(3, 1, 1)


def _dot(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return (one * other).sum(0)


def _unit(vectors: Vectors) -> Vectors:
    return vectors / np.sqrt(_dot(vectors, vectors))


def _divisor(values: np.ndarray) -> np.ndarray:
    """`values`, with those next to zero moved to where they can be divided by."""
    return np.where(np.abs(values) < 1e-9, 1e-9, values)
