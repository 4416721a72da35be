"""Checks of imported rows against their medium: a span inside it, boxes inside the picture, rates and sizes that agree.

Pure functions. What is not as written comes with its rule and a sentence, so that every item is a row or a note.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeGuard

import numpy as np

from ...engine.importing import Action
from ...schemas.geometry.box3d import box3d_of
from ...schemas.geometry.poses import is_rigid
from ...schemas.span import from_us, seconds_text, to_us

EDGES = ("x1", "y1", "x2", "y2")
HAIR = 0.002
"""Share of the picture by which rounding may push a box outside without a note."""


class Finding(NamedTuple):
    """What is wrong with a row."""

    rule: str
    detail: str
    action: Action


class Checked(NamedTuple):
    """Values that may be written, or None; and what was found."""

    values: dict[str, Any] | None
    finding: Finding | None = None


def checked_span(values: Mapping[str, Any], duration_s: float, cut: bool) -> Checked:
    """`start_s` and `end_s` on the medium: what begins past its end, is reversed or empty is left out; the rest is cut at both ends
    (`cut` False: left out too).
    """
    start, end = values.get("start_s"), values.get("end_s")
    if not _finite(start) or not _finite(end):
        return _left_out("no_time", f"{start!r} to {end!r} s is no span")
    first, past, limit = to_us(start), to_us(end), to_us(duration_s)
    said = f"{_text(first)} to {_text(past)} s"
    if past < first:
        return _left_out("reversed", f"{said} ends before it starts")
    if past == first:
        return _left_out("empty", f"{said} has no length")
    if first >= limit or past <= 0:
        return _left_out("past_the_end" if past > 0 else "before_the_start", f"{said} of a medium of {_text(limit)} s")
    new = {**values, "start_s": from_us(max(0, first)), "end_s": from_us(min(past, limit))}
    if past > limit or first < 0:
        rule = "past_the_end" if past > limit else "before_the_start"
        detail = f"{said} of a medium of {_text(limit)} s"
        return Checked(new, Finding(rule, detail, "cut")) if cut else _left_out(rule, detail)
    return Checked(new)


def checked_moment(values: Mapping[str, Any], duration_s: float, cut: bool) -> Checked:
    """Values with an optional span: one that does not hold is taken away, the rest stays."""
    if values.get("start_s") is None and values.get("end_s") is None:
        return Checked(dict(values))
    checked = checked_span(values, duration_s, cut)
    if checked.values is not None or checked.finding is None:
        return checked
    rest = {k: v for k, v in values.items() if k not in ("start_s", "end_s")}
    return Checked(
        rest, checked.finding._replace(detail=f"{checked.finding.detail}; kept without its moment", action="cut")
    )


def checked_box(values: Mapping[str, Any], duration_s: float) -> Checked:
    """A box at `t_s` on the medium, inside the picture: outside it is cut, without area it is left out."""
    t_s, said = values.get("t_s"), [values.get(name) for name in EDGES]
    edges = [float(edge) for edge in said if _finite(edge)]
    if not _finite(t_s) or len(edges) < len(EDGES):
        return _left_out("no_time" if not _finite(t_s) else "no_box", f"{t_s!r} s, {said} is no box at a time")
    if (off := _off(t_s, duration_s, "box")) is not None:
        return off
    inside = [min(1.0, max(0.0, edge)) for edge in edges]
    if inside[2] <= inside[0] or inside[3] <= inside[1]:
        return _left_out("empty", f"the box {_box(edges)} has no area in the picture")
    new = {**values, "t_s": from_us(to_us(t_s)), **dict(zip(EDGES, inside, strict=True))}
    outside = max(abs(a - b) for a, b in zip(inside, edges, strict=True))
    if outside > HAIR:
        return Checked(new, Finding("outside_the_picture", f"the box {_box(edges)} reaches outside", "cut"))
    return Checked(new)


def checked_time(values: Mapping[str, Any], duration_s: float, what: str) -> Checked:
    """Values at `t_s` on the medium (0 of a picture); off it they are left out."""
    t_s = values.get("t_s")
    if not _finite(t_s):
        return _left_out("no_time", f"{t_s!r} s is no time of a {what}")
    return _off(t_s, duration_s, what) or Checked({**values, "t_s": from_us(to_us(t_s))})


def checked_camera(values: Mapping[str, Any], duration_s: float) -> Checked:
    """A camera at a time of the medium; a pose that is no rigid motion is taken away, the rest stays."""
    checked = checked_time(values, duration_s, "camera")
    pose = None if checked.values is None else checked.values.get("pose")
    if checked.values is None or pose is None or (len(pose) == 16 and is_rigid(np.reshape(pose, (4, 4)))):
        return checked
    return Checked(
        {**checked.values, "pose": None}, Finding("pose", "no rotation and translation; kept as lost", "noted")
    )


def checked_box3d(values: Mapping[str, Any], duration_s: float) -> Checked:
    """A box in space; one whose axes are no right-handed unit vectors, or whose lengths are not positive, is left out."""
    try:
        box3d_of(values)
    except (ValueError, TypeError, KeyError) as error:
        return _left_out("no_box", str(error))
    return checked_time(values, duration_s, "box") if values.get("moving") else Checked(dict(values))


def other_rate(
    stated: float | None, error: float, fps: float | None, duration_s: float, tolerance: float
) -> str | None:
    """How the frame rate that an annotation counts at contradicts the medium's; None when it does not."""
    if not stated or not fps or abs(stated - fps) <= (tolerance + error) * fps:
        return None
    return (
        f"counted at {stated:.6g} frames per second, the medium runs at {fps:.6g}: if its frames were meant, times are up to "
        f"{duration_s * abs(1 - fps / stated):.2f} s off at its end; give it the footage that was annotated"
    )


def other_length(stated_s: float | None, duration_s: float, tolerance_s: float) -> str | None:
    """How the length that an annotation states contradicts the medium's; None when it does not."""
    if not stated_s or abs(stated_s - duration_s) <= tolerance_s:
        return None
    return f"annotated as {stated_s:g} s long, the medium lasts {duration_s:g} s: another cut of the footage?"


def other_shape(
    size: tuple[float, float] | None, width: int | None, height: int | None, tolerance: float
) -> str | None:
    """How the shape of the annotated picture contradicts the medium's; None when shares of one are shares of the other."""
    if not size or not width or not height:
        return None
    ratio = (size[0] / size[1]) / (width / height)
    if abs(ratio - 1) <= tolerance:
        return None
    return (
        f"boxes are of a picture of {size[0]:g}x{size[1]:g}, the medium has {width}x{height}: it was cropped, padded or turned, "
        "so that shares of one are not shares of the other"
    )


def _off(t_s: float, duration_s: float, what: str) -> Checked | None:
    """Why something at a time lies off the medium; a picture, of length 0, has time 0 alone."""
    at, limit = to_us(t_s), to_us(duration_s)
    if 0 <= at < limit or at == limit == 0:
        return None
    rule = "past_the_end" if at > 0 else "before_the_start"
    return _left_out(rule, f"a {what} at {_text(at)} s of a medium of {_text(limit)} s")


def _left_out(rule: str, detail: str) -> Checked:
    return Checked(None, Finding(rule, detail, "left_out"))


def _finite(value: Any) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _text(us: int) -> str:
    return seconds_text(from_us(us))


def _box(edges: list[float]) -> str:
    return ", ".join(f"{edge:.3f}" for edge in edges)
