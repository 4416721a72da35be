"""The things of a window with their paths, the camera's own motion taken out: from a space's boxes and poses, or from tracks.

In a space the thing's centre is projected into the window's first camera, and its area goes with the inverse square of its depth.
Of tracks, what the background does at the thing's place (`signals`) is subtracted; boxes that the picture's edge cuts are left
out. A mirrored twin has the same paths with left and right exchanged. What is cited is exactly what the paths are made of.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from ...schemas.geometry.camera import Camera
from ...schemas.motion import SIGNAL_COLUMNS, measured
from ...schemas.motion_paths import Curve, Track3, compensated
from ...schemas.objects import phrase_of
from ...schemas.sample import Evidence
from ...schemas.scale import admissible
from ...schemas.space import Space, SpaceObject
from ...schemas.span import Span, to_us
from ..asks.view import SeenRule
from .common import RowDict, Withheld, cite
from .space_evidence import BOX3D_COLUMNS, CAMERA_COLUMNS, SCENE_COLUMNS, SIGHTING_COLUMNS

TRACK_COLUMNS = ("track_id", "start_s", "end_s", "label", "phrase", "attributes_json", "object_id")
EDGE = 0.004
"""A box nearer to the picture's edge than this share of it may be cut off."""
SEEN_SHARE = 0.8
"""Share of the window's pictures in which a thing must be visible."""
_SLACK_S = 1e-4
MOVED_M, TURNED_DEG = 0.02, 2.0
"""Between two known times a thing that goes or turns by so much moves."""


@dataclass(frozen=True)
class Moved:
    """A thing with its path in a window."""

    name: str
    phrase: str
    label: str
    curve: Curve | None
    track: Track3 | None
    seen: bool
    """Whether it is visible in most of the window."""
    moves: bool
    """Whether it moves at all."""
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True)
class MotionScene:
    """A window of a medium, and everything that may move in it."""

    media: RowDict
    clip: RowDict
    window: Span
    things: tuple[Moved, ...]
    evidence: tuple[Evidence, ...]
    """What is cited for the scene itself: its row, the cameras, all labels."""
    labels: frozenset[str]
    complete: bool
    """Whether nothing is there that has no label here."""
    metric: bool = True
    """Whether its geometry has metres."""
    upright: bool = True
    """Whether its z axis is vertical; of tracks nothing in space is asked."""
    mirrored: bool = False
    edit: RowDict | None = field(default=None)

    def thing(self, name: str) -> Moved:
        """The thing of that name. Raises `Withheld`."""
        for thing in self.things:
            if thing.name == name:
                return thing
        raise Withheld("a thing that is asked about is not in the scene")

    def named(self) -> tuple[Moved, ...]:
        """Visible things that their phrase names alone."""
        told = [t.phrase for t in self.things]
        return tuple(t for t in self.things if t.seen and told.count(t.phrase) == 1)

    def as_mirrored(self, twin: RowDict, edit: RowDict, window: Span) -> MotionScene:
        """The same window in a mirrored twin, on its clock."""
        things = tuple(
            replace(
                t, curve=t.curve.mirrored() if t.curve else None, track=t.track.mirrored() if t.track else None
            )
            for t in self.things
        )  # fmt: skip
        return replace(self, media=twin, window=window, things=things, mirrored=not self.mirrored, edit=edit)


def held(window: Span, t_s: float) -> bool:
    """Whether a time lies in a window, a tenth of a millisecond either way: windows of twins are mapped back and forth."""
    return window.start_s - _SLACK_S <= t_s < window.end_s + _SLACK_S


def moving_windows(
    space: Space, thing: SpaceObject, within: Span, pad_s: float, least_s: float, most_s: float
) -> list[Span]:
    """Windows of `within` in which a thing moves without a rest of more than `pad_s`, and `pad_s` around them, on the times of
    cameras; those that are too short or too long are left out.
    """
    if not thing.moving:
        return []
    times = [t for t in thing.times if within.contains(t)]
    boxes = [thing.at(t) for t in times]
    going = []
    for t, u, a, b in zip(times, times[1:], boxes, boxes[1:], strict=False):
        if a is not None and b is not None and _moves(np.asarray(a.centre), np.asarray(b.centre), a.matrix, b.matrix):
            going.append((t, u))
    runs: list[list[float]] = []
    for t, u in going:
        if runs and t - runs[-1][1] <= pad_s + 1e-9:
            runs[-1][1] = u
        else:
            runs.append([t, u])
    stamps = [c.t_s for c in space.cameras if within.contains(c.t_s)]
    found = []
    for start, end in runs:
        inside = [t for t in stamps if start - pad_s - 1e-9 <= t <= end + pad_s + 1e-9]
        if len(inside) >= 2 and least_s <= inside[-1] - inside[0] <= most_s:
            found.append(Span(inside[0], min(inside[-1] + 0.02, within.end_s)).quantised())
    return found


def scene_of_space(space: Space, media: RowDict, clip: RowDict, window: Span, seen: SeenRule) -> MotionScene:
    """The scene of a space. Raises `Withheld` without cameras, or where not everything that is seen is known."""
    cameras = [c for c in space.cameras if held(window, c.t_s)]
    if len(cameras) < 2:
        raise Withheld("no poses of the camera")
    if not all(c.observed for c in cameras):
        raise Withheld("not everything that is in the pictures is known")
    things = tuple(_in_space(space, o, cameras, window, seen) for o in space.objects)
    evidence = (
        cite("scenes", space.scene, SCENE_COLUMNS),
        *(cite("cameras", c.row, CAMERA_COLUMNS) for c in cameras if c.row is not None),
    )
    labels = frozenset(o.label for o in space.objects)
    scene = space.scene
    return MotionScene(
        media, clip, window, things, evidence, labels, bool(scene["all_labelled"]), scene["scale_status"] != "unit",
        not admissible(scene, ("gravity",)),
    )  # fmt: skip


