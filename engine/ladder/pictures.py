"""What single pictures and bags of pictures show: stored embeddings of a sample's media as one short vector per sample.

The first frame, the middle frame, or all frames without their order (mean and spread per dimension). Vectors are centred
and reduced by principal components over the samples of a task; a sample whose media have no embedding has none.

An edited twin without embeddings shows those of its source at the mapped times: the same pictures for a reversed one, an
approximation for a mirrored one, in which the solver cannot tell left from right.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ...schemas.sample import MediumRef
from .item import Item

PICTURE_SOLVERS = ("middle_frame", "first_frame", "shuffled_frames")
COMPONENTS = 24
"""Dimensions that are kept."""


class PictureIndex:
    """Embeddings of one model by medium and time; the model with most rows, unless one is named."""

    def __init__(
        self,
        rows: Iterable[Mapping[str, Any]],
        reach_s: float,
        model: str | None = None,
        edits: Iterable[Mapping[str, Any]] = (),
    ) -> None:
        self.reach_s = reach_s
        self._sources = _sources(edits)
        rows = list(rows)
        counts = Counter(str(row["model"]) for row in rows)
        self.model = model if model is not None else min(counts, key=lambda m: (-counts[m], m), default=None)
        found: dict[str, dict[float, tuple[float, Any]]] = {}
        for row in rows:
            if row["model"] == self.model and row["vector"] is not None:
                t_s = float(row["t_s"])
                until_s = max(t_s, float(row.get("until_s") or t_s))
                found.setdefault(row["media_id"], {}).setdefault(t_s, (until_s, row["vector"]))
        self._times = {media_id: sorted(at) for media_id, at in found.items()}
        self._pictures = found

    def near(self, media_id: str, t_s: float) -> np.ndarray | None:
        """The vector of the picture that stands for a time, or the nearest; None when none is within reach."""
        media_id, (t_s,) = self._place(media_id, t_s)
        times, pictures = self._times.get(media_id, []), self._pictures.get(media_id, {})
        i = bisect_right(times, t_s)
        apart = {t: max(t - t_s, t_s - pictures[t][0], 0.0) for t in times[max(0, i - 1) : i + 1]}
        close = [(d, t) for t, d in apart.items() if d <= self.reach_s]
        return np.asarray(pictures[min(close)[1]][1], np.float64) if close else None

    def shown(self, ref: MediumRef) -> list[np.ndarray]:
        """The vectors of everything that is shown of a medium, in time order (stills as they are listed)."""
        if ref.frame_times:
            found = [self.near(ref.media_id, t) for t in ref.frame_times]
            return [v for v in found if v is not None]
        media_id, (low, high) = self._place(ref.media_id, ref.start_s, ref.end_s)
        low, high = min(low, high), max(low, high)
        times, pictures = self._times.get(media_id, []), self._pictures.get(media_id, {})
        before = max(0, bisect_right(times, low) - 1)
        inside = [t for t in times[before : bisect_left(times, high)] if t >= low or pictures[t][0] > low]
        return [np.asarray(pictures[t][1], np.float64) for t in inside]

    def _place(self, media_id: str, *times: float) -> tuple[str, tuple[float, ...]]:
        """Where the pictures of a medium at some times stand: in itself, or in the source of a twin."""
        if media_id in self._times or media_id not in self._sources:
            return media_id, times
        source, scale, offset_s = self._sources[media_id]
        return source, tuple((t - offset_s) / scale for t in times)

    def seen(self, solver: str, item: Item) -> np.ndarray | None:
        """What a solver sees of an item: one vector, the mean over its media; None when a medium has no embedding."""
        parts = [self._part(solver, ref) for ref in item.media if ref.kind not in ("audio", "text")]
        if not parts or any(p is None for p in parts):
            return None
        return np.mean([p for p in parts if p is not None], axis=0)

    def _part(self, solver: str, ref: MediumRef) -> np.ndarray | None:
        stills = ref.frame_times
        if solver == "first_frame":
            return self.near(ref.media_id, stills[0] if stills else ref.start_s)
        if solver == "middle_frame":
            middle = stills[len(stills) // 2] if stills else (ref.start_s + ref.end_s) / 2
            return self.near(ref.media_id, middle)
        shown = self.shown(ref)
        if not shown:
            return None
        return np.concatenate([np.mean(shown, axis=0), np.std(shown, axis=0)])


def _sources(edits: Iterable[Mapping[str, Any]]) -> dict[str, tuple[str, float, float]]:
    """Twin -> (source, scale, offset): time of the twin = scale * time of the source + offset. One step of editing only."""
    steps: dict[str, list[Mapping[str, Any]]] = {}
    for row in edits:
        steps.setdefault(row["media_id"], []).append(row)
    return {
        twin: (row["source_media_id"], row["time_scale"], row["time_offset_s"])
        for twin, (row, *more) in steps.items()
        if not more and row["operation"] in ("mirror", "reverse") and row["source_media_id"] and row["time_scale"]
    }


def reduced(vectors: Sequence[np.ndarray]) -> np.ndarray:
    """[n, at most 24]: centred principal components, scaled to a mean squared length of one."""
    stacked = np.vstack(vectors)
    centred = stacked - stacked.mean(axis=0)
    covariance = centred.T @ centred
    _, axes = np.linalg.eigh(covariance)
    axes = axes[:, ::-1][:, : min(COMPONENTS, len(vectors))]
    axes = axes * np.where(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])] < 0, -1, 1)
    small = centred @ axes
    length = np.sqrt((small**2).sum(axis=1).mean())
    return small / length if length > 1e-9 else np.zeros_like(small)


def likeness(vectors: np.ndarray) -> np.ndarray:
    """[n, n] Gaussian kernel of rows, its width the median distance."""
    squares = (vectors**2).sum(axis=1)
    apart = np.maximum(squares[:, None] + squares[None, :] - 2 * vectors @ vectors.T, 0)
    width = float(np.median(apart))
    return np.exp(-apart / width) if width > 1e-12 else np.ones_like(apart)
