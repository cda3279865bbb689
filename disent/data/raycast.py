# SPDX-License-Identifier: Apache-2.0
"""The room of 3D Shapes as it looks: camera, walls, object and light, one ray per sub-pixel.

Every constant was fitted to 50 published pictures of the real set; none is the original's. Lengths
are in units in which the room is 7 wide. x runs to the right, y away from the camera, z upwards;
the camera turns about the object, which stands at the origin of the floor.
"""

import math
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import normalize, one_hot

SKY, WALL, FLOOR, OBJECT = range(4)  # materials
CUBE, CYLINDER, SPHERE, CAPSULE = range(4)  # values of the factor shape
NOWHERE = 1e9  # the distance of what a ray does not meet

CAMERA_DISTANCE, CAMERA_HEIGHT, CAMERA_PITCH, FOCAL_LENGTH = 2.8310, 0.9454, 0.0283, 72.0704
WALL_HEIGHT, BACK_WALL, SIDE_WALL = 2.0284, 3.5558, 3.5
CUBE_HALF, CYLINDER_RADIUS, CYLINDER_HALF = 0.4049, 0.4059, 0.4101
SPHERE_RADIUS, CAPSULE_RADIUS, CAPSULE_HALF = 0.4574, 0.3522, 0.3461
HOVER = 0.0561  # the object's height above the floor
LIGHT = torch.tensor([-1.4991, -0.7295, 6.5909])
# by material: constant, times cos(light), times cos(view)
AMBIENT = torch.tensor([0.0, -0.0880, 0.3553, 0.5847])
DIFFUSE = torch.tensor([0.0, 0.0445, 0.0094, 0.7448])
FRONTAL = torch.tensor([0.0, 1.1365, 0.0460, 0.3173])
SPECULAR, SHININESS = 0.1242, 4.5862
POOL, POOL_X, POOL_Y, POOL_WIDTH = 0.8924, -1.4650, 0.5828, 2.4333  # of light, on the floor
WALL_SLOPE_X, WALL_SLOPE_Z = -0.0128, -0.0174

Hit = tuple[Float[Tensor, "*r"], Float[Tensor, "*r 3"]]  # distance along the ray, outward normal


class Shading(NamedTuple):
    """What each ray meets: its material, how bright, and how much white the light adds."""

    material: Int[Tensor, "h w"]
    intensity: Float[Tensor, "h w"]
    highlight: Float[Tensor, "h w"]


def trace(scale: float, shape: int, degrees: float, *, side: int = 64, samples: int = 3) -> Shading:
    """One geometry, seen by `samples` x `samples` rays per pixel.

    Args:
        scale: Size of the object, 0.75 to 1.25.
        shape: 0 cube, 1 cylinder, 2 sphere, 3 capsule.
        degrees: Of the camera about the object, -30 to 30.
        side: Pixels of the picture's side.
        samples: Rays per pixel along each axis.
    """
    eye, rays = _camera(math.radians(degrees), side, samples)
    room, normal, material = _room(eye, rays)
    distance, object_normal = _object(shape, scale, eye.expand_as(rays), rays)
    nearer = distance < room
    material = torch.where(nearer, OBJECT, material)
    normal = torch.where(nearer[..., None], object_normal, normal)
    point = eye + torch.minimum(room, distance).clamp(max=50)[..., None] * rays
    to_light = LIGHT - point
    far = to_light.norm(dim=-1)
    to_light = to_light / far[..., None]
    lit = _object(shape, scale, point + 2e-3 * normal, to_light)[0] >= far
    facing = (normal * to_light).sum(-1).clamp(min=0) * lit
    frontal = (-(normal * rays).sum(-1)).clamp(min=0)
    intensity = (
        AMBIENT[material] + DIFFUSE[material] * facing + FRONTAL[material] * frontal
    ) + _uneven(point, material, lit)
    mirrored = (normal * normalize(to_light - rays, dim=-1)).sum(-1).clamp(min=0)
    highlight = SPECULAR * mirrored**SHININESS * lit * (material == OBJECT)
    return Shading(material, intensity, highlight)


def _camera(angle: float, side: int, samples: int) -> tuple[Tensor, Tensor]:
    """Where the eye is, and a unit ray through each sub-pixel."""
    across = (torch.arange(side * samples) + 0.5) / samples - side / 2
    right, up = torch.meshgrid(across / FOCAL_LENGTH, -across / FOCAL_LENGTH, indexing="xy")
    cosine, sine = math.cos(CAMERA_PITCH), math.sin(CAMERA_PITCH)
    ahead, up = cosine + up * sine, up * cosine - sine
    cosine, sine = math.cos(angle), math.sin(angle)
    rays = torch.stack([right * cosine - ahead * sine, right * sine + ahead * cosine, up], -1)
    eye = torch.tensor([CAMERA_DISTANCE * sine, -CAMERA_DISTANCE * cosine, CAMERA_HEIGHT])
    return eye, normalize(rays, dim=-1)


