"""Checks a film of moving noise against its truth: no frame may show what is hidden, and its motion must.

Per film: the greatest correlation of any frame (and of its local contrast, where compression would show) with the mask, how
well the mask comes back when the motion is undone (intersection over union), and how well from frames in a shuffled
order, beside what guessing gives. Recipes keep films by these numbers. Media without a hidden track are skipped.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Unit, UnitAnnotator
from ...engine.kept import one_producer
from ...engine.media.container import MediaError, open_media
from ...schemas.ids import seeded_fraction
from ...schemas.masks import Mask, decode_mask, mask_iou
from .motion_recovery import Luma, correlation, recovered

SHUFFLES = 4
_LOCAL_PX = 9


class Params(BaseParams):
    """Parameters of hidden_mask."""

    smooth_px: int = Field(
        3, ge=1, description="Errors are averaged over squares of this side before they are compared."
    )
    moving_frames: int = Field(5, ge=3, description="Frames around a moment in which a moving mask is taken to rest.")


class HiddenMask(UnitAnnotator[Params]):
    """Writes `measurements` of one film: hidden_leak, hidden_texture, hidden_iou, hidden_iou_shuffled and hidden_chance."""

    name: ClassVar[str] = "hidden_mask"
    version: ClassVar[int] = 1
    Params: ClassVar[type[BaseParams]] = Params
    reads: ClassVar[tuple[str, ...]] = ("media", "tracks", "boxes")
    writes: ClassVar[tuple[str, ...]] = ("measurements",)
    light: ClassVar[bool] = True
    reads_media: ClassVar[bool] = True

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """Five numbers at time 0. Raises `SkipUnit` where nothing is hidden, `ValueError` where no mask is known."""
        assert unit.medium is not None and unit.medium.path is not None
        hidden = [(t, json.loads(t["attributes_json"] or "{}")) for t in one_producer(rows["tracks"])]
        hidden = [(t, told) for t, told in hidden if told.get("hidden_by") == "motion"]
        if not hidden:
            raise SkipUnit("nothing is hidden in its motion")
        track, told = hidden[0]
        masks = [
            (b["t_s"], decode_mask(b["mask"]))
            for b in one_producer(rows["boxes"])
            if b["track_id"] == track["track_id"] and b["mask"]
        ]
        if not masks:
            raise ValueError(f"{unit.medium}: no mask of the track {track['track_id']}")
        frames = _frames(unit.medium.path)
        noise = told["noise"]
        velocity, axis = noise["velocity_px"] * noise["sign"], 1 if noise["direction"] == "x" else 0
        span = self.params.moving_frames if told["category"] == "dynamic" else len(frames)
        order = [_shuffled(len(frames), track["track_id"], n) for n in range(SHUFFLES)]
        found, mixed = [], []
        for t_s, mask in masks if told["category"] == "dynamic" else masks[:1]:
            first = max(0, min(round(t_s * noise["fps"]) - span // 2, len(frames) - span))
            window = range(first, min(first + span, len(frames)))
            found.append(self._iou([frames[i] for i in window], velocity, axis, mask))
            mixed += [self._iou([frames[o[i]] for i in window], velocity, axis, mask) for o in order]
        share = float(np.mean([m.mean() for _, m in masks]))
        leaks = [_leak(f, min(masks, key=lambda m: abs(m[0] - i / noise["fps"]))[1]) for i, f in enumerate(frames)]
        measured = {
            "hidden_leak": max(leak for leak, _ in leaks),
            "hidden_texture": max(texture for _, texture in leaks),
            "hidden_iou": min(found),
            "hidden_iou_shuffled": float(np.mean(mixed)),
            "hidden_chance": share / (1 + share),
        }
        for name, value in measured.items():
            yield "measurements", {"t_s": 0.0, "name": name, "value": round(value, 6)}

    def _iou(self, frames: Sequence[Luma], velocity: int, axis: int, mask: Mask) -> float:
        return mask_iou(recovered(frames, velocity, axis, self.params.smooth_px), mask)


def _leak(luma: Luma, mask: Mask) -> tuple[float, float]:
    """How much a frame, and its contrast from place to place, go with the mask: |r|."""
    import cv2

    values = luma.astype(np.float32)
    size = (_LOCAL_PX, _LOCAL_PX)
    contrast = cv2.blur(values * values, size) - cv2.blur(values, size) ** 2
    return abs(correlation(values, mask)), abs(correlation(contrast, mask))


def _frames(path: Any) -> list[Luma]:
    with open_media(str(path)) as container:
        found = [f.to_ndarray(format="gray") for f in container.decode(video=0)]
    if len(found) < 3:
        raise MediaError(str(path), f"{len(found)} frames show no motion", "compose it longer")
    return found


def _shuffled(count: int, *seed: Any) -> list[int]:
    return sorted(range(count), key=lambda i: (seeded_fraction("shuffle", *seed, i), i))


ANNOTATOR = HiddenMask
