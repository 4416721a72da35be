"""Oryx: conversations whose pictures lie one behind the other in patch files, with where they begin and how long each is.

A video is the frames that the trainer draws (those of a stored plan where one is asked for), as JPEG; `start_num` is the first byte
of the first one and `size` the bytes of each, so cumulative sums find them (`Oryx-mllm/Oryx: DATA.md`). A still has one number as its
size. What several samples show is stored once per split. One video or one still per sample; no sound.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from pydantic import Field

from ..frames_at import frames_at, wish_at
from ..packager import (
    PROFILE,
    Contents,
    JsonList,
    Modality,
    PackagedSample,
    PackageError,
    PackageParams,
    Packager,
    dumps,
)
from ..rendering import Part
from .llava import SPEAKER

RECORDS = "records.jsonl"
_WHOLE_PX = 1 << 20
"""A longest side that no frame has: pictures keep the size of the packaged file."""


class Params(PackageParams):
    """Parameters of oryx."""

    modalities: tuple[Modality, ...] = Field(("vision",), min_length=1, description="What the trainer shows a model.")
    profile: str = Field("llava-video-64", description=PROFILE)
    video_fps: float = Field(1.0, gt=0, description="Frames per second of a video that are packed.")
    frames_upbound: int = Field(64, ge=0, description="Most frames of a video; more are thinned evenly. 0: no bound.")
    patch_mb: float = Field(
        1024.0, gt=0, description="Patch files end before this many megabytes (of a million bytes)."
    )


class Oryx(Packager[Params]):
    """`<split>.json` with `id`, `video` or `image` as a place in `patches/<split>/`, and `conversations`."""

    name = "oryx"
    Params = Params
    spans = "none"
    clock = "index"
    shows = ("vision",)
    masks = False
    keeps_media = False

    _pictures = _patches = 0
    """What `write` has packed, for `usage`."""

    def marks(self) -> Mapping[str, str]:
        return {"video": "<image>", "image": "<image>"}

    def sampler(self) -> Mapping[str, float | int | bool | None]:
        p = self.params
        return {"video_fps": p.video_fps, "frames_upbound": p.frames_upbound, "force_sample": False}

    def refuses(self, parts: Sequence[Part]) -> str | None:
        fits = len(parts) == 1 and parts[0].kind in ("video", "image")
        return None if fits else "one video or one still per sample; planned frames go with frames_as: list"

    def write(self, samples: Iterator[PackagedSample], folder: Path, contents: Contents) -> None:
        self._pictures = self._patches = 0
        with (folder / RECORDS).open("w", encoding="utf-8", newline="\n") as records:
            for split, group in groupby(samples, key=lambda s: s.split):
                patches = _Patches(folder, f"patches/{split}", int(self.params.patch_mb * 1e6))
                with JsonList(folder / f"{split}.json") as file:
                    for sample in group:
                        file.add(self._entry(sample, folder, patches))
                        records.write(dumps(_record(sample)) + "\n")
                patches.close()
                self._pictures += patches.pictures
                self._patches += patches.number

    def usage(self, contents: Contents) -> str:
        files = ", ".join(f"`{split}.json`" for split in contents.splits) or "no files, for no sample was packaged"
        return (
            f"Oryx conversations: {files}, and {self._pictures} JPEG pictures in {self._patches} patch files. `video` (`image`) says "
            "the patch file relative to this folder, the first byte, and the bytes of each picture (of the picture):\n\n"
            "```python\n"
            'with open(video["patch"], "rb") as patch:\n'
            '    patch.seek(video["start_num"])\n'
            '    pictures = [patch.read(size) for size in video["size"]]\n'
            "```\n\n"
            f"`{RECORDS}` says of each sample where it comes from. Times are those of the packaged videos, before frames were drawn."
        )

    def _entry(self, sample: PackagedSample, folder: Path, patches: _Patches) -> dict[str, Any]:
        part = sample.parts[0]
        turns = [{"from": SPEAKER[role], "value": text} for role, text in sample.turns]
        entry: dict[str, Any] = {"id": sample.sample_id, "conversations": turns}
        if part.kind == "image":
            place = patches.place((part.file,)) or patches.add((part.file,), [(folder / part.file).read_bytes()])
            entry["image"] = {**place, "size": place["size"][0]}
            return entry
        planned = sample.facts.get("frames") or []
        times = tuple(f["t_s"] for f in planned[0]["frames"]) if planned else self.drawn_s(folder / part.file)
        if not times:
            raise PackageError(f"sample {sample.sample_id}: no frame of {part.file} is drawn")
        key = (part.file, *times)
        entry["video"] = patches.place(key) or patches.add(key, self._drawn(folder / part.file, times))
        return entry

    def _drawn(self, video: Path, times: Sequence[float]) -> list[bytes]:
        """JPEG bytes of the frames that stand at these times."""
        import cv2

        found = frames_at(video, [wish_at(t, _WHOLE_PX) for t in times])
        jpegs = []
        for t in times:
            picture = np.ascontiguousarray(found[wish_at(t, _WHOLE_PX)].rgb[:, :, ::-1])
            done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, self.params.jpeg_quality])
            if not done:
                raise PackageError(f"JPEG encoding of the frame at {t:g} s of {video.name} failed")
            jpegs.append(data.tobytes())
        return jpegs


class _Patches:
    """The patch files of one split, one after the other; the pictures of an entry never lie in two of them."""

    def __init__(self, folder: Path, inside: str, limit: int) -> None:
        self.folder, self.inside, self.limit = folder, inside, limit
        self.number = self.size = self.pictures = 0
        self._file: BinaryIO | None = None
        self._places: dict[tuple[Any, ...], dict[str, Any]] = {}

    def place(self, key: tuple[Any, ...]) -> dict[str, Any] | None:
        """Where these pictures lie already."""
        return self._places.get(key)

    def add(self, key: tuple[Any, ...], pictures: Sequence[bytes]) -> dict[str, Any]:
        """Append pictures; `patch`, `start_num` and `size` of them."""
        sizes = [len(p) for p in pictures]
        if self._file is not None and self.size + sum(sizes) > self.limit:
            self.close()
        if self._file is None:
            path = self.folder / self._name(self.number)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file, self.number, self.size = path.open("wb"), self.number + 1, 0
        place = {"patch": self._name(self.number - 1), "start_num": self.size, "size": sizes}
        for picture in pictures:
            self._file.write(picture)
        self.size += sum(sizes)
        self.pictures += len(sizes)
        self._places[key] = place
        return place

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _name(self, number: int) -> str:
        return f"{self.inside}/patch_{number:06d}"


def _record(sample: PackagedSample) -> dict[str, Any]:
    """Everything known of a sample but the names of files that went into the patches."""
    record = sample.record()
    del record["files"]
    record["media"] = [{k: v for k, v in medium.items() if k != "files"} for medium in record["media"]]
    for planned in record.get("frames", ()):
        del planned["files"]
    return record


PACKAGER = Oryx
