"""ARKitScenes: a folder per visit with `lowres_wide` pictures and depth by timestamp, a trajectory, boxes and a mesh.

A line of the trajectory is world to camera: time, rotation as axis times angle, translation. Pictures are turned upright by the
sky direction, and intrinsics and poses with them. The film is of the low-resolution pictures at their true times: the `.mov`
has a clock of its own. There are no instance masks, and the mesh does not say which object a vertex belongs to.
"""

from __future__ import annotations

import csv
from bisect import bisect_left
from functools import partial
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from ...engine.folder_importing import FolderParams
from ...engine.importing import ImportNote, ImportProblem, split_said
from ...schemas.geometry.poses import four_by_four, rotation_of_axis_angle
from ..scans.conventions import Conventions, Floats
from ..scans.importer import ScanImporter, ScanParams
from ..scans.pictures import depth_steps, picture, picture_size, written_numbers
from ..scans.ply import read_ply
from ..scans.scan import Frame, Item, Scan
from ..scans.segments import box_in
from .reading import read_mapping

TURNS = {"up": 0, "left": 90, "down": 180, "right": 270}
"""Where the sky is in the picture -> how far to turn it clockwise."""
NAME_S, POSE_S = 0.0015, 0.005
"""How far the time in a file's name, and that of a pose, may be off."""


class ArkitscenesParams(ScanParams):
    """Parameters of arkitscenes."""

    stream: Literal["lowres_wide", "vga_wide", "wide"] = Field("lowres_wide", description="which pictures are the film")
    metadata: str | None = Field(
        None,
        description="metadata.csv with visit_id, fold and sky_direction by video_id; null: beside the scans, if it is there",
    )
    sky: Literal["up", "left", "down", "right"] | None = Field(
        None, description="sky direction of all scans; null: by the metadata, else by the poses"
    )


