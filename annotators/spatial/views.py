"""Which pictures of footage to reconstruct from: sharp ones, spread over the camera's motion rather than over time.

A first pass measures how far the picture moves between candidates (median of tracked corners, share of its width) and how sharp
each is; equal steps of motion then give up their sharpest picture. A second pass reads those pictures. Motion is that of the
larger part of the picture: a walker before a camera that stands still moves nothing, so such footage gets too few pictures.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ...engine.annotator import Params, Rows
from ...engine.kept import one_producer
from ...schemas.span import Span, span_or_none

if TYPE_CHECKING:
    from ...engine.media.frame import Frame

Pixels = NDArray[np.uint8]
_LOOK_PX = 256
_FEWEST_CORNERS = 12
_SLACK_S = 1e-6


class ViewParams(Params):
    """Which pictures are looked at."""

    within: str = Field(
        "shot",
        pattern="^(shot|medium)$",
        description="shot: a reconstruction never crosses a cut (needs `shots`, else the whole medium); medium: cuts are ignored",
    )
    views: int = Field(60, ge=3, description="pictures per reconstruction at most")
    least_views: int = Field(8, ge=3, description="fewer pictures than this are not tried")
    candidates_fps: float = Field(6.0, gt=0, description="pictures per second that are weighed")
    min_motion: float = Field(
        0.02, gt=0, lt=1, description="motion of the picture between two chosen ones at least, share of its width"
    )
    max_side_px: int = Field(640, ge=64, description="longest side of the pictures")


@dataclass(frozen=True)
class Candidate:
    """A picture that may be chosen."""

    t_s: float
    sharpness: float
    """Variance of the Laplacian."""
    motion: float
    """Median motion since the candidate before, share of the width; 0 for the first."""


@dataclass(frozen=True)
class Stretch:
    """A part of a medium and the times of the pictures chosen from it."""

    span: Span
    times: tuple[float, ...]
    motion: float
    """All motion in it, widths of the picture."""


def stretches(path: Path, rows: Rows, duration_s: float, params: ViewParams) -> list[Stretch]:
    """The parts to reconstruct, most motion first; parts of which too few pictures move are left out.

    Raises `MediaError` for footage that does not decode.
    """
    whole = span_or_none(0.0, duration_s)
    spans = [] if whole is None else [whole]
    if params.within == "shot":
        told = [span_or_none(r["start_s"], r["end_s"]) for r in one_producer(rows["shots"])]
        spans = [s for s in told if s is not None] or spans
    found = []
    for span, candidates in _measured(path, spans, params.candidates_fps):
        times = chosen(candidates, params.views, params.min_motion)
        found.append(Stretch(span, times, sum(c.motion for c in candidates)))
    kept = [s for s in found if len(s.times) >= params.least_views]
    return sorted(kept, key=lambda s: (-len(s.times), -s.motion, s.span.start_s))


def chosen(candidates: Sequence[Candidate], views: int, min_motion: float) -> tuple[float, ...]:
    """Times of at most `views` candidates: the sharpest one of each of equal steps of motion."""
    if not candidates:
        return ()
    path = np.cumsum([c.motion for c in candidates])
    step = max(min_motion, float(path[-1]) / views * (1 + 1e-9))
    best: dict[int, Candidate] = {}
    for place, candidate in zip(np.floor(path / step).astype(int).tolist(), candidates, strict=True):
        if place not in best or candidate.sharpness > best[place].sharpness:
            best[place] = candidate
    return tuple(c.t_s for _, c in sorted(best.items()))[:views]


def pictures(path: Path, times: Sequence[float], max_side: int) -> Iterator[tuple[float, Pixels]]:
    """(time, uint8 BGR) of the frames shown at exactly these times, ascending; times between two frames give nothing."""
    wanted = sorted(times)
    for frame in _frames(path, wanted[-1] + _SLACK_S if wanted else 0.0):
        while wanted and frame.t_s > wanted[0] + _SLACK_S:
            wanted.pop(0)
        if wanted and abs(frame.t_s - wanted[0]) <= _SLACK_S:
            yield wanted.pop(0), np.array(frame.bgr(max_side), np.uint8)


def _frames(path: Path, end_s: float) -> Iterator[Frame]:
    from ...engine.media.decode import VideoReader

    frames = iter(VideoReader(path))
    with closing(frames):
        for frame in frames:
            if frame.t_s > end_s:
                return
            yield frame


def _measured(path: Path, spans: Sequence[Span], fps: float) -> Iterator[tuple[Span, list[Candidate]]]:
    waiting = sorted(spans, key=lambda s: s.start_s)
    if not waiting:
        return
    found: list[Candidate] = []
    before: Any = None
    span, slot = waiting.pop(0), -1
    for frame in _frames(path, max(s.end_s for s in spans)):
        while frame.t_s >= span.end_s - _SLACK_S:
            yield span, found
            if not waiting:
                return
            span, found, slot, before = waiting.pop(0), [], -1, None
        place = int(np.floor((frame.t_s - span.start_s) * fps + _SLACK_S))
        if frame.t_s < span.start_s - _SLACK_S or place <= slot:
            continue
        slot, luma = place, np.array(frame.luma(_LOOK_PX))
        found.append(Candidate(frame.t_s, _sharpness(luma), 0.0 if before is None else moved(before, luma)))
        before = luma
    yield span, found


def _sharpness(luma: Any) -> float:
    import cv2

    return float(cv2.Laplacian(luma, cv2.CV_64F).var())


def moved(before: Any, after: Any) -> float:
    """Median motion of tracked corners between two pictures uint8 [h, w], share of the width.

    Where corners are lost (blur, a fast turn) it is taken for a tenth of the width, so that such places keep their pictures.
    """
    import cv2

    corners = cv2.goodFeaturesToTrack(before, 200, 0.01, 5)
    if corners is None or len(corners) < _FEWEST_CORNERS:
        return 0.0
    track: Any = cv2.calcOpticalFlowPyrLK
    there, status, _ = track(before, after, corners, None, winSize=(15, 15), maxLevel=3)
    held = status.ravel() > 0
    if held.sum() < _FEWEST_CORNERS:
        return 0.1
    lengths = np.linalg.norm((there - corners).reshape(-1, 2)[held], axis=1)
    return float(np.median(lengths) / before.shape[1])


def at_rate(path: Path, fps: float, max_side: int) -> Iterator[tuple[float, Pixels]]:
    """(time, uint8 BGR) of the first frame at or after each multiple of 1/fps."""
    slot = -1
    for frame in _frames(path, np.inf):
        place = int(np.floor(frame.t_s * fps + _SLACK_S))
        if place > slot:
            slot = place
            yield frame.t_s, np.array(frame.bgr(max_side), np.uint8)
