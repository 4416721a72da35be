"""Which object a gaze rests on, and the path over objects that fixations make.

A fixation is on an object when its point lies in the object's box at that time; where a mask of that very picture is known, in
the mask. Of several the smallest box is looked at, since it stands before or inside the others. No box, no object: the point is
never moved to one that is near.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .masks import decode_mask
from .objects import Placed, placed_track
from .span import Span, to_us

How = Literal["mask", "box", "none", "unknown"]


@dataclass(frozen=True)
class Seen:
    """What a fixation is on."""

    how: How
    track_id: str | None = None
    others: int = 0
    """Further objects whose box holds the point."""


@dataclass(frozen=True)
class Scene:
    """The tracked objects of a medium."""

    objects: tuple[Placed, ...]
    masks: Mapping[tuple[str, int], str]
    """By track and microsecond."""

    def looked_at(self, x: float, y: float, t_s: float) -> Seen:
        """The object at a point (shares of width and height) and time."""
        placed = [(o.track_id, box) for o in self.objects if (box := o.at(t_s)) is not None]
        if not placed:
            return Seen("unknown")
        inside = sorted((box.area, track) for track, box in placed if box.contains_point(x, y))
        masked = {track: self.masks.get((track, to_us(t_s))) for _, track in inside}
        held = [(area, track) for area, track in inside if (m := masked[track]) is None or _holds(m, x, y)]
        sure = [(area, track) for area, track in held if masked[track] is not None]
        chosen = sure or held
        if not chosen:
            return Seen("none")
        return Seen("mask" if sure else "box", chosen[0][1], len(held) - 1)


def _holds(mask: str, x: float, y: float) -> bool:
    held = decode_mask(mask)
    height, width = held.shape
    return bool(held[min(int(y * height), height - 1), min(int(x * width), width - 1)])


def scene_of(tracks: Iterable[Mapping[str, Any]], boxes: Sequence[Mapping[str, Any]], picture: bool) -> Scene:
    """The objects of rows of `tracks` and `boxes`; of a `picture` (no film) their one box holds at all times."""
    by_track: dict[str, list[Mapping[str, Any]]] = {}
    for row in boxes:
        by_track.setdefault(str(row["track_id"]), []).append(row)
    found = []
    for track in sorted(tracks, key=lambda t: str(t["track_id"])):
        spanned = {**track, "start_s": 0.0, "end_s": 1.0} if picture else track
        placed = placed_track(spanned, by_track.get(str(track["track_id"]), ()))
        if placed is not None:
            still = Placed(
                placed.name,
                placed.phrase,
                placed.label,
                Span(0.0, 1.0),
                placed.times,
                placed.boxes,
                True,
                placed.track_id,
            )
            found.append(still if picture else placed)
    masks = {(str(r["track_id"]), to_us(r["t_s"])): str(r["mask"]) for r in boxes if r["mask"]}
    return Scene(tuple(found), masks)


def steps(objects: Sequence[str | None]) -> list[int | None]:
    """Place of each fixation in the path over objects: those on one object in turn share it, those on none have none."""
    out: list[int | None] = []
    step, before = -1, None
    for one in objects:
        if one is not None and one != before:
            step, before = step + 1, one
        out.append(None if one is None else step)
    return out