class Arkitscenes(ScanImporter[ArkitscenesParams]):
    """Reads ARKitScenes (Baruch et al. 2021): depth sensor, poses, boxes of 17 kinds of furniture, mesh."""

    name: ClassVar[str] = "arkitscenes"
    Params: ClassVar[type[FolderParams]] = ArkitscenesParams
    licence: ClassVar[str | None] = "CC-BY-NC-SA-4.0"
    conventions: ClassVar[Conventions] = Conventions(pose_kind="w2c")

    def group(self, name: str, folder: Path) -> str:
        """The visit: several videos show one place."""
        return self._about(folder).get("visit_id") or folder.name

    def split_of(self, name: str, folder: Path) -> str | None:
        """Official split: by the metadata, else as everywhere."""
        return self.params.split or split_said(self._about(folder).get("fold")) or super().split_of(name, folder)

    def scan(self, name: str, folder: Path) -> Scan:
        """Frames, mesh and boxes of a visit."""
        number = folder.name
        files = next((f for f in (folder / f"{number}_frames", folder) if (f / "lowres_wide.traj").is_file()), None)
        if files is None:
            raise ImportProblem(f"no lowres_wide.traj in {number} or {number}_frames")
        times, poses = _trajectory(files / "lowres_wide.traj")
        pictures = _timed(files / self.params.stream, ".png") or _timed(files / self.params.stream, ".jpg")
        if not pictures:
            raise ImportProblem(f"no pictures called by their time in {self.params.stream}")
        lenses = _timed(files / f"{self.params.stream}_intrinsics", ".pincam")
        depths = _timed(files / "lowres_depth", ".png")
        frames, unmatched = [], []
        turn = self._turn(folder, poses)
        for t_s, path in sorted(pictures.items()):
            lens = _nearest(lenses, t_s, NAME_S)
            place = _near(times, t_s, POSE_S)
            if lens is None:
                unmatched.append(path.name)
                continue
            said = written_numbers(lens)
            size = picture_size(path)
            x, y = size[0] / said[0], size[1] / said[1]
            k = float(said[2] * x), float(said[3] * y), float(said[4] * x), float(said[5] * y)
            depth = _nearest(depths, t_s, NAME_S)
            frames.append(
                Frame(
                    f"{t_s:.3f}", t_s, size, k, None if place is None else poses[place], partial(picture, path),
                    None if depth is None else partial(depth_steps, depth), turn_deg=turn,
                )
            )  # fmt: skip
        notes = [
            ImportNote(
                "masks",
                "no_masks",
                "the source has no instance masks: what is seen follows from boxes and depth",
                "noted",
                0,
            )
        ]
        if unmatched:
            notes.append(
                ImportNote(
                    "intrinsics",
                    "unmatched",
                    f"no .pincam within 1 ms of {', '.join(unmatched[:3])}",
                    "left_out",
                    len(unmatched),
                )
            )
        mesh = folder / f"{number}_3dod_mesh.ply"
        boxes = folder / f"{number}_3dod_annotation.json"
        listed = read_mapping(boxes, "{data: [...]}").get("data", ()) if boxes.is_file() else ()
        items = tuple(
            Item(
                n, str(about["label"]), box=box_in(about["segments"].get("obbAligned") or about["segments"].get("obb"))
            )
            for n, about in enumerate(listed)
        )
        told = {"uids": {str(n): str(about.get("uid")) for n, about in enumerate(listed)}, "turned_deg": turn}
        return Scan(
            number, "arkitscenes", self.conventions, tuple(frames), read_ply(mesh).mesh if mesh.is_file() else None, items,
            notes=tuple(notes), told=told,
        )  # fmt: skip

    def _about(self, folder: Path) -> dict[str, str]:
        """The row of the metadata."""
        said = self.params.metadata
        places = [self.base / said] if said else [p / "metadata.csv" for p in (folder, *list(folder.parents)[:3])]
        path = next((p for p in places if p.is_file()), None)
        if path is None:
            if said:
                raise ImportProblem(f"there is no file {said}; relative names start from the recipe's folder")
            return {}
        with path.open(encoding="utf-8-sig", newline="") as file:
            return next((dict(row) for row in csv.DictReader(file) if row.get("video_id") == folder.name), {})

    def _turn(self, folder: Path, poses: list[Floats]) -> int:
        """Degrees clockwise that stand the pictures upright: as it is said, else where the poses have the vertical."""
        said = self.params.sky or self._about(folder).get("sky_direction", "").lower()
        if said in TURNS:
            return TURNS[said]
        up = np.mean([p[:3, 2] for p in poses], axis=0)  # world z in camera axes: x right, y down
        sides = {"up": -up[1], "left": -up[0], "down": up[1], "right": up[0]}
        return TURNS[max(sides, key=lambda side: sides[side])]


def _trajectory(path: Path) -> tuple[list[float], list[Floats]]:
    """Times and world-to-camera matrices, in order of time."""
    rows = np.atleast_2d(written_numbers(path))
    if rows.shape[1] != 7:
        raise ImportProblem(f"{path.name}: seven numbers a line are expected, not {rows.shape[1]}")
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    return rows[:, 0].tolist(), [four_by_four(rotation_of_axis_angle(r[1:4]), r[4:7]) for r in rows]


def _timed(folder: Path, suffix: str) -> dict[float, Path]:
    """Files called `<scan>_<seconds><suffix>` by their time."""
    found = {}
    for path in sorted(folder.glob(f"*{suffix}")):
        try:
            found[float(path.stem.rpartition("_")[2])] = path
        except ValueError:
            continue
    return found


def _near(times: list[float], t_s: float, most_s: float) -> int | None:
    """Place of the time nearest to one, if it is near enough."""
    at = bisect_left(times, t_s)
    best = min((i for i in (at - 1, at) if 0 <= i < len(times)), key=lambda i: abs(times[i] - t_s), default=None)
    return best if best is not None and abs(times[best] - t_s) <= most_s else None


def _nearest(files: dict[float, Path], t_s: float, most_s: float) -> Path | None:
    times = list(files)
    place = _near(times, t_s, most_s)
    return None if place is None else files[times[place]]


IMPORTER = Arkitscenes
