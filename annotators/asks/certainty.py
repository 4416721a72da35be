"""Whether comparisons and directions stay the same when boxes are a little off, and whether two representations agree."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...schemas.geometry.camera import Camera
from ...schemas.scale import angle_sigma_deg, interval, keeps_comparison, keeps_direction
from ...schemas.space import SpaceObject
from .gate import EXACT
from .view import View


def sure_order(view: View, values: Sequence[float]) -> bool:
    """Whether the least of some lengths of one space is surely the least; lengths share their scale."""
    scene = view.space.scene
    place = 0.0 if scene["source"] in EXACT else None
    spans = sorted(interval(scene, v, place=place, shared_scale=True) for v in values)
    return len(spans) < 2 or keeps_comparison(spans[0], spans[1])


def sure_direction(view: View, margin_deg: float, distances: Sequence[float], least_deg: float) -> bool:
    """Whether a direction stays in its sector, with two standard deviations of the places and `least_deg` to spare."""
    scene = view.space.scene
    sigma = 0.0 if scene["source"] in EXACT else angle_sigma_deg(scene, distances)
    return keeps_direction(margin_deg, sigma, least_deg)


def agree(first: float, second: float, tolerance: float, share: float) -> bool:
    """Whether two lengths agree within a tolerance or a share of the first."""
    return abs(first - second) <= max(tolerance, share * abs(first)) + 1e-9


def away_by_points(camera: Camera, thing: SpaceObject) -> float | None:
    """How far the camera's centre is from the nearest surface point of a thing; None where no points are stored."""
    if thing.points is None:
        return None
    return float(np.linalg.norm(thing.points - camera.centre, axis=1).min())


def with_points(*things: SpaceObject) -> tuple[str, ...]:
    """Identifiers of the things when all have points, else none: a second answer needs all of them."""
    return tuple(o.object_id for o in things) if all(o.points is not None for o in things) else ()
