"""nerfstudio's layout: `transforms.json` with pictures, depth maps and points."""

from __future__ import annotations

import json
from pathlib import Path

from chronotope.annotators.scans.conventions import Conventions

from .numbers import cloud, dense, intrinsics, jpg, matrix, ply, png, steps
from .world import World


def write(world: World, folder: Path, said: Conventions, mesh: bool = True) -> list[float]:
    """A capture below `folder`; the times of its frames."""
    camera = world.cameras[0]
    fx, fy, cx, cy = intrinsics(camera, said)
    width, height = said.intrinsics_size or (camera.width, camera.height)
    told = {
        "fl_x": fx,
        "fl_y": fy,
        "cx": cx,
        "cy": cy,
        "w": width,
        "h": height,
        "camera_model": "OPENCV",
        "k1": 0.0,
        "frames": [],
    }
    for n, (rgb, depth, at) in enumerate(zip(world.pictures, world.depths, world.cameras, strict=True)):
        jpg(folder / "images" / f"frame_{n:05d}.jpg", rgb)
        png(folder / "depths" / f"frame_{n:05d}.png", steps(depth, at, said))
        told["frames"].append(
            {
                "file_path": f"images/frame_{n:05d}.jpg", "depth_file_path": f"depths/frame_{n:05d}.png",
                "transform_matrix": matrix(at, said).tolist(),
            }
        )  # fmt: skip
    if mesh:
        vertices, faces, _ = dense(world)
        ply(folder / "mesh.ply", cloud(vertices, said), faces)
        told["ply_file_path"] = "mesh.ply"
    (folder / "transforms.json").write_text(json.dumps(told))
    return [n / 2 for n in range(len(world.cameras))]
