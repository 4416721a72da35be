"""Matterport3D's layout: undistorted stills with OpenGL cameras that count pixels from the bottom left, and a `.house` file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from chronotope.annotators.scans.conventions import Conventions

from .numbers import cloud, dense, intrinsics, jpg, matrix, ply, png, steps
from .world import World

STOPS = ("b" * 32, "a" * 32)


def write(world: World, folder: Path, said: Conventions) -> list[float]:
    """A house below `folder`: two tripod stops of six pictures; the times of its frames."""
    house = folder.name
    lines = ["dataset matterport", f"n_images {len(world.cameras)}"]
    for n, (camera, rgb, depth) in enumerate(zip(world.cameras, world.pictures, world.depths, strict=True)):
        fx, fy, cx, cy = intrinsics(camera, said)
        stop, lens = STOPS[n // 6], n % 6
        if lens == 0:
            lines.append(f"intrinsics_matrix {fx} 0 {cx}  0 {fy} {camera.height - cy} 0 0 1")
        jpg(folder / "undistorted_color_images" / f"{stop}_i{lens}_0.jpg", rgb)
        png(folder / "undistorted_depth_images" / f"{stop}_d{lens}_0.png", steps(depth, camera, said))
        written = " ".join(f"{v:.9f}" for v in matrix(camera, said).ravel())
        lines.append(f"scan {stop}_d{lens}_0.png {stop}_i{lens}_0.jpg {written}")
    (folder / "undistorted_camera_parameters").mkdir()
    (folder / "undistorted_camera_parameters" / f"{house}.conf").write_text("\n".join(lines) + "\n")
    vertices, faces, owner = dense(world)
    segment = owner[::3] + 100
    zero = np.zeros(len(faces), int)
    ply(
        folder / "house_segmentations" / f"{house}.ply",
        cloud(vertices, said),
        faces,
        material_id=segment,
        segment_id=zero,
    )
    floor = vertices[owner < 0][:, :2]
    (x1, y1), (x2, y2) = floor.min(axis=0), floor.max(axis=0)
    told = [
        "ASCII 1.1", f"R  0 0 0 0 b  0 0 0  {x1} {y1} 0 {x2} {y2} 2.5  2.5  0 0 0 0",
        *(f"P  {stop} {n} 0 0  0 0 0  0 0 0 0 0" for n, stop in enumerate(STOPS)), "S  0 0 0 -  0 0 0  0 0 1  0 0 0 0 0 0  0 0 0 0 0",
        *(f"V  {n} 0 -  {x} {y} 0  0 0 1  0 0 0" for n, (x, y) in enumerate([(x1, y1), (x2, y1), (x2, y2), (x1, y2)])),
        *(f"C  {n} {n} {label.replace(' ', '#')} 1 furniture 0 0 0 0 0" for n, label in enumerate(world.labels)),
    ]  # fmt: skip
    for n, box in enumerate(world.boxes):
        axes = box.matrix if said.box_axes == "rows" else box.matrix.T
        share = 0.5 if said.box_lengths == "half" else 1.0
        numbers = (*box.centre, *axes[0], *axes[1], *(s * share for s in box.size))
        told.append(f"O  {n} 0 {n}  {' '.join(f'{v:.6f}' for v in numbers)}  0 0 0 0 0 0 0 0")
        told.append(f"E  {n} {n} {n + 100} 1.0  0 0 0  0 0 0 0 0 0  0 0 0 0 0")
    (folder / "house_segmentations" / f"{house}.house").write_text("\n".join(told) + "\n")
    return [float(n) for n in range(len(world.cameras))]
