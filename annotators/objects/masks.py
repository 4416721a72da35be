"""Masks for the boxes of tracks: by colour inside the box (`grabcut`, runs anywhere), or by SAM 2 in pictures or through shots.

Rows of tracks and boxes are written again, with masks and what follows from them: area, cut sides, depth and visibility where a depth
map of that time is stored. Masks that were imported or rendered stay as they are. `attributes_json` of a track says which
method its masks are of and how it rates them. A box without a stored picture at its time keeps no mask.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Resources, Row, Rows, Unit, UnitAnnotator
from ...engine.depth_maps import depth_at, depth_of, pixel_grid
from ...engine.kept import one_producer
from ...engine.models import ModelRef
from ...schemas.box import Box, box_or_none
from ...schemas.masks import Mask, decode_mask, encode_mask
from ...schemas.span import to_us
from . import masker_sam2
from .cutting_out import grabcut
from .hiding import told
from .stills import COLUMNS, Still, stills_of
from .things import RowDict, changed, tracks_with_boxes

Entry = tuple[int, RowDict, Box]
"""Number of its track, row of `boxes`, its box."""


class MasksParams(BaseParams):
    """Parameters of masks."""

    backend: Literal["grabcut", "sam2", "sam2_video"] = Field("grabcut", description="Who cuts things out.")
    frame_set: str | None = Field(None, description="Stored frame set to look at; null: the first by name.")
    model: str | None = Field(None, description="Of sam2: name on the hub; null: a small one.")
    path: str | None = Field(None, description="Of sam2: folder with local weights.")
    device: Literal["cpu", "cuda"] = Field("cpu", description="Of sam2: where to compute.")
    threads: int = Field(1, ge=1, description="Of sam2: processor threads; fixed, so that rows are reproducible.")
    least_score: float = Field(0.2, ge=0, le=1, description="Less certain masks are dropped; the box stays.")
    tolerance_s: float = Field(
        0.02, ge=0, description="How far the picture or depth map of a box may lie from its time."
    )
    margin: float = Field(
        0.3, ge=0, le=2, description="Of grabcut: share of the box's longer side that is looked at around it."
    )
    rounds: int = Field(3, ge=1, le=10, description="Of grabcut: rounds of fitting.")


class Masks(UnitAnnotator[MasksParams]):
    """Writes `tracks` and `boxes` with masks, from those of another annotator (name it with `from:`)."""

    name: ClassVar[str] = "masks"
    version: ClassVar[int] = 1
    Params: ClassVar[type[BaseParams]] = MasksParams
    reads: ClassVar[tuple[str, ...]] = ("media", "frames", "tracks", "boxes", "depths")
    optional_reads: ClassVar[tuple[str, ...]] = ("depths",)
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = COLUMNS
    writes: ClassVar[tuple[str, ...]] = ("tracks", "boxes")
    quick_units: ClassVar[int] = 4

    def __init__(self, params: MasksParams) -> None:
        super().__init__(params)
        self._sam: masker_sam2.Sam2 | None = None

    def extras(self) -> tuple[str, ...]:
        """What the backend needs."""
        return () if self.params.backend == "grabcut" else ("detect",)

    def resources(self) -> Resources:
        """A processor per thread, or a GPU of its own."""
        return Resources(cpus=float(self.params.threads), gpus=1.0 if self.params.device == "cuda" else 0.0)

    def models(self) -> Sequence[ModelRef]:
        """SAM 2's weights. Raises `ModelNotFound`."""
        p = self.params
        return () if p.backend == "grabcut" else (masker_sam2.find(p.model, p.path),)

    def setup(self) -> None:
        """Load SAM 2."""
        if models := self.models():
            self._sam = masker_sam2.Sam2(
                models[0], self.params.device, self.params.threads, self.params.backend == "sam2_video"
            )

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """Tracks, then boxes in order of time. Raises `SkipUnit` without tracks or pictures."""
        things = tracks_with_boxes(rows)
        stills = stills_of(rows, self.params.frame_set)
        if self._sam is None:
            self.setup()
        pictured: dict[int, list[Entry]] = {}
        bare: list[RowDict] = []
        for k, (_, boxes) in enumerate(things):
            for row in boxes:
                box = box_or_none(row["x1"], row["y1"], row["x2"], row["y2"])
                near = _nearest([s.t_s for s in stills], row["t_s"], self.params.tolerance_s)
                if box is None or (near is None and row["mask"] is None):
                    bare.append(row)
                else:
                    pictured.setdefault(-1 - to_us(row["t_s"]) if near is None else near, []).append((k, row, box))
        carried = self._carried(things, stills, pictured) if self.params.backend == "sam2_video" else {}
        depths = sorted(one_producer(rows["depths"]), key=lambda r: r["t_s"])
        made: list[dict[str, Any]] = [changed(row) for row in bare]
        rated: dict[int, list[float]] = {}
        for at, entries in sorted(pictured.items()):
            still = stills[at] if at >= 0 else None
            masks = self._masks(still, at, entries, carried)
            for k, _, _ in entries:
                rated.setdefault(k, [])
            depth = self._depth(depths, entries[0][1]["t_s"], masks)
            facts = told([box for _, _, box in entries], [m for m, _ in masks], depth)
            for (k, row, _), (mask, score), fact in zip(entries, masks, facts, strict=True):
                rated[k].append(score)
                if score < self.params.least_score:
                    made.append(changed(row))
                    continue
                new = {"mask": encode_mask(mask), "area": round(fact.area, 9), "truncated": fact.truncated}
                new |= {"depth_m": fact.depth_m, "visibility": fact.visibility} if row["mask"] is None else {}
                made.append(changed(row, **new))
        for k, (track, _) in enumerate(things):
            said = json.loads(track["attributes_json"] or "{}")
            if rated.get(k):
                said |= {"mask_method": self.params.backend, "mask_score": round(float(np.mean(rated[k])), 4)}
            yield "tracks", changed(track, attributes_json=json.dumps(said, sort_keys=True))
        for row in sorted(made, key=lambda r: (r["t_s"], r["track_id"])):
            yield "boxes", row

    def _masks(
        self, still: Still | None, at: int, entries: Sequence[Entry], carried: Mapping[tuple[int, int], Mask]
    ) -> list[tuple[Mask, float]]:
        """Mask and score of each box of a picture; given masks count as certain."""
        found: dict[int, tuple[Mask, float]] = {}
        open_ = [n for n, (_, row, _) in enumerate(entries) if row["mask"] is None]
        for n, (_, row, _) in enumerate(entries):
            if row["mask"] is not None:
                found[n] = (decode_mask(row["mask"]), 1.0)
        if open_ and still is not None:
            picture, p = still.rgb(), self.params
            if p.backend == "grabcut":
                made = [grabcut(picture, entries[n][2], p.margin, p.rounds) for n in open_]
            elif p.backend == "sam2":
                assert self._sam is not None
                made = self._sam.masks(picture, [entries[n][2] for n in open_])
            else:
                empty = np.zeros(picture.shape[:2], bool)
                held = [carried.get((entries[n][0], at), empty) for n in open_]
                made = [(m, _fit(m, entries[n][2])) for m, n in zip(held, open_, strict=True)]
            found |= dict(zip(open_, made, strict=True))
        made = [found[n] for n in range(len(entries))]
        return [(_sized(mask, made[open_[0]][0].shape) if open_ else mask, score) for mask, score in made]

    def _carried(
        self, things: Sequence[Any], stills: Sequence[Still], pictured: Mapping[int, Sequence[Entry]]
    ) -> dict[tuple[int, int], Mask]:
        """Of SAM 2 through shots: the mask of each track in each picture of its time, from its largest box."""
        assert self._sam is not None
        found: dict[tuple[int, int], Mask] = {}
        for k in range(len(things)):
            seen = [
                (at, box)
                for at, entries in pictured.items()
                if at >= 0
                for n, row, box in entries
                if n == k and row["mask"] is None
            ]
            if not seen:
                continue
            seed, box = max(seen, key=lambda s: (s[1].area, -s[0]))
            first, last = min(at for at, _ in seen), max(at for at, _ in seen)
            pictures = [stills[at].rgb() for at in range(first, last + 1)]
            for n, mask in enumerate(self._sam.carried(pictures, seed - first, box)):
                found[k, first + n] = mask
        return found

    def _depth(self, depths: Sequence[RowDict], t_s: float, masks: Sequence[tuple[Mask, float]]) -> Any:
        near = _nearest([d["t_s"] for d in depths], t_s, self.params.tolerance_s)
        shapes = {m.shape for m, _ in masks}
        if near is None or len(shapes) != 1:
            return None
        ((height, width),) = shapes
        return depth_at(depth_of(depths[near]), pixel_grid(np.zeros((height, width)), width, height), width, height)


def _nearest(times: Sequence[float], t_s: float, tolerance_s: float) -> int | None:
    at = min(range(len(times)), key=lambda k: (abs(times[k] - t_s), k), default=None)
    return at if at is not None and abs(to_us(times[at]) - to_us(t_s)) <= to_us(tolerance_s) else None


def _sized(mask: Mask, shape: tuple[int, ...]) -> Mask:
    """The mask at another size, so that masks of one picture compare."""
    import cv2

    if mask.shape == shape:
        return mask
    return np.asarray(cv2.resize(mask.astype(np.uint8), (shape[1], shape[0]), interpolation=cv2.INTER_NEAREST) > 0)


def _fit(mask: Mask, box: Box) -> float:
    """Share of a mask that lies in its box; 0 for an empty one."""
    height, width = mask.shape
    x1, y1, x2, y2 = (round(v) for v in box.to_pixels(width, height))
    total = int(mask.sum())
    return round(int(mask[y1:y2, x1:x2].sum()) / total, 6) if total else 0.0


ANNOTATOR = Masks
