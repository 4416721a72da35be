"""VideoRefer: conversations whose text holds `<region>` for each object, with the objects' masks over frames beside it.

An entry is `video` (or `image`), `conversations`, and `annotation`: one dict per `<region>` in reading order, whose keys are
frame numbers of the packaged file and whose values are COCO masks at its size (`DAMO-NLP-SG/VideoRefer`). Where only a box is
known its rectangle is the mask. Times and boxes cannot be said in this format; samples that need them are left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from ...schemas.masks import Mask, decode_mask, encode_mask
from ..packager import Contents, JsonList, Modality, PackagedSample, PackageError, PackageParams, Packager
from ..rendering import Language, Part, Placeholders
from .llava import SPEAKER
from .llava_st import file_shape

REGION = "<region>"


class Params(PackageParams):
    """Parameters of videorefer."""

    modalities: tuple[Modality, ...] = Field(("vision",), min_length=1, description="What the trainer shows a model.")
    mode: str = Field(
        "frames", pattern="^(frames|single)$", description="frames: masks of all cited times; single: of the named one."
    )


class VideoRefer(Packager[Params]):
    """VideoRefer's conversations with masks, one file per split."""

    name = "videorefer"
    Params = Params
    spans = "none"
    clock = "index"
    shows = ("vision",)
    masks = False
    regions = True

    def language(self) -> Language:
        return replace(super().language(), placeholders=Placeholders(None, None, None, REGION), answer="text")

    def refuses(self, parts: Sequence[Part]) -> str | None:
        return None if len(parts) == 1 and parts[0].kind in ("video", "image") else "one video or picture per sample"

    def write(self, samples: Iterator[PackagedSample], folder: Path, contents: Contents) -> None:
        @lru_cache(maxsize=256)
        def shape(file: str) -> tuple[float, int, int, int]:
            return file_shape(folder / file)

        for split, group in groupby(samples, key=lambda s: s.split):
            with JsonList(folder / f"{split}.json") as file:
                for sample in group:
                    file.add(self._entry(sample, *shape(sample.parts[0].file)))

    def usage(self, contents: Contents) -> str:
        files = ", ".join(f"`{split}.json`" for split in contents.splits) or "no files, for no sample was packaged"
        return (
            f"VideoRefer conversations: {files}; paths of `video` and `image` are relative to this folder. `annotation` has one "
            "dict per `<region>` in the text, in reading order: frame number -> `segmentation` (COCO run-length encoding, "
            "uncompressed, at the file's size). Where no mask was known it is the rectangle of the box."
        )

    def _entry(self, sample: PackagedSample, fps: float, frames: int, width: int, height: int) -> dict[str, Any]:
        turns = [{"from": SPEAKER[role], "value": text} for role, text in sample.turns]
        regions = sample.facts["regions"]
        named = [mark for mark in sample.marks if mark.box is not None]
        annotation = []
        for region, mark in zip(regions, named, strict=True):
            times = {float(t): place for t, place in region["times"].items()}
            if self.params.mode == "single":
                at = min(times, key=lambda t: abs(t - mark.times[0]))
                times = {at: times[at]}
            annotation.append(
                {
                    str(min(frames - 1, max(0, round(t * fps)))): {"segmentation": _segmentation(place, width, height)}
                    for t, place in sorted(times.items())
                }
            )
        entry = {
            "id": sample.sample_id,
            sample.parts[0].kind: sample.parts[0].file,
            "conversations": turns,
            "annotation": annotation,
        }
        problems = mismatches(entry, width, height)
        if problems:
            raise PackageError(f"sample {sample.sample_id}: {problems[0]}")
        return entry


def mismatches(entry: Mapping[str, Any], width: int, height: int) -> list[str]:
    """What is wrong with an entry: another number of `<region>` than of objects, masks of another size or without a pixel."""
    said = sum(turn["value"].count(REGION) for turn in entry["conversations"])
    found = [] if said == len(entry["annotation"]) else [f"{said} {REGION} and {len(entry['annotation'])} objects"]
    for number, masks in enumerate(entry["annotation"], start=1):
        if not masks:
            found.append(f"object {number} has no mask")
        for frame, value in masks.items():
            mask = decode_mask(json.dumps(value["segmentation"]))
            if mask.shape != (height, width) or not mask.any():
                found.append(f"object {number}, frame {frame}: a mask of {mask.shape}, {int(mask.sum())} pixels")
    return found


def _segmentation(place: Mapping[str, Any], width: int, height: int) -> dict[str, Any]:
    """The mask at the size of the packaged file; of a box its rectangle, one pixel at least."""
    if place["mask"] is not None:
        mask = _resized(decode_mask(place["mask"]), width, height)
    else:
        mask = np.zeros((height, width), bool)
    if not mask.any():
        x1, y1, x2, y2 = place["box"]
        left, top = min(width - 1, int(x1 * width)), min(height - 1, int(y1 * height))
        mask[top : max(top + 1, round(y2 * height)), left : max(left + 1, round(x2 * width))] = True
    told: dict[str, Any] = json.loads(encode_mask(mask))
    return told


def _resized(mask: Mask, width: int, height: int) -> Mask:
    """The nearest pixel of the other size."""
    if mask.shape == (height, width):
        return mask
    rows = (np.arange(height) + 0.5) * mask.shape[0] / height
    columns = (np.arange(width) + 0.5) * mask.shape[1] / width
    return mask[np.ix_(rows.astype(int), columns.astype(int))]


PACKAGER = VideoRefer
