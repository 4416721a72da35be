"""Replica: a folder per scene with its semantic mesh, and frames that were rendered from it.

Replica holds no pictures; two rendered sets are common and both are read: `results/frame*.jpg` and `depth*.png` with `traj.txt`
(depth in 6553.5 steps per metre, by `cam_params.json`), and `rgb/rgb_*.png`, `depth/`, `semantic_instance/` with `traj_w_c.txt`
(millimetres). Poses are camera to world with OpenCV axes; the raw mesh has z up. Boxes are of `habitat/info_semantic.json`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, get_args

import numpy as np
from pydantic import Field

from ...engine.folder_importing import FolderParams
from ...engine.importing import ImportNote, ImportProblem
from ...schemas.geometry.poses import rotation_of_quaternion
from ..scans.conventions import Conventions, Up
from ..scans.importer import ScanImporter, ScanParams
from ..scans.pictures import depth_steps, mask_numbers, picture, picture_size, written_numbers
from ..scans.ply import Ply, read_ply
from ..scans.scan import Frame, Ints, Item, RawBox, Scan
from .reading import read_mapping


class ReplicaParams(ScanParams):
    """Parameters of replica."""

    frames_per_s: float = Field(30.0, gt=0, description="rate at which the frames were rendered")
    field_deg: float = Field(
        90.0, gt=0, lt=180, description="horizontal field of view of `rgb/`, which states no intrinsics"
    )


class Replica(ScanImporter[ReplicaParams]):
    """Reads Replica (Straub et al. 2019) with rendered frames: exact depth, objects with boxes."""

    name: ClassVar[str] = "replica"
    Params: ClassVar[type[FolderParams]] = ReplicaParams
    licence: ClassVar[str | None] = "Replica Dataset Research Terms"
    conventions: ClassVar[Conventions] = Conventions(depth_per_m=6553.5)

    def group(self, name: str, folder: Path) -> str:
        """The place: `frl_apartment_0` to `_5` are one apartment, arranged anew."""
        stem = folder.name.rstrip("0123456789").rstrip("_")
        return stem if stem == "frl_apartment" else folder.name

    def scan(self, name: str, folder: Path) -> Scan:
        """Frames, mesh and objects of a scene."""
        conventions, frames = self._results(folder) if (folder / "results").is_dir() else self._rendered(folder)
        habitat = folder / "habitat"
        mesh = next((p for p in (habitat / "mesh_semantic.ply", folder / "mesh_semantic.ply") if p.is_file()), None)
        notes = []
        if mesh is None:
            plain = next(
                (p for p in (folder / "mesh.ply", folder.parent / f"{folder.name}_mesh.ply") if p.is_file()), None
            )
            ply = read_ply(plain) if plain else None
            notes.append(
                ImportNote(folder.name, "no_objects", "no mesh_semantic.ply: the scene has no objects", "noted", 0)
            )
            return Scan(
                folder.name,
                "replica",
                conventions,
                frames,
                None if ply is None else ply.mesh,
                depth_origin="rendered",
                notes=tuple(notes),
            )
        ply = read_ply(mesh)
        told = read_mapping(habitat / "info_semantic.json", "{objects: [...], classes: [...]}")
        classes = {c["id"]: str(c["name"]) for c in told.get("classes", ())}
        items = _items(told.get("objects", ()), classes, ply)
        gravity = told.get("gravity_dir")
        if gravity is not None and gravity[2] > -0.9:
            axis = int(np.abs(gravity).argmax())
            up = f"{'-' if gravity[axis] > 0 else '+'}{'xyz'[axis]}"
            conventions = replace(conventions, world_up=next(u for u in get_args(Up) if u == up))
        return Scan(
            folder.name,
            "replica",
            conventions,
            frames,
            ply.mesh,
            items,
            depth_origin="rendered",
            scale_sigma=0.0,
            notes=tuple(notes),
        )

    def _results(self, folder: Path) -> tuple[Conventions, tuple[Frame, ...]]:
        file = next((p for p in (folder / "cam_params.json", folder.parent / "cam_params.json") if p.is_file()), None)
        if file is None:
            raise ImportProblem("no cam_params.json in the scene's folder or above it")
        camera = read_mapping(file, "{camera: {w, h, fx, fy, cx, cy, scale}}")["camera"]
        k = _corner_based(camera)
        poses = _poses(folder / "traj.txt")
        pictures = sorted([*(folder / "results").glob("frame*.jpg"), *(folder / "results").glob("frame*.png")])
        frames = []
        for path in pictures:
            place = int(path.stem.removeprefix("frame"))
            depth = path.with_name(f"depth{path.stem.removeprefix('frame')}.png")
            frames.append(self._frame(place, path, (int(camera["w"]), int(camera["h"])), k, poses, depth, None))
        return replace(self.conventions, depth_per_m=float(camera.get("scale", self.conventions.depth_per_m))), tuple(
            frames
        )

    def _rendered(self, folder: Path) -> tuple[Conventions, tuple[Frame, ...]]:
        pictures = sorted((folder / "rgb").glob("rgb_*.png"), key=lambda p: int(p.stem.rpartition("_")[2]))
        if not pictures:
            raise ImportProblem("neither `results/frame*.jpg` nor `rgb/rgb_*.png`; render the scene first")
        width, height = picture_size(pictures[0])
        f = width / 2 / float(np.tan(np.radians(self.params.field_deg) / 2))
        poses = _poses(folder / "traj_w_c.txt")
        frames = []
        for path in pictures:
            number = path.stem.rpartition("_")[2]
            depth, mask = (
                folder / "depth" / f"depth_{number}.png",
                folder / "semantic_instance" / f"semantic_instance_{number}.png",
            )
            frames.append(
                self._frame(int(number), path, (width, height), (f, f, width / 2, height / 2), poses, depth, mask)
            )
        return replace(self.conventions, depth_per_m=1000.0), tuple(frames)

    def _frame(
        self,
        place: int,
        path: Path,
        size: tuple[int, int],
        k: tuple[float, float, float, float],
        poses: list[Any],
        depth: Path,
        mask: Path | None,
    ) -> Frame:
        return Frame(
            path.stem, place / self.params.frames_per_s, size, k, poses[place] if place < len(poses) else None,
            partial(picture, path), partial(depth_steps, depth) if depth.is_file() else None,
            mask=partial(mask_numbers, mask) if mask is not None and mask.is_file() else None,
        )  # fmt: skip


def _corner_based(camera: dict[str, Any]) -> tuple[float, float, float, float]:
    """Intrinsics with the first pixel's centre at 0.5: a principal point of (w - 1) / 2 counts it as 0."""
    shift = 0.5 if abs(float(camera["cx"]) - (float(camera["w"]) - 1) / 2) < 1e-6 else 0.0
    return float(camera["fx"]), float(camera["fy"]), float(camera["cx"]) + shift, float(camera["cy"]) + shift


