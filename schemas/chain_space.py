"""Operations of chains about space: what steps compute from the boxes, cameras and floors that they looked up. Pure functions.

Records are rows with the columns that a step read; boxes need `BOX_COLUMNS`, cameras `POSE_COLUMNS`. Geometry is that of
`schemas.geometry`, so that a chain and the task that recorded it cannot differ in their formulas.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from .geometry.area import polygon_area
from .geometry.box3d import Box3D, box3d_of
from .geometry.camera import Camera, camera_of
from .geometry.directions import LEVELS, QUARTERS, TURNS, Sectors, angle_deg, ego_angle
from .geometry.distances import box_box, point_box
from .geometry.intervals import camera_interval, gaps, world_interval
from .geometry.numbers import number_text, round_half_up
from .geometry.poses import move_between, path_length, turn_between

Record = Mapping[str, Any]
Records = Sequence[Record]
BOX_COLUMNS = ("x", "y", "z", "axes", "size")
PLACE_COLUMNS = ("x", "y")
POSE_COLUMNS = ("t_s", "width", "height", "fx", "fy", "cx", "cy", "pose")
SECTORS: Mapping[str, Sectors] = {**LEVELS, "quarters": QUARTERS, "turns": TURNS}


class NoGeometry(ValueError):
    """A record is no box or no camera."""


def _boxes(records: Records) -> list[Box3D]:
    return [box3d_of(r) for r in records]


def _camera(records: Records) -> Camera:
    (record,) = records
    found = camera_of(record)
    if found is None:
        raise NoGeometry("the row has no pose")
    return found


def _how_many(labels: str | Sequence[str], *, label: str) -> float:
    """How many of the things are called so; each is to be."""
    told = [labels] if isinstance(labels, str) else list(labels)
    if any(one != label for one in told):
        raise NoGeometry(f"a thing that is counted is no {label}")
    return float(len(told))


def _longest(records: Records, *, unit: float, decimals: int) -> float:
    (box,) = _boxes(records)
    return round_half_up(max(box.size) / unit, decimals)


def _floor_area(polygon: Sequence[float], *, decimals: int) -> float:
    return round_half_up(polygon_area(polygon), decimals)


def _box_distance(first: Records, second: Records) -> float:
    """The smallest distance between a box of one list and a box of the other."""
    return min(box_box(a, b) for a in _boxes(first) for b in _boxes(second))


def _camera_distance(pose: Records, thing: Records) -> float:
    (box,) = _boxes(thing)
    return float(point_box(_camera(pose).centre, box))


def _sector_of(*places: Records, sectors: str) -> str:
    """Where the third place lies for who stands at the first and faces the second."""
    stand, face, query = ([p[0]["x"], p[0]["y"]] for p in places)
    return SECTORS[sectors].name(float(ego_angle(stand, face, query)))


def _turns_by_centres(start: Records, face: Records, *way: Records) -> str:
    """Turns before each leg of a way from the start on, for who faces the second place: "turn left, turn back"."""
    stops = [np.array([p[0]["x"], p[0]["y"]]) for p in (start, *way)]
    heading, found = np.array([face[0]["x"], face[0]["y"]]) - stops[0], []
    for a, b in pairwise(stops):
        name = TURNS.name(float(angle_deg(heading, b - a)))
        if name == "straight":
            raise NoGeometry("one goes straight on")
        found.append(f"turn {name}")
        heading = b - a
    return ", ".join(found)


def _side_of(pose: Records, place: Records) -> str:
    """Where a place lies for who holds the camera, on the ground."""
    camera = _camera(pose)
    ahead = camera.centre + camera.forward
    return QUARTERS.name(float(ego_angle(camera.centre[:2], ahead[:2], [place[0]["x"], place[0]["y"]])))


def _least_of(*values: float, names: Sequence[str], gap: float = 0.0) -> str:
    """The name of the least value, which leads by more than `gap`."""
    ordered = sorted(zip(values, names, strict=True))
    if len(ordered) > 1 and ordered[1][0] - ordered[0][0] <= gap:
        raise NoGeometry("two are about as near")
    return ordered[0][1]


def _names_in_order(*times: float, names: Sequence[str], gap: float = 0.0) -> list[str]:
    """Names by their times, which lie more than `gap` apart."""
    ordered = sorted(zip(times, names, strict=True))
    if any(b[0] - a[0] <= gap for a, b in pairwise(ordered)):
        raise NoGeometry("two come at about the same time")
    return [name for _, name in ordered]


def _earliest(times: Any) -> float:
    return float(min([times] if isinstance(times, int | float) else times))


def _gap_along(pose: Records, first: Records, second: Records, *, axis: int, least: float, names: Sequence[str]) -> str:
    """names[0] where the first box lies wholly before the second along a camera axis, names[1] the other way round."""
    camera, (a,), (b,) = _camera(pose), _boxes(first), _boxes(second)
    return _apart(camera_interval(a, camera), camera_interval(b, camera), axis, least, names)


def _gap_upwards(first: Records, second: Records, *, least: float, names: Sequence[str]) -> str:
    """names[0] where the first box lies wholly above the second in the world, names[1] where below."""
    (a,), (b,) = _boxes(first), _boxes(second)
    return _apart(world_interval(b), world_interval(a), 2, least, names)


def _apart(a: Any, b: Any, axis: int, least: float, names: Sequence[str]) -> str:
    if gaps(a, b)[axis] > least:
        return names[0]
    if gaps(b, a)[axis] > least:
        return names[1]
    raise NoGeometry("neither lies wholly on one side")


def _displacement(before: Records, after: Records) -> float:
    return float(np.linalg.norm(_camera(after).centre - _camera(before).centre))


def _way_length(poses: Records) -> float:
    return path_length([_camera([r]) for r in sorted(poses, key=lambda r: r["t_s"])])


def _move_axis(before: Records, after: Records, *, least: float, ratio: float) -> str:
    """forward, backward, left or right: the axis along which a camera moved most in its own first view."""
    x, _, z = move_between(_camera(before), _camera(after))
    strong, weak = (abs(z), abs(x)) if abs(z) >= abs(x) else (abs(x), abs(z))
    if strong <= least or strong < ratio * weak:
        raise NoGeometry("no axis is clearly the one")
    if abs(z) >= abs(x):
        return "forward" if z > 0 else "backward"
    return "right" if x > 0 else "left"


def _turn_axis(before: Records, after: Records, *, least: float, ratio: float) -> str:
    """right, left, up, down, clockwise or anticlockwise: the way in which a camera turned most."""
    turn = turn_between(_camera(before), _camera(after))
    parts = (
        ("right", "left", turn.right_deg),
        ("up", "down", turn.up_deg),
        ("clockwise", "anticlockwise", turn.clockwise_deg),
    )
    first, second, *_ = sorted(parts, key=lambda p: -abs(p[2]))
    if abs(first[2]) < least or abs(first[2]) < ratio * abs(second[2]):
        raise NoGeometry("no axis is clearly the one")
    return first[0] if first[2] > 0 else first[1]


def turn_words(name: str) -> str:
    """A way of turning as it is said: to the right, upwards, clockwise."""
    return {"right": "to the right", "left": "to the left", "up": "upwards", "down": "downwards"}.get(name, name)


def _turn_size(before: Records, after: Records, *, decimals: int) -> float:
    """Degrees about the axis about which a camera turned most."""
    turn = turn_between(_camera(before), _camera(after))
    return round_half_up(max(abs(turn.right_deg), abs(turn.up_deg), abs(turn.clockwise_deg)), decimals)


def _difference(first: float, second: float) -> float:
    return second - first


def _sign_name(value: float, *, names: Sequence[str], least: float) -> str:
    """names[0] for a value below zero, names[1] for one above."""
    if abs(value) < least:
        raise NoGeometry("hardly any change")
    return names[0] if value < 0 else names[1]


def _places_of(items: Sequence[str], *, options: Sequence[str]) -> list[int]:
    """Places of texts among the options."""
    return [list(options).index(item) for item in items]


SPACE_OPERATIONS: dict[str, Callable[..., Any]] = {
    "how_many": _how_many,
    "longest": _longest,
    "floor_area": _floor_area,
    "box_distance": _box_distance,
    "camera_distance": _camera_distance,
    "sector_of": _sector_of,
    "turns_by_centres": _turns_by_centres,
    "side_of": _side_of,
    "least_of": _least_of,
    "names_in_order": _names_in_order,
    "earliest": _earliest,
    "gap_along": _gap_along,
    "gap_upwards": _gap_upwards,
    "displacement": _displacement,
    "way_length": _way_length,
    "move_axis": _move_axis,
    "turn_axis": _turn_axis,
    "turn_words": turn_words,
    "turn_size": _turn_size,
    "difference": _difference,
    "sign_name": _sign_name,
    "places_of": _places_of,
    "in_words": lambda texts: ", ".join(texts),
    "rounded": lambda value, decimals: round_half_up(value, decimals),
    "number_text": lambda value, decimals: number_text(value, decimals),
}
"""Operations by name."""
