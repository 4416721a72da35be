"""MOTChallenge: a folder per sequence with `seqinfo.ini`, `img1/000001.jpg` and `gt/gt.txt`.

A line of the truth is frame, identity, left, top, width, height, whether it counts, class, visible share; of MOT15 the last are
three coordinates in the world, and all are people. Frames and pixels count from 1. Lines that do not count, and classes that are not asked for, are left out and noted by class.
"""

from __future__ import annotations

import configparser
from collections import Counter
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from ...engine.folder_importing import FolderParams
from ...engine.importing import ImportNote, ImportProblem
from ..scans.pictures import picture_size
from ..scans.sequence import FrameSequence, SequenceImporter, SequenceParams, numbered_pictures
from .reading import number

CLASSES = {
    1: "pedestrian", 2: "person on vehicle", 3: "car", 4: "bicycle", 5: "motorbike", 6: "non motorized vehicle",
    7: "static person", 8: "distractor", 9: "occluder", 10: "occluder on the ground", 11: "full occluder", 12: "reflection",
    13: "crowd",
}  # fmt: skip


PEOPLE = "pedestrian"
IN_WORLD = 3
"""Cells after width and height, of which there are more in MOT15."""


class MotParams(SequenceParams):
    """Parameters of mot."""

    truth: str = Field("gt/gt.txt", description="file of the boxes, below the folder of the sequence")
    frames_per_s: float | None = Field(None, gt=0, description="frame rate; null: as seqinfo.ini says")
    classes: tuple[str, ...] | None = Field(
        None, description="classes to take, whether they count or not; null: those that count"
    )


class Mot(SequenceImporter[MotParams]):
    """Reads MOT15 to MOT20 (Dendorfer et al. 2020) and what is written like it into films with `tracks` and `boxes`."""

    name: ClassVar[str] = "mot"
    Params: ClassVar[type[FolderParams]] = MotParams
    licence: ClassVar[str | None] = "CC-BY-NC-SA-3.0"

    def sequence(self, name: str, folder: Path) -> FrameSequence:
        """Pictures and boxes of a sequence."""
        info = configparser.ConfigParser()
        if not info.read(folder / "seqinfo.ini", encoding="utf-8-sig") or "Sequence" not in info:
            raise ImportProblem("no seqinfo.ini with a section [Sequence]")
        about = info["Sequence"]
        pictures = numbered_pictures(folder / about.get("imDir", "img1"))
        fps = self.params.frames_per_s or number(about.get("frameRate"))
        if not pictures or not fps:
            lacking = (
                "no pictures called by their numbers"
                if not pictures
                else "seqinfo.ini has no frameRate; set `frames_per_s:`"
            )
            raise ImportProblem(lacking)
        width, height = picture_size(next(iter(pictures.values())))
        told = FrameSequence(pictures, fps)
        if (said := number(about.get("imWidth"))) and said != width:
            told.notes.append(
                ImportNote("seqinfo.ini", "size", f"says {said:g} px wide, pictures have {width}", "noted", 0)
            )
            width, height = round(said), round(number(about.get("imHeight")) or height)
        told.annotated = frozenset(told.pictures)
        path = folder / self.params.truth
        if not path.is_file():
            raise ImportProblem(f"no {self.params.truth}; sequences of the test set come without")
        left_out: Counter[str] = Counter()
        for line_number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), 1):
            if not line.strip():
                continue
            cells = [number(cell) for cell in line.split(",")]
            if len(cells) < 6 or None in cells[:6]:
                raise ImportProblem(
                    f"{path.name}, line {line_number}: {line[:50]!r} is no frame, identity, left, top, width, height"
                )
            frame, identity, left, top, wide, high, *rest = (float(c) if c is not None else -1.0 for c in cells)
            in_world = (
                len(rest) > IN_WORLD
            )  # MOT15 lists a place on the ground where later years list class and visible share
            label = CLASSES.get(int(rest[1]), PEOPLE) if len(rest) > 1 and not in_world else PEOPLE
            wanted = label in self.params.classes if self.params.classes else not rest or rest[0] != 0
            if not wanted:
                left_out[label] += 1
                continue
            if int(frame) not in told.pictures:
                left_out["frames without a picture"] += 1
                continue
            key = f"{int(identity)}"
            told.labels[key] = label
            x1, y1 = (left - 1) / width, (top - 1) / height
            x2, y2 = x1 + wide / width, y1 + high / height
            share = rest[2] if len(rest) == 3 and 0 <= rest[2] <= 1 else None
            told.seen.setdefault(key, {})[int(frame)] = {
                "x1": x1, "y1": y1, "x2": x2, "y2": y2, "visibility": share,
                "truncated": sum((x1 < -1e-6, y1 < -1e-6, x2 > 1 + 1e-6, y2 > 1 + 1e-6)),
            }  # fmt: skip
        told.notes += [
            ImportNote(
                label,
                "not_counted",
                "boxes that the truth marks as not to be counted, or of no wanted class",
                "left_out",
                count,
            )
            for label, count in sorted(left_out.items())
        ]
        return told


IMPORTER = Mot