def _poses(path: Path) -> list[Any]:
    """One 4x4 per line of sixteen numbers."""
    return list(written_numbers(path).reshape(-1, 4, 4))


def _items(objects: Any, classes: dict[int, str], ply: Ply) -> tuple[Item, ...]:
    """Objects with their boxes and the triangles that are marked with them."""
    marks: Ints | None = None
    if ply.of_face is not None and "object_id" in ply.face_marks:
        marks = np.asarray(ply.face_marks["object_id"], np.int64)[ply.of_face]
    items = []
    for about in objects:
        number = int(about["id"])
        faces = np.flatnonzero(marks == number) if marks is not None else None
        vertices = np.unique(ply.faces[faces]) if ply.faces is not None and faces is not None else None
        label = str(about.get("class_name") or classes.get(about.get("class_id"), ""))
        items.append(Item(number, label, vertices, faces, _box(about.get("oriented_bbox"))))
    return tuple(items)


def _box(told: Any) -> RawBox | None:
    """Box of `abb` (centre and full sizes in its own frame) and `orientation` (quaternion x y z w, translation)."""
    if not isinstance(told, dict):
        return None
    x, y, z, w = (float(v) for v in told["orientation"]["rotation"])
    turn = rotation_of_quaternion([w, x, y, z])
    centre = turn @ np.asarray(told["abb"]["center"], np.float64) + np.asarray(
        told["orientation"].get("translation", (0, 0, 0)), np.float64
    )
    sizes = np.asarray(told["abb"]["sizes"], np.float64)
    if not (sizes > 0).all():
        return None
    return RawBox(
        (float(centre[0]), float(centre[1]), float(centre[2])), tuple(float(v) for v in turn.T.ravel()),
        (float(sizes[0]), float(sizes[1]), float(sizes[2])),
    )  # fmt: skip


IMPORTER = Replica
