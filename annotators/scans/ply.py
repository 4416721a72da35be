"""Meshes of PLY files: vertices, triangles (larger faces are fanned out), colours, and what each face is marked with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...engine.importing import ImportProblem
from .conventions import Floats
from .scan import Ints, Mesh, Pixels


@dataclass(frozen=True, eq=False)
class Ply:
    """A PLY file."""

    vertices: Floats
    faces: Ints | None
    """Triangles [m, 3]."""
    of_face: Ints | None
    """The file's face that each triangle is part of [m]."""
    colours: Pixels | None
    face_marks: dict[str, NDArray[Any]]
    """More columns of the file's faces, by name."""

    @property
    def mesh(self) -> Mesh:
        """Vertices, triangles, colours."""
        return Mesh(self.vertices, self.faces, self.colours)


def read_ply(path: Path) -> Ply:
    """A PLY file, ASCII or binary. Raises `ImportProblem` for one that is none."""
    from plyfile import PlyData, PlyParseError

    try:
        data = PlyData.read(str(path))
        corners = data["vertex"]
        vertices = np.stack([np.asarray(corners[axis], np.float64) for axis in "xyz"], axis=1)
    except (PlyParseError, KeyError, ValueError, OSError) as error:
        raise ImportProblem(f"{path.name} is no PLY file with vertices: {error}") from None
    names = {p.name for p in corners.properties}
    colours = None
    if {"red", "green", "blue"} <= names:
        colours = np.stack([np.asarray(corners[c]) for c in ("red", "green", "blue")], axis=1).astype(np.uint8)
    faces = of_face = None
    marks: dict[str, NDArray[Any]] = {}
    if "face" in data and len(data["face"]):
        element = data["face"]
        lists = next((n for n in ("vertex_indices", "vertex_index") if n in {p.name for p in element.properties}), None)
        if lists is None:
            raise ImportProblem(f"{path.name}: its faces list no vertices")
        faces, of_face = _triangles(element[lists])
        marks = {p.name: np.asarray(element[p.name]) for p in element.properties if p.name != lists}
    return Ply(vertices, faces, of_face, colours, marks)


def _triangles(lists: Any) -> tuple[Ints, Ints]:
    """Triangles [m, 3] of polygons, fanned out from their first corner, and the polygon that each is part of [m]."""
    lengths = np.fromiter((len(face) for face in lists), np.int64, len(lists))
    triangles, of = [], []
    for corners in np.unique(lengths[lengths >= 3]):
        which = np.flatnonzero(lengths == corners)
        polygons = np.stack([np.asarray(lists[i], np.int64) for i in which])
        for k in range(1, corners - 1):
            triangles.append(polygons[:, [0, k, k + 1]])
            of.append(which)
    if not triangles:
        return np.zeros((0, 3), np.int64), np.zeros(0, np.int64)
    every, owner = np.concatenate(triangles), np.concatenate(of)
    order = np.argsort(owner, kind="stable")
    return every[order], owner[order]
