"""Promptable masklets: mask tracks cut into short clips, each with a first prompt and correction clicks (SAM-I2V, SAM 2).

A clip is some annotated frames in a row of one shot, beginning where the object is seen; a frame in which it is not seen, but looked for,
carries an empty mask, not none. Which prompt comes first is drawn per clip. Imported or rendered masks are right,
those of `masks` are as right as they are rated.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import numpy as np
from pydantic import Field, model_validator

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Unit, UnitAnnotator
from ...engine.kept import one_producer
from ...schemas.ids import seeded_fraction
from ...schemas.masks import Mask, decode_mask, encode_mask
from ...schemas.objects import object_of
from ...schemas.span import to_us
from .prompting import Kind, corrections, first_prompt, problems
from .things import RowDict, tracks_with_boxes

FIRST: dict[Kind, float] = {"mask": 0.5, "box": 0.25, "point": 0.25}
"""Shares of first prompts, as SAM 2 was trained."""


class Params(BaseParams):
    """Parameters of mask_prompts."""

    frames: int = Field(8, ge=2, le=64, description="Annotated frames per clip.")
    every: int = Field(1, ge=1, description="Of the annotated times every how-many-th is taken.")
    per_clip: int = Field(3, ge=1, description="Objects that share the frames of a clip, at most.")
    first: dict[Kind, float] = Field(default_factory=lambda: dict(FIRST), description="Share of each first prompt.")
    clicks: int = Field(3, ge=0, description="Correction clicks per clip, at most.")
    good_iou: float = Field(0.75, gt=0, le=1, description="A frame with less IoU of the simulated answer is corrected.")
    least_area: float = Field(0.0005, ge=0, description="Smallest first mask, share of the picture.")
    least_score: float = Field(0.0, ge=0, le=1, description="Tracks with a lower score are left out.")

    @model_validator(mode="after")
    def _shares(self) -> Params:
        if not self.first or any(v < 0 for v in self.first.values()) or sum(self.first.values()) <= 0:
            raise ValueError("first: shares of mask, box and point, not all 0")
        return self


class MaskPrompts(UnitAnnotator[Params]):
    """Writes `mask_prompts` of one medium from tracks whose boxes have masks."""

    name: ClassVar[str] = "mask_prompts"
    version: ClassVar[int] = 1
    Params: ClassVar[type[BaseParams]] = Params
    reads: ClassVar[tuple[str, ...]] = ("media", "tracks", "boxes", "shots")
    optional_reads: ClassVar[tuple[str, ...]] = ("shots",)
    writes: ClassVar[tuple[str, ...]] = ("mask_prompts",)
    light: ClassVar[bool] = True

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """Clips in order of time. Raises `SkipUnit` where no box has a mask."""
        assert unit.medium is not None
        p, media_id = self.params, unit.medium.media_id
        things = [(t, b) for t, b in tracks_with_boxes(rows) if (t["score"] is None or t["score"] >= p.least_score)]
        seen = [{to_us(r["t_s"]): r for r in boxes if r["mask"]} for _, boxes in things]
        every_time = sorted({to_us(r["t_s"]) for _, boxes in things for r in boxes})[:: p.every]
        if not any(seen):
            raise SkipUnit("no box has a mask; an importer, `masks` or a composer writes them")
        cuts = sorted({to_us(r["start_s"]) for r in one_producer(rows["shots"])} | {0})
        clips = _windows(every_time, cuts, p.frames)
        counts = [0] * len(things)
        for times in clips:
            there = [k for k, masks in enumerate(seen) if times[0] in masks and _area(masks[times[0]]) >= p.least_area]
            there.sort(
                key=lambda k: (seeded_fraction(unit.seed, self.name, media_id, times[0], things[k][0]["track_id"]), k)
            )
            for number, k in enumerate(there[: p.per_clip], 1):
                row = self._clip(unit, things[k][0], seen[k], times, number)
                if row is not None:
                    yield "mask_prompts", {**row, "clip": counts[k]}
                    counts[k] += 1

    def _clip(
        self, unit: Unit, track: RowDict, boxes: dict[int, RowDict], times: Sequence[int], number: int
    ) -> dict[str, Any] | None:
        p = self.params
        first = decode_mask(boxes[times[0]]["mask"])
        masks: list[Mask] = []
        for t in times:
            mask = decode_mask(boxes[t]["mask"]) if t in boxes else np.zeros(first.shape, bool)
            if mask.shape != first.shape:
                return None
            masks.append(mask)
        drawn = seeded_fraction(unit.seed, self.name, "first", track["track_id"], times[0])
        prompts = [first_prompt(first, _kind(p.first, drawn)), *corrections(masks, p.clicks, p.good_iou)]
        told = [prompt.values() for prompt in prompts]
        assert not problems(masks, told)
        rles = [encode_mask(m) for m in masks]
        rate = (unit.medium.fps if unit.medium else None) or 1.0
        line = {
            "video_id": unit.medium.media_id if unit.medium else "", "obj_id": number,
            "frames": [round(t * rate / 1_000_000) for t in times], "masks": [json.loads(r) for r in rles],
            "prompts": [{**v, **({"rle": json.loads(v["rle"])} if "rle" in v else {})} for v in told],
        }  # fmt: skip
        return {
            "track_id": track["track_id"], "object_id": object_of(track), "obj": number, "kind": prompts[0].type,
            "times": [t / 1_000_000 for t in times], "masks": rles, "hidden": sum(not m.any() for m in masks),
            "prompts_json": json.dumps(told, sort_keys=True), "clicks": len(prompts) - 1,
            "line_json": json.dumps(line, sort_keys=True),
        }  # fmt: skip


def _windows(times: Sequence[int], cuts: Sequence[int], frames: int) -> list[list[int]]:
    """Runs of `frames` times one after the other, none across a cut."""
    found = []
    for first, past in zip(cuts, [*cuts[1:], 1 << 62], strict=True):
        own = [t for t in times if first <= t < past]
        found += [own[k : k + frames] for k in range(0, len(own) - frames + 1, frames)]
    return found


def _area(row: RowDict) -> float:
    return float(decode_mask(row["mask"]).mean())


def _kind(shares: dict[Kind, float], drawn: float) -> Kind:
    total, so_far = sum(shares.values()), 0.0
    for kind, share in sorted(shares.items()):
        so_far += share / total
        if drawn < so_far:
            return kind
    return max(shares)


ANNOTATOR = MaskPrompts
