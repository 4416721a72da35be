"""The rows that a sample about a space cites, in an order that says what it asks about, and the way back from them.

Objects that are asked about come first among the rows of `boxes3d`, the asked cameras first among those of `cameras`, each in
the order of their roles; how many there are stands in the sample's difficulty factors. At unit scale everything is cited that
the scene's diagonal is made of, because margins are shares of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...engine.spaces import space_cited
from ...engine.task import EvidenceRow
from ...schemas.sample import Evidence, Sample
from ...schemas.space import Sighting, Space, SpaceObject
from ...schemas.span import to_us
from ..asks.ask import About, Solved
from ..asks.view import SeenRule, View
from .common import CLIP_COLUMNS, MEDIA_COLUMNS, RowDict, Withheld, cite

SCENE_COLUMNS = (
    "scene_id", "source", "world_up", "up_error_deg", "scale_status", "scale_sigma", "room_area_m2", "polygon", "floor_z",
    "rooms", "all_labelled",
)  # fmt: skip
CAMERA_COLUMNS = ("t_s", "width", "height", "fx", "fy", "cx", "cy", "pose", "confidence", "observed")
BOX3D_COLUMNS = (
    "object_id",
    "t_s",
    "moving",
    "label",
    "phrase",
    "x",
    "y",
    "z",
    "axes",
    "size",
    "gravity_aligned",
    "score",
)
TRACK_COLUMNS = ("track_id", "label", "object_id")
SIGHTING_COLUMNS = ("track_id", "t_s", "x1", "y1", "x2", "y2", "visibility", "area", "depth_m", "truncated")
POINT_COLUMNS = ("object_id", "part", "count")
"""The points themselves are found by their row; a sample would be megabytes with them."""


def evidence_of(
    media: RowDict, clips: Sequence[RowDict], view: View, about: About, solved: Solved
) -> tuple[Evidence, ...]:
    """What a sample cites: medium, clips, scene, cameras, boxes of all objects of the labels concerned, sightings, points."""
    space = view.space
    every = space.scale_status == "unit"
    cameras = _cameras(space, about, solved, every=every)
    sightings = _sightings(space, solved)
    return (
        cite("media", media, MEDIA_COLUMNS),
        *(cite("clips", clip, CLIP_COLUMNS) for clip in clips),
        cite("scenes", space.scene, SCENE_COLUMNS),
        *(cite("cameras", row, CAMERA_COLUMNS) for row in cameras),
        *(cite("boxes3d", row, BOX3D_COLUMNS) for thing in _things(space, about, solved, every=every) for row in thing.rows),
        *(cite("tracks", row, TRACK_COLUMNS) for row in _tracks(space, sightings)),
        *(cite("boxes", s.row, SIGHTING_COLUMNS) for s in sightings),
        *(cite("points", row, POINT_COLUMNS) for row in _points(space, solved)),
    )  # fmt: skip


def _things(space: Space, about: About, solved: Solved, *, every: bool) -> list[SpaceObject]:
    """Those asked about in the order of their roles, then all others of the labels concerned."""
    first = [space.by_id[i] for i in about.objects if i in space.by_id]
    labels = {o.label for o in first} | set(solved.labels)
    asked = set(about.objects)
    return first + [o for o in space.objects if o.object_id not in asked and (every or o.label in labels)]


def _cameras(space: Space, about: About, solved: Solved, *, every: bool) -> list[RowDict]:
    first = [space.camera_at(t) for t in about.times]
    asked = {to_us(t) for t in about.times}
    more = {to_us(t) for t in solved.cameras} - asked
    rest = [c for c in space.cameras if to_us(c.t_s) not in asked and (every or to_us(c.t_s) in more)]
    return [c.row for c in (*first, *rest) if c is not None and c.row is not None]


def _sightings(space: Space, solved: Solved) -> list[Sighting]:
    found = {id(s.row): s for s in solved.sightings}
    return sorted(found.values(), key=lambda s: (s.t_s, s.object_id))


def _tracks(space: Space, sightings: Sequence[Sighting]) -> list[RowDict]:
    wanted = {str(s.row["track_id"]) for s in sightings}
    return sorted((t for t in space.tracks if str(t["track_id"]) in wanted), key=lambda t: str(t["track_id"]))


def _points(space: Space, solved: Solved) -> list[RowDict]:
    found = [row for i in solved.points if i in space.by_id for row in space.by_id[i].points_rows]
    if "" in solved.points:
        found += list(space.rest_rows)
    return found


def asked_of(sample: Sample, evidence: Sequence[EvidenceRow]) -> About:
    """What a stored sample asks about, read from the order of its evidence. Raises `Withheld`."""
    count, cameras = int(sample.difficulty.get("objects", 0)), int(sample.difficulty.get("cameras", 0))
    ids = list(dict.fromkeys(str(e.row["object_id"]) for e in evidence if e.table == "boxes3d"))
    times = [float(e.row["t_s"]) for e in evidence if e.table == "cameras"]
    if len(ids) < count or len(times) < cameras:
        raise Withheld("fewer objects or cameras are cited than are asked about")
    return About(tuple(ids[:count]), tuple(times[:cameras]), int(sample.difficulty.get("variant", 0)))


def view_of(sample: Sample, evidence: Sequence[EvidenceRow], seen: SeenRule, clearly: SeenRule) -> View:
    """What a stored sample shows of the space of its cited rows. Raises `Withheld` without a scene."""
    space = space_cited(evidence)
    if space is None:
        raise Withheld("no scene is cited")
    return View(space, sample.window, sample.media[0].frame_times, seen, clearly)
