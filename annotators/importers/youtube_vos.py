"""YouTube-VOS (and DAVIS): `JPEGImages/<video>/00000.jpg`, `Annotations/<video>/00000.png` and `meta.json`.

A mask is a palette picture that numbers objects from 1. File names count frames of the video, of which YouTube-VOS keeps every
fifth, so that a name is a time: number divided by the video's rate.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from ...engine.folder_importing import FolderParams
from ...engine.importing import ImportNote, ImportProblem
from ..scans.masks2d import mask_values
from ..scans.pictures import mask_numbers
from ..scans.sequence import FrameSequence, SequenceImporter, SequenceParams, numbered_pictures
from .reading import read_mapping


class YoutubeVosParams(SequenceParams):
    """Parameters of youtube_vos."""

    frames_per_s: float = Field(30.0, gt=0, description="frames per second that file names count: 30, of DAVIS 24")
    mask_side_px: int = Field(640, ge=16, description="larger side of a stored mask")


class YoutubeVos(SequenceImporter[YoutubeVosParams]):
    """Reads YouTube-VOS (Xu et al. 2018) into films with `tracks` and `boxes` with masks."""

    name: ClassVar[str] = "youtube_vos"
    Params: ClassVar[type[FolderParams]] = YoutubeVosParams
    licence: ClassVar[str | None] = "CC-BY-4.0"

    def files(self, folder: Path) -> Iterable[Path]:
        """Pictures, masks and the list of categories."""
        masks, meta = _beside(folder)
        return [*folder.glob("*"), *masks.glob("*"), *([meta] if meta else [])]

    def sequence(self, name: str, folder: Path) -> FrameSequence:
        """Pictures and masks of a video."""
        masks, meta = _beside(folder)
        told = FrameSequence(numbered_pictures(folder), self.params.frames_per_s)
        labels: dict[str, Any] = {}
        if meta is not None:
            listed = read_mapping(meta, "{videos: {name: {objects: {id: {category, frames}}}}}").get("videos", {})
            labels = {k: str(v["category"]) for k, v in (listed.get(folder.name, {}).get("objects") or {}).items()}
        files = {int(p.stem): p for p in masks.glob("*.png") if p.stem.isdigit()}
        if not files:
            raise ImportProblem(f"no masks in {masks.parent.name}/{masks.name}")
        stray = sorted(set(files) - set(told.pictures))
        if stray:
            told.notes.append(
                ImportNote("masks", "missing", f"masks without a picture: {stray[:3]}", "left_out", len(stray))
            )
        told.annotated = frozenset(files) & frozenset(told.pictures)
        for number in sorted(told.annotated):
            mask = mask_numbers(files[number])
            for value in np.unique(mask[(mask > 0) & (mask < 255)]):
                key = str(int(value))
                told.labels[key] = labels.get(key, "object").replace("_", " ")
                values = mask_values(mask == value, self.params.mask_side_px)
                told.seen.setdefault(key, {})[number] = values
        return told


def _beside(folder: Path) -> tuple[Path, Path | None]:
    """Folder of the masks, and the list of categories, if there is one."""
    parts = list(folder.parts)
    if "JPEGImages" not in parts:
        raise ImportProblem("the folder of a video lies in JPEGImages, its masks in Annotations beside it")
    at = len(parts) - 1 - parts[::-1].index("JPEGImages")
    meta = Path(*parts[:at]) / "meta.json"
    return Path(*parts[:at], "Annotations", *parts[at + 1 :]), meta if meta.is_file() else None


IMPORTER = YoutubeVos
