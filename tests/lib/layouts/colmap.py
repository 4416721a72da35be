"""COLMAP's layout: pictures and a sparse model, as text or binary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from chronotope.annotators.scans.conventions import Conventions
from scipy.spatial.transform import Rotation

from .numbers import cloud, dense, intrinsics, jpg, matrix
from .world import World

FISHEYE = (0.02, -0.005, 0.001, -0.0002)
RADIAL = -0.08


def write(world: World, folder: Path, said: Conventions, binary: bool = False) -> list[float]:
    """A reconstruction below `folder`: pinhole pictures; the times of its frames."""
    write_model(world, folder / "sparse" / "0", said)
    for n, rgb in enumerate(world.pictures):
        jpg(folder / "images" / f"{n:04d}.jpg", rgb)
    if binary:
        import pycolmap

        model = pycolmap.Reconstruction(str(folder / "sparse" / "0"))
        for file in (folder / "sparse" / "0").glob("*.txt"):
            file.unlink()
        model.write_binary(str(folder / "sparse" / "0"))
    return [n / 2 for n in range(len(world.cameras))]


def write_model(world: World, folder: Path, said: Conventions, fisheye: bool = False) -> None:
    """`cameras.txt`, `images.txt` and `points3D.txt`."""
    folder.mkdir(parents=True)
    camera = world.cameras[0]
    k = " ".join(f"{v:.9g}" for v in intrinsics(camera, said))
    model, more = ("OPENCV_FISHEYE", " " + " ".join(map(str, FISHEYE))) if fisheye else ("PINHOLE", "")
    (folder / "cameras.txt").write_text(f"# cameras\n1 {model} {camera.width} {camera.height} {k}{more}\n")
    vertices, _, _ = dense(world, 0.4)
    points = np.unique(vertices.round(4), axis=0)
    tracks: dict[int, list[str]] = {n: [] for n in range(len(points))}
    lines = ["# images"]
    for n, at in enumerate(world.cameras):
        raw = matrix(at, said)
        x, y, z, w = Rotation.from_matrix(raw[:3, :3]).as_quat()
        numbers = " ".join(f"{v:.12g}" for v in (w, x, y, z, *raw[:3, 3]))
        pixels, _ = at.project(points)
        seen = (
            [] if fisheye else [i for i, (u, v) in enumerate(pixels) if 0 <= u < at.width and 0 <= v < at.height][::5]
        )
        for place, i in enumerate(seen):
            tracks[i].append(f"{n + 1} {place}")
        observed = " ".join(f"{pixels[i, 0]:.3f} {pixels[i, 1]:.3f} {i + 1}" for i in seen)
        lines += [f"{n + 1} {numbers} 1 {n:04d}.jpg", observed]
    (folder / "images.txt").write_text("\n".join(lines) + "\n")
    rows = [
        f"{n + 1} {x:.9g} {y:.9g} {z:.9g} {n % 256} 7 9 0.5 {' '.join(tracks[n])}"
        for n, (x, y, z) in enumerate(cloud(points, said))
    ]
    (folder / "points3D.txt").write_text("# points\n" + "\n".join(rows) + "\n")


def fisheye_pictures(world: World) -> Any:
    """(name, rgb) of the pictures as that fisheye would have taken them."""
    camera = world.cameras[0]
    k = np.array([[camera.fx, 0, camera.cx - 0.5], [0, camera.fy, camera.cy - 0.5], [0, 0, 1]])
    column, row = np.meshgrid(np.arange(camera.width, dtype=np.float64), np.arange(camera.height, dtype=np.float64))
    bent = np.stack([column, row], axis=-1).reshape(-1, 1, 2)
    straight = (
        cv2.fisheye.undistortPoints(bent, k, np.array(FISHEYE), P=k)
        .reshape(camera.height, camera.width, 2)
        .astype(np.float32)
    )
    for n, rgb in enumerate(world.pictures):
        yield f"{n:04d}.jpg", cv2.remap(rgb, straight[..., 0], straight[..., 1], cv2.INTER_LINEAR)
