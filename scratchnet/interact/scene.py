"""A picture like a photograph, computed: what a camera would see of three things on a tiled floor.

The notebooks need one picture with edges in all directions, colours, shadows and grain, larger than the embedded
28 x 28 ones, and free of anybody's rights. So it is drawn, by following a ray of light back from each pixel: to the
nearest thing, and from there to the lamp, to see whether the place lies in a shadow.
"""

from __future__ import annotations

import numpy as np

from scratchnet.arguments import check_count

_EYE = np.array([0.0, 1.55, -4.2])  # x to the right, y up, z away from the camera
_LAMP = np.array([-0.55, 0.72, -0.42])  # the direction to the lamp
_BALLS = (((-0.95, 0.62, 0.1), 0.62, (0.86, 0.2, 0.12)), ((0.2, 0.3, -1.15), 0.3, (0.95, 0.78, 0.2)))
_BOX = ((0.95, 0.6, 0.55), (0.52, 0.6, 0.42), 0.5, (0.12, 0.5, 0.62))  # centre, half of its sides, angle, colour
_FAR = 1e9


def _ball(eye: np.ndarray, ray: np.ndarray, centre: tuple, radius: float) -> tuple[np.ndarray, np.ndarray]:
    """Distance along each ray to a ball, and the normal there: the root of |eye + t ray - centre|^2 = radius^2."""
    to_eye = eye - np.array(centre)
    half, rest = (to_eye * ray).sum(-1), (to_eye**2).sum(-1) - radius**2
    root = half**2 - rest
    distance = np.where(root > 0, -half - np.sqrt(np.maximum(root, 0)), _FAR)
    distance = np.where(distance > 1e-4, distance, _FAR)
    return distance, (to_eye + ray * distance[..., None]) / radius


def _box(eye: np.ndarray, ray: np.ndarray, centre: tuple, half: tuple, angle: float) -> tuple[np.ndarray, np.ndarray]:
    """Distance along each ray to a box that is turned about the vertical, and the normal there."""
    turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    start, way = (eye - np.array(centre)) @ turn.T, ray @ turn.T
    way = np.where(np.abs(way) < 1e-9, 1e-9, way)
    enters = (-np.sign(way) * half - start) / way  # where the ray passes the nearer one of each pair of faces
    leaves = (np.sign(way) * half - start) / way
    distance, face = enters.max(-1), enters.argmax(-1)
    hit = (distance < leaves.min(-1)) & (distance > 1e-4)
    normal = np.eye(3)[face] * -np.sign(np.take_along_axis(way, face[..., None], -1))
    return np.where(hit, distance, _FAR), normal @ turn


def _floor(eye: np.ndarray, ray: np.ndarray) -> np.ndarray:
    """Distance along each ray to the floor, y = 0."""
    down = ray[..., 1] < -1e-6
    return np.where(down & (eye[..., 1] > 1e-6), -eye[..., 1] / np.where(down, ray[..., 1], -1), _FAR)


def _nearest(eye: np.ndarray, ray: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distance to the first thing on each ray, the normal of its surface, and its colour."""
    distance = _floor(eye, ray)
    normal = np.broadcast_to([0.0, 1.0, 0.0], ray.shape)
    place = eye + ray * np.minimum(distance, 1e3)[..., None]
    dark = (np.floor(place[..., 0] / 0.7) + np.floor(place[..., 2] / 0.7)) % 2
    colour = np.where(dark[..., None] > 0, [0.5, 0.44, 0.38], [0.8, 0.75, 0.66])
    things = [(*_ball(eye, ray, centre, radius), colour_of) for centre, radius, colour_of in _BALLS]
    things.append((*_box(eye, ray, *_BOX[:3]), _BOX[3]))
    for there, normal_there, colour_there in things:
        nearer = (there < distance)[..., None]
        distance = np.minimum(distance, there)
        normal = np.where(nearer, normal_there, normal)
        colour = np.where(nearer, np.array(colour_there), colour)
    return distance, normal, colour


def scene(size: int = 96) -> np.ndarray:
    """Two balls and a box on tiles, in the light of one lamp: (size, size, 3), float32, from 0 to 1.

    The same picture each time. Each pixel is the mean of nine rays, as a camera's pixel gathers light from an area, and
    has a little grain.

    Raises:
        ValueError: size is no whole number above 0.
    """
    fine = 3 * check_count(size, "size", "interact.scene")
    across = (np.arange(fine) + 0.5) / fine * 2 - 1
    u, v = np.meshgrid(across, across)
    ray = np.stack([u, -v - 0.42, np.full_like(u, 2.0)], axis=-1)
    ray /= np.linalg.norm(ray, axis=-1, keepdims=True)
    lamp = _LAMP / np.linalg.norm(_LAMP)
    distance, normal, colour = _nearest(np.broadcast_to(_EYE, ray.shape), ray)
    place = _EYE + ray * np.minimum(distance, 1e3)[..., None]
    in_shadow = _nearest(place + 1e-3 * normal, np.broadcast_to(lamp, ray.shape))[0] < _FAR
    light = 0.33 + 0.67 * np.maximum((normal * lamp).sum(-1), 0) * ~in_shadow
    mirrored = ray - 2 * (ray * normal).sum(-1, keepdims=True) * normal
    shine = 0.35 * np.maximum((mirrored * lamp).sum(-1), 0) ** 40 * (~in_shadow & (place[..., 1] > 1e-3))
    lit = colour * light[..., None] + shine[..., None]
    wall = np.array([0.55, 0.62, 0.7]) * (0.75 + 0.25 * (1 - v[..., None]))
    haze = np.clip((place[..., 2:] - 3) / 9, 0, 1)
    lit = np.where((distance < _FAR)[..., None], lit * (1 - haze) + wall * haze, wall)
    pixels = lit.reshape(size, 3, size, 3, 3).mean(axis=(1, 3))
    grain = np.random.default_rng(0).normal(0, 0.012, pixels.shape)
    return np.clip(pixels + grain, 0, 1).astype(np.float32)
