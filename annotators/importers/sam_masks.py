"""Masks as SAM writes them: SA-1B's file per picture (`sa_1.json`), and SA-V's masklets per video (`sav_000001_manual.json`).

Masks have no categories: their label is `object`. SA-V has masks at every fourth frame of a video of 24 frames per second; an
object that is not seen there has an empty mask, and its track ends.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from ...engine.importing import Imported, Importer, ImporterParams, ImportProblem
from ...schemas.ids import derive_id
from ..scans.masks2d import mask_values
from ..scans.tracked import Seen, tracked
from .reading import as_json, number, read_mapping
from .run_lengths import mask_of

LABEL = "object"


class SamMasksParams(ImporterParams):
    """Parameters of sam_masks."""

    mask_side_px: int = Field(640, ge=16, description="larger side of a stored mask")
    frames_per_s: float = Field(24.0, gt=0, description="frame rate of the videos of masklets")
    every_frames: int = Field(4, ge=1, description="masklets have a mask at every so manyth frame")


class SamMasks(Importer[SamMasksParams]):
    """Reads SA-1B (Kirillov et al. 2023) and SA-V (Ravi et al. 2024) into `tracks` and `boxes` with masks."""

    name: ClassVar[str] = "sam_masks"
    Params: ClassVar[type[ImporterParams]] = SamMasksParams

    def read_file(self, path: Path) -> Iterable[Imported]:
        """The picture or the video of a file."""
        found = read_mapping(path, "{image, annotations} or {video_id, masklet}")
        if "masklet" in found:
            yield self._video(path, found)
        elif "image" in found and "annotations" in found:
            yield self._picture(path, found)
        else:
            raise ImportProblem(
                f"{path.name}: neither `image` and `annotations` nor `masklet`; is it a file of SA-1B or SA-V?"
            )

    def _picture(self, path: Path, found: dict[str, Any]) -> Imported:
        about = found["image"]
        width, height = int(about["width"]), int(about["height"])
        said = Imported(str(about["file_name"]), size=(width, height))
        for one in found["annotations"]:
            item = f"{path.name} annotation {one.get('id')}"
            mask = mask_of(one.get("segmentation"), height, width)
            if mask is None or not mask.any():
                said.leave_out(item, "empty", "its mask is empty")
                continue
            track_id = derive_id("track", "sam", said.name, one.get("id"))
            attributes = as_json({name: one.get(name) for name in ("predicted_iou", "stability_score", "point_coords")})
            said.add(
                "tracks", item, track_id=track_id, start_s=0.0, end_s=0.0, label=LABEL, score=number(one.get("predicted_iou")),
                attributes_json=attributes,
            )  # fmt: skip
            said.add("boxes", item, track_id=track_id, t_s=0.0, **mask_values(mask, self.params.mask_side_px))
        return said

    def _video(self, path: Path, found: dict[str, Any]) -> Imported:
        p = self.params
        width, height = int(found["video_width"]), int(found["video_height"])
        said = Imported(str(found["video_id"]), size=(width, height), fps=p.frames_per_s)
        frames = number(found.get("video_frame_count"))
        said.duration_s = frames / p.frames_per_s if frames else None
        seen: dict[int, list[Seen]] = {}
        for place, masks in enumerate(found["masklet"]):
            t_s = place * p.every_frames / p.frames_per_s
            for thing, runs in enumerate(masks):
                mask = mask_of(runs, height, width)
                if mask is not None and mask.any():
                    seen.setdefault(thing, []).append(
                        Seen(place, t_s, t_s + 1 / p.frames_per_s, mask_values(mask, p.mask_side_px))
                    )
        numbers = found.get("masklet_id") or range(len(found["masklet"][0]) if found["masklet"] else 0)
        kind = found.get("masklet_type") or ()
        for thing, number_ in enumerate(numbers):
            item = f"{path.name} masklet {number_}"
            if thing not in seen:
                said.leave_out(item, "empty", "it has no mask at any frame")
                continue
            object_id = derive_id("object", "sam", said.name, number_, path.name)
            made = as_json({"made": kind[thing] if thing < len(kind) else None})
            tracks, boxes = tracked(object_id, seen[thing], {"label": LABEL, "attributes_json": made})
            for row in tracks:
                said.add("tracks", item, **row)
            for row in boxes:
                said.add("boxes", item, **row)
        return said


IMPORTER = SamMasks
