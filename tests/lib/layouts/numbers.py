"""A source's numbers of what is true, under any conventions: matrices, depth steps, masks, boxes. Independent of the importers."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from chronotope.annotators.scans.conventions import Conventions
from chronotope.schemas.geometry.box3d import Box3D
from chronotope.schemas.geometry.camera import Camera
from plyfile import PlyData, PlyElement

ALIGNMENT = np.eye(4)
ALIGNMENT[:3, :3] = cv2.Rodrigues(np.array([0.35, -0.2, 0.9]))[0]
ALIGNMENT[:3, 3] = [1.5, -0.7, 0.4]
"""From a source's own world to the aligned one, where it has both: it leans by some 23 degrees."""
BACK = np.linalg.inv(ALIGNMENT)


def matrix(camera: Camera, said: Conventions, aligned: bool = True) -> Any:
    """The source's 4x4 of a camera; `aligned` False: in the source's own leaning world."""
    pose = camera.matrix if aligned or said.align in ("none", "cloud") else BACK @ camera.matrix
    if said.camera_axes == "opengl":
        pose = pose @ np.diag([1.0, -1.0, -1.0, 1.0])
    pose = pose.copy()
    pose[:3, 3] /= said.metres_per_unit
    return np.linalg.inv(pose) if said.pose_kind == "w2c" else pose


def steps(depth: Any, camera: Camera, said: Conventions, kind: Any = np.uint16) -> Any:
    """What a depth map holds; every seventh pixel of every seventh row is unknown, that is 0."""
    z = depth.copy()
    z[::7, ::7] = 0
    if said.depth_kind == "ray":
        height, width = z.shape
        x = (np.arange(width) + 0.5 - camera.cx) / camera.fx
        y = (np.arange(height) + 0.5 - camera.cy) / camera.fy
        z = z * np.sqrt(1 + x[None] ** 2 + y[:, None] ** 2)
    return np.round(z * said.depth_per_m).astype(kind) if kind is np.uint16 else (z * said.depth_per_m).astype(kind)


def numbered(owners: Any, said: Conventions) -> Any:
    """What an instance mask holds."""
    return np.where(owners >= 0, owners + said.mask_offset, 0).astype(np.uint8)


def intrinsics(camera: Camera, said: Conventions) -> tuple[float, float, float, float]:
    """fx, fy, cx, cy as the source writes them."""
    x, y = (
        (1.0, 1.0)
        if said.intrinsics_size is None
        else (said.intrinsics_size[0] / camera.width, said.intrinsics_size[1] / camera.height)
    )
    return camera.fx * x, camera.fy * y, camera.cx * x, camera.cy * y


def square(k: tuple[float, float, float, float], side: int = 3) -> Any:
    """The 3x3 (or 4x4) matrix of intrinsics."""
    made = np.eye(side)
    made[0, 0], made[1, 1], made[0, 2], made[1, 2] = k
    return made


def obb(box: Box3D, said: Conventions) -> dict[str, Any]:
    """`{centroid, axesLengths, normalizedAxes}`."""
    nine = box.matrix if said.box_axes == "rows" else box.matrix.T
    half = 0.5 if said.box_lengths == "half" else 1.0
    return {
        "centroid": [v / said.metres_per_unit for v in box.centre],
        "axesLengths": [s * half / said.metres_per_unit for s in box.size],
        "normalizedAxes": nine.ravel().tolist(),
    }


def cloud(vertices: Any, said: Conventions, aligned: bool = True) -> Any:
    """Vertices of the mesh in the source's world."""
    if not aligned and said.align not in ("none", "poses"):
        vertices = vertices @ BACK[:3, :3].T + BACK[:3, 3]
    return vertices / said.metres_per_unit


@cache
def dense(world: Any, side_m: float = 0.25) -> tuple[Any, Any, Any]:
    """(vertices, faces, owner of each vertex) of the room's mesh with edges cut to at most about `side_m`, as scans have them."""
    corners, owner = world.vertices[world.faces], world.face_owner
    for _ in range(6):
        lengths = np.linalg.norm(corners - np.roll(corners, -1, axis=1), axis=2)
        long = lengths.max(axis=1) > side_m
        if not long.any():
            break
        cut, kept = corners[long], corners[~long]
        at = lengths[long].argmax(axis=1)
        n = np.arange(len(cut))
        a, b, c = cut[n, at], cut[n, (at + 1) % 3], cut[n, (at + 2) % 3]
        middle = (a + b) / 2
        corners = np.concatenate([kept, np.stack([a, middle, c], 1), np.stack([middle, b, c], 1)])
        owner = np.concatenate([owner[~long], owner[long], owner[long]])
    return corners.reshape(-1, 3), np.arange(3 * len(corners)).reshape(-1, 3), np.repeat(owner, 3)


def ply(path: Path, vertices: Any, faces: Any = None, colours: Any = None, **marks: Any) -> None:
    """A binary PLY file; `marks` are more columns of the faces."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kinds = [(a, "f4") for a in "xyz"] + ([(c, "u1") for c in ("red", "green", "blue")] if colours is not None else [])
    rows = np.zeros(len(vertices), kinds)
    for n, axis in enumerate("xyz"):
        rows[axis] = vertices[:, n]
    if colours is not None:
        for n, colour in enumerate(("red", "green", "blue")):
            rows[colour] = colours[:, n]
    elements = [PlyElement.describe(rows, "vertex")]
    if faces is not None:
        made = np.zeros(len(faces), [("vertex_indices", "i4", (faces.shape[1],)), *((k, "i4") for k in marks)])
        made["vertex_indices"] = faces
        for name, values in marks.items():
            made[name] = values
        elements.append(PlyElement.describe(made, "face"))
    PlyData(elements).write(str(path))


def png(path: Path, values: Any) -> None:
    """A picture without loss; colours as rgb."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), values[..., ::-1] if values.ndim == 3 else values)


def jpg(path: Path, values: Any) -> None:
    """A picture as JPEG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), values[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])