def _room(eye: Tensor, rays: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Distance, normal and material of the floor, the three walls, or the sky above them."""
    down = rays[..., 2] < 0
    distance = torch.where(down, -eye[2] / _divisor(rays[..., 2]), NOWHERE)
    material = torch.where(down, FLOOR, SKY)
    normal = torch.tensor([0.0, 0.0, 1.0]).repeat(*rays.shape[:-1], 1)
    for axis, place in ((0, SIDE_WALL), (0, -SIDE_WALL), (1, BACK_WALL)):
        along = (place - eye[axis]) / _divisor(rays[..., axis])
        meets = (along > 0) & (rays[..., axis] * place > 0) & (along < distance)
        height = eye[2] + along * rays[..., 2]
        material = torch.where(meets, torch.where(height <= WALL_HEIGHT, WALL, SKY), material)
        inward = -math.copysign(1, place) * one_hot(torch.tensor(axis), 3)
        normal = torch.where(meets[..., None], inward, normal)
        distance = torch.where(meets, along, distance)
    return distance, normal, material


def _uneven(point: Tensor, material: Tensor, lit: Bool[Tensor, "h w"]) -> Float[Tensor, "h w"]:
    """The pool of light on the floor, and the slope of brightness along the walls."""
    away = (point[..., 0] - POOL_X) ** 2 + (point[..., 1] - POOL_Y) ** 2
    pool = POOL * torch.exp(-away / (2 * POOL_WIDTH**2)) * lit
    slope = WALL_SLOPE_X * point[..., 0] + WALL_SLOPE_Z * (point[..., 2] - 1)
    return pool * (material == FLOOR) + slope * (material == WALL)


def _object(shape: int, scale: float, origin: Tensor, rays: Tensor) -> Hit:
    """The first point at which rays meet the object."""
    origin = origin - torch.tensor([0.0, 0.0, HOVER])
    if shape == CUBE:
        return _box(origin, rays, CUBE_HALF * scale)
    if shape == CYLINDER:
        height = 2 * CYLINDER_HALF * scale
        return _cylinder(origin, rays, CYLINDER_RADIUS * scale, 0.0, height, closed=True)
    if shape == SPHERE:
        return _ball(origin, rays, SPHERE_RADIUS * scale, SPHERE_RADIUS * scale)
    radius = CAPSULE_RADIUS * scale
    top = radius + 2 * CAPSULE_HALF * scale
    hit = _cylinder(origin, rays, radius, radius, top, closed=False)
    for centre in (radius, top):
        hit = _first(hit, _ball(origin, rays, radius, centre))
    return hit


def _box(origin: Tensor, rays: Tensor, half: float) -> Hit:
    """A cube that stands on the plane z = 0."""
    low, high = torch.tensor([-half, -half, 0.0]), torch.tensor([half, half, 2 * half])
    one, other = (low - origin) / _divisor(rays), (high - origin) / _divisor(rays)
    enter, axis = torch.minimum(one, other).max(-1)
    leave = torch.maximum(one, other).amin(-1)
    meets = (enter < leave) & (enter > 1e-4)
    normal = -one_hot(axis, 3) * torch.sign(rays)
    return torch.where(meets, enter, NOWHERE), normal


def _ball(origin: Tensor, rays: Tensor, radius: float, height: float) -> Hit:
    """A sphere whose centre is at z = `height`."""
    offset = origin - torch.tensor([0.0, 0.0, height])
    half = (offset * rays).sum(-1)
    square = half**2 - (offset**2).sum(-1) + radius**2
    distance = -half - square.clamp(min=0).sqrt()
    distance = torch.where((square > 0) & (distance > 1e-4), distance, NOWHERE)
    return distance, (offset + distance.clamp(max=99)[..., None] * rays) / radius


def _cylinder(
    origin: Tensor, rays: Tensor, radius: float, low: float, high: float, *, closed: bool
) -> Hit:
    """An upright tube from z = `low` to `high`, with lids if it is closed."""
    flat = (rays[..., :2] ** 2).sum(-1).clamp(min=1e-12)
    half = (origin[..., :2] * rays[..., :2]).sum(-1)
    square = half**2 - flat * ((origin[..., :2] ** 2).sum(-1) - radius**2)
    distance = (-half - square.clamp(min=0).sqrt()) / flat
    z = origin[..., 2] + distance * rays[..., 2]
    meets = (square > 0) & (distance > 1e-4) & (z >= low) & (z <= high)
    distance = torch.where(meets, distance, NOWHERE)
    normal = (origin + distance.clamp(max=99)[..., None] * rays) / radius
    hit = distance, normal * torch.tensor([1.0, 1.0, 0.0])
    for lid, up in ((high, 1.0), (low, -1.0)) if closed else ():
        along = (lid - origin[..., 2]) / _divisor(rays[..., 2])
        place = origin[..., :2] + along[..., None] * rays[..., :2]
        inside = ((place**2).sum(-1) <= radius**2) & (along > 1e-4)
        facing = torch.tensor([0.0, 0.0, up]).expand_as(rays)
        hit = _first(hit, (torch.where(inside, along, NOWHERE), facing))
    return hit


def _first(one: Hit, other: Hit) -> Hit:
    nearer = other[0] < one[0]
    return torch.minimum(one[0], other[0]), torch.where(nearer[..., None], other[1], one[1])


def _divisor(values: Tensor) -> Tensor:
    """`values`, with those next to zero moved to where they can be divided by."""
    return torch.where(values.abs() < 1e-9, 1e-9, values)
