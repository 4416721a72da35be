"""How redundant footage is, so that ways of compressing it can be compared on slices: in time, in space and in sound.

After the survey of token compression: `red_temporal` is the correlation of a picture with the one before, 1 where they are
the same; `red_spatial` the share of a picture's variance that the means of its patches explain; `red_audio` is 1 in a second
of silence. Values are rows of `measurements` at the times of `frames` and of whole seconds, so that `clip_view.measured`
holds their means per clip. Sound is measured where `sounds` (of an annotator of silences) has rows of the medium.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ...engine.annotator import Params, Row, Rows, SkipUnit, Unit, UnitAnnotator
from ...engine.kept import one_producer
from ...engine.plans.likeness import PATCH_PX, decoded

SAME = 1.0
"""Pictures whose mean difference (0..255) stays below this are the same."""
PLAIN = 2.0
"""Spread (0..255) below which there is nothing in a picture but noise."""
_SIDE_PX = 64


class RedundancyParams(Params):
    """Parameters of `redundancy`."""

    frame_set: str | None = Field(None, description="Frame set to measure; null: the one with the most pictures.")


class Redundancy(UnitAnnotator[RedundancyParams]):
    """Writes `measurements` named red_temporal, red_spatial and red_audio of one medium."""

    name: ClassVar[str] = "redundancy"
    version: ClassVar[int] = 1
    Params: ClassVar[type[Params]] = RedundancyParams
    reads: ClassVar[tuple[str, ...]] = ("frames", "sounds")
    optional_reads: ClassVar[tuple[str, ...]] = ("sounds",)
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "frames": ("t_s", "frame_set", "jpeg"),
        "sounds": ("start_s", "end_s", "label"),
    }
    writes: ClassVar[tuple[str, ...]] = ("measurements",)
    light: ClassVar[bool] = True

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """Rows in order of time. Skips a medium of which there are neither pictures nor sounds."""
        found = one_producer(rows["frames"])
        sets = sorted({str(r["frame_set"]) for r in found})
        chosen = self.params.frame_set or max(sets, key=lambda s: sum(r["frame_set"] == s for r in found), default=None)
        pictures = sorted((r for r in found if r["frame_set"] == chosen), key=lambda r: r["t_s"])
        sounds = one_producer(rows["sounds"])
        if not pictures and not sounds:
            raise SkipUnit("no pictures and no sounds")
        before: NDArray[np.float64] | None = None
        for row in pictures:
            luma = _luma(bytes(row["jpeg"]))
            if before is not None and before.shape == luma.shape:
                yield _measured(row["t_s"], "red_temporal", temporal_redundancy(before, luma))
            yield _measured(row["t_s"], "red_spatial", spatial_redundancy(luma))
            before = luma
        medium = unit.medium
        if sounds and medium is not None:
            silent = [(r["start_s"], r["end_s"]) for r in sounds if r["label"] == "silence"]
            for second in range(math.ceil(medium.duration_s)):
                past = min(second + 1.0, medium.duration_s)
                quiet = sum(max(0.0, min(b, past) - max(a, second)) for a, b in silent)
                yield _measured(float(second), "red_audio", quiet / (past - second))


def temporal_redundancy(before: NDArray[np.float64], luma: NDArray[np.float64]) -> float:
    """Correlation of two pictures [h, w] 0..255 of one size at 64 px, 0..1: 1 for the same, 0 for unrelated ones."""
    import cv2

    height, width = luma.shape
    scale = min(1.0, _SIDE_PX / max(height, width))
    size = (max(2, round(width * scale)), max(2, round(height * scale)))
    a, b = (np.asarray(cv2.resize(p, size, interpolation=cv2.INTER_AREA)) for p in (before, luma))
    if float(np.abs(a - b).mean()) < SAME:
        return 1.0
    spread = float(a.std() * b.std())
    if min(a.std(), b.std()) < PLAIN or spread == 0:
        return 0.0
    return float(np.clip(((a - a.mean()) * (b - b.mean())).mean() / spread, 0.0, 1.0))


def spatial_redundancy(luma: NDArray[np.float64]) -> float:
    """Share of the variance of a picture [h, w] 0..255 that the means of its 28 px patches explain; plain ones: 1."""
    total = float(luma.var())
    if total < PLAIN**2:
        return 1.0
    height, width = luma.shape
    inside = [
        float(luma[y : y + PATCH_PX, x : x + PATCH_PX].var()) * luma[y : y + PATCH_PX, x : x + PATCH_PX].size
        for y in range(0, height, PATCH_PX)
        for x in range(0, width, PATCH_PX)
    ]
    return float(np.clip(1 - sum(inside) / (luma.size * total), 0.0, 1.0))


def _luma(jpeg: bytes) -> NDArray[np.float64]:
    import cv2

    return np.asarray(cv2.cvtColor(decoded(jpeg), cv2.COLOR_BGR2GRAY), np.float64)


def _measured(t_s: float, name: str, value: float) -> tuple[str, dict[str, Any]]:
    return "measurements", {"t_s": float(t_s), "name": name, "value": round(value, 6), "label": None}


ANNOTATOR = Redundancy
