"""Matterport3D: a folder per house with undistorted stills and depth, their cameras, and the house with rooms and objects.

Cameras of `undistorted_camera_parameters` are camera to world with OpenGL axes, and their pictures count from the bottom left.
Depth is in quarters of a millimetre. Boxes of the `.house` file list two axes and *half* lengths. Eighteen stills are of one
tripod stop and none has a time: they stand in the order of the stops, at a stated rate.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from ...engine.folder_importing import FolderParams
from ...engine.importing import ImportNote, ImportProblem
from ..scans.conventions import Conventions
from ..scans.importer import ScanImporter, ScanParams
from ..scans.pictures import depth_steps, picture, picture_size
from ..scans.ply import Ply, read_ply
from ..scans.scan import Frame, Ints, Item, RawBox, Scan


class Matterport3dParams(ScanParams):
    """Parameters of matterport3d."""

    frames_per_s: float = Field(
        1.0, gt=0, description="pictures per second in the film; they have no times of their own"
    )


class Matterport3d(ScanImporter[Matterport3dParams]):
    """Reads Matterport3D (Chang et al. 2017): stills with depth, rooms, objects with boxes."""

    name: ClassVar[str] = "matterport3d"
    Params: ClassVar[type[FolderParams]] = Matterport3dParams
    licence: ClassVar[str | None] = "Matterport3D Terms of Use"
    conventions: ClassVar[Conventions] = Conventions(camera_axes="opengl", depth_per_m=4000.0, box_lengths="half")

    def group(self, name: str, folder: Path) -> str:
        """The house."""
        return folder.name

    def scan(self, name: str, folder: Path) -> Scan:
        """Frames, mesh, rooms and objects of a house."""
        house = _house(_found(folder, f"{folder.name}.house"))
        frames = self._frames(_found(folder, f"{folder.name}.conf"), folder, house)
        ply = read_ply(next(p for p in _all(folder, f"{folder.name}.ply") if p.parent.name == "house_segmentations"))
        notes = [
            ImportNote(
                "times",
                "no_times",
                f"no times of pictures: taken as {self.params.frames_per_s:g} per second",
                "noted",
                0,
            ),
            ImportNote(
                "masks",
                "no_masks",
                "the source has no instance masks: what is seen follows from mesh and poses",
                "noted",
                0,
            ),
        ]
        if house.unlabelled:
            notes.append(ImportNote("objects", "no_label", "objects of no category", "left_out", house.unlabelled))
        one = house.polygons[0] if len(house.polygons) == 1 else None
        return Scan(
            folder.name, "matterport3d", self.conventions, frames, ply.mesh, _items(house, ply),
            polygon=None if one is None else tuple(float(v) for v in one.ravel()),
            room_area_m2=sum(map(_area, house.polygons)) or None, rooms=house.regions or None, notes=tuple(notes),
        )  # fmt: skip

    def _frames(self, conf: Path, folder: Path, house: _House) -> tuple[Frame, ...]:
        """Frames of the camera file, in order of tripod stop, camera and turn."""
        k: tuple[float, ...] = ()
        colours = {p.name: p for p in _all(folder, "*.jpg")}
        depths = {p.name: p for p in _all(folder, "*_d?_?.png") if "undistorted" in p.parent.name}
        found: list[tuple[Any, str, Path, Path | None, Any, tuple[float, ...]]] = []
        for number, line in enumerate(conf.read_text(encoding="utf-8").splitlines(), 1):
            words = line.split()
            if words[:1] == ["intrinsics_matrix"]:
                k = float(words[1]), float(words[5]), float(words[3]), float(words[6])
            elif words[:1] == ["scan"]:
                if len(words) != 19 or not k:
                    raise ImportProblem(
                        f"{conf.name}, line {number}: expected `scan depth colour` and sixteen numbers, after intrinsics"
                    )
                stop, _, rest = words[2].partition("_")
                path = colours.get(words[2])
                if path is not None:
                    order = house.stops.get(stop, len(house.stops)), stop, rest
                    found.append(
                        (order, words[2], path, depths.get(words[1]), np.array(words[3:], np.float64).reshape(4, 4), k)
                    )
        if not found:
            raise ImportProblem(f"none of the pictures of {conf.name} is there")
        found.sort(key=lambda f: f[0])
        frames = []
        for place, (_, name, path, depth, pose, (fx, fy, cx, cy)) in enumerate(found):
            width, height = picture_size(path)
            frames.append(
                Frame(
                    Path(name).stem, place / self.params.frames_per_s, (width, height), (fx, fy, cx, height - cy), pose,
                    partial(picture, path), None if depth is None else partial(depth_steps, depth),
                )
            )  # fmt: skip
        return tuple(frames)


@dataclass
class _House:
    """What a `.house` file lists."""

    stops: dict[str, int] = field(default_factory=dict)
    """Place of each panorama in the file."""
    labels: dict[int, str] = field(default_factory=dict)
    boxes: dict[int, tuple[int, RawBox | None]] = field(default_factory=dict)
    """Category and box of each object."""
    segments: dict[int, list[int]] = field(default_factory=dict)
    """Marks of the faces of each object."""
    polygons: list[Any] = field(default_factory=list)
    """Corners on the ground [n, 2], one per region."""
    regions: int = 0
    unlabelled: int = 0


def _house(path: Path) -> _House:
    """Reads a `.house` file. Raises `ImportProblem` for a line that is too short."""
    house = _House()
    corners: dict[int, list[tuple[float, float]]] = {}
    surface_of: dict[int, int] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        words = line.split()
        try:
            if words[:1] == ["P"] and not words[1].lstrip("-").isdigit():
                house.stops[words[1]] = int(words[2])
            elif words[:1] == ["R"]:
                house.regions += 1
            elif words[:1] == ["S"]:
                surface_of[int(words[1])] = int(words[2])
            elif words[:1] == ["V"]:
                corners.setdefault(int(words[2]), []).append((float(words[4]), float(words[5])))
            elif words[:1] == ["C"]:
                house.labels[int(words[1])] = words[3].replace("#", " ")
            elif words[:1] == ["O"]:
                v = [float(w) for w in words[4:16]]
                third = np.cross(v[3:6], v[6:9])
                radii = (v[9], v[10], v[11])
                box = (
                    RawBox((v[0], v[1], v[2]), (*v[3:9], *(float(t) for t in third)), radii) if min(radii) > 0 else None
                )
                house.boxes[int(words[1])] = int(words[3]), box
            elif words[:1] == ["E"]:
                house.segments.setdefault(int(words[2]), []).append(int(words[3]))
        except (ValueError, IndexError):
            raise ImportProblem(
                f"{path.name}, line {number}: {line[:60]!r} is cut short or of another version"
            ) from None
    by_region: dict[int, Any] = {}
    for surface, points in sorted(corners.items()):
        by_region.setdefault(surface_of.get(surface, surface), np.asarray(points))
    house.polygons = [p for _, p in sorted(by_region.items()) if len(p) >= 3]
    house.unlabelled = sum(category not in house.labels for category, _ in house.boxes.values())
    return house


def _items(house: _House, ply: Ply) -> tuple[Item, ...]:
    """Objects with a category, by the marks of their faces."""
    name = next((n for n in ("material_id", "face_material") if n in ply.face_marks), None)
    marks: Ints | None = None
    if name is not None and ply.of_face is not None:
        marks = np.asarray(ply.face_marks[name], np.int64)[ply.of_face]
    items = []
    for number, (category, box) in sorted(house.boxes.items()):
        if category not in house.labels:
            continue
        faces = None if marks is None else np.flatnonzero(np.isin(marks, house.segments.get(number, ())))
        vertices = None if faces is None or ply.faces is None else np.unique(ply.faces[faces])
        items.append(Item(number, house.labels[category], vertices, faces, box))
    return tuple(items)


def _area(polygon: Any) -> float:
    x, y = polygon[:, 0], polygon[:, 1]
    return float(abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2)


def _all(folder: Path, pattern: str) -> list[Path]:
    return sorted(folder.rglob(pattern))


def _found(folder: Path, name: str) -> Path:
    found = _all(folder, name)
    if not found:
        raise ImportProblem(f"no file {name} below the scan's folder; unpack its archives there")
    return found[0]


IMPORTER = Matterport3d