def scene_of_tracks(
    tracks: Sequence[RowDict], boxes: Sequence[RowDict], signals: Sequence[RowDict], media: RowDict, clip: RowDict,
    window: Span, *, complete: bool,
) -> MotionScene:  # fmt: skip
    """The scene of tracks and their boxes. Raises `Withheld` for a picture without a size."""
    if not media["width"] or not media["height"]:
        raise Withheld("no pictures")
    aspect = float(media["width"] / media["height"])
    inside = [s for s in signals if held(window, s["t_s"])]
    by_track: dict[str, list[RowDict]] = {}
    for box in sorted(boxes, key=lambda b: b["t_s"]):
        if held(window, box["t_s"]):
            by_track.setdefault(str(box["track_id"]), []).append(box)
    things = tuple(
        _of_track(track, by_track[str(track["track_id"])], inside, aspect, window)
        for track in sorted(tracks, key=lambda t: str(t["track_id"]))
        if str(track["track_id"]) in by_track
    )
    evidence = tuple(cite("signals", s, SIGNAL_COLUMNS) for s in inside)
    labels = frozenset(str(t["label"]) for t in tracks)
    return MotionScene(media, clip, window, things, evidence, labels, complete)


def _in_space(space: Space, thing: SpaceObject, cameras: Sequence[Camera], window: Span, rule: SeenRule) -> Moved:
    times = [c.t_s for c in cameras]
    boxes = [thing.at(t) for t in times]
    known = [(t, b) for t, b in zip(times, boxes, strict=True) if b is not None]
    sightings = [s for s in space.seen.get(thing.object_id, ()) if held(window, s.t_s)]
    stamps = {to_us(t) for t in times}
    visible = {to_us(s.t_s) for s in sightings if rule.holds(s)} & stamps
    curve = track = None
    moves = False
    if len(known) == len(times):
        centres = np.asarray([b.centre for _, b in known])
        pixels, depth = cameras[0].project(centres)
        if float(depth.min()) > 0:
            curve = Curve(
                tuple((pixels[:, 0] / cameras[0].width).tolist()), tuple((pixels[:, 1] / cameras[0].height).tolist()),
                tuple((-2 * np.log(depth)).tolist()), cameras[0].width / cameras[0].height,
            )  # fmt: skip
        yaws = [math.atan2(b.matrix[0, 1], b.matrix[0, 0]) for _, b in known]
        track = Track3(tuple((float(x), float(y)) for x, y, _ in centres), tuple(yaws))
        moves = any(
            _moves(np.asarray(a.centre), np.asarray(b.centre), a.matrix, b.matrix) for (_, a), (_, b) in pairwise(known)
        )
    mine = [r for r in thing.rows if not thing.moving or held(window, r["t_s"])]
    owners = {str(s.row["track_id"]) for s in sightings}
    evidence = (
        *(cite("boxes3d", r, BOX3D_COLUMNS) for r in mine),
        *(cite("tracks", t, TRACK_COLUMNS) for t in space.tracks if str(t["track_id"]) in owners),
        *(cite("boxes", s.row, SIGHTING_COLUMNS) for s in sightings),
    )
    return Moved(
        thing.object_id, thing.phrase, thing.label, curve, track, len(visible) >= SEEN_SHARE * len(stamps), moves, evidence
    )  # fmt: skip


def _of_track(
    track: RowDict, boxes: Sequence[RowDict], signals: Sequence[RowDict], aspect: float, window: Span
) -> Moved:
    whole = [b for b in boxes if min(b["x1"], b["y1"], 1 - b["x2"], 1 - b["y2"]) >= EDGE]
    curve = None
    motions = measured(signals) if signals else None
    if len(whole) >= 3 and motions:
        times = [b["t_s"] for b in whole]
        x = [(b["x1"] + b["x2"]) / 2 for b in whole]
        y = [(b["y1"] + b["y2"]) / 2 for b in whole]
        a = [math.log((b["x2"] - b["x1"]) * (b["y2"] - b["y1"])) for b in whole]
        curve = compensated(times, x, y, a, aspect, motions)
    spans = boxes[-1]["t_s"] - boxes[0]["t_s"]
    evidence = (cite("tracks", track, TRACK_COLUMNS), *(cite("boxes", b, SIGHTING_COLUMNS) for b in boxes))
    seen = len(whole) >= SEEN_SHARE * len(boxes) and spans >= SEEN_SHARE * window.length_s - 0.5
    return Moved(str(track["track_id"]), phrase_of(track), str(track["label"]), curve, None, seen, False, evidence)


def _moves(a: np.ndarray, b: np.ndarray, r: np.ndarray, s: np.ndarray) -> bool:
    turned = math.degrees(math.acos(max(-1.0, min(1.0, (float(np.trace(r @ s.T)) - 1) / 2))))
    return float(np.linalg.norm(a - b)) >= MOVED_M or turned >= TURNED_DEG
