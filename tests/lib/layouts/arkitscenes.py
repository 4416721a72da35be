"""ARKitScenes' layout: pictures and depth by timestamp, held sideways, with a trajectory of world-to-camera poses."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
from chronotope.annotators.scans.conventions import Conventions

from .numbers import cloud, dense, intrinsics, matrix, obb, ply, png, steps
from .world import World

START_S = 6845.706
SIDEWAYS = np.array([[0.0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
"""Camera to world of the picture turned anticlockwise, from that of the upright one: its right is the old down."""


def write(world: World, folder: Path, said: Conventions, sideways: bool = True) -> list[float]:
    """A visit below `folder`; the times of its frames."""
    number = folder.name
    files = folder / f"{number}_frames"
    for name in ("lowres_wide", "lowres_depth", "lowres_wide_intrinsics"):
        (files / name).mkdir(parents=True)
    lines = []
    for camera, rgb, depth in zip(world.cameras, world.pictures, world.depths, strict=True):
        stamp = f"{START_S + camera.t_s:.3f}"
        fx, fy, cx, cy = intrinsics(camera, said)
        width, height = said.intrinsics_size or (camera.width, camera.height)
        held, steps_held = rgb, steps(depth, camera, said)
        raw = matrix(camera, said)
        if sideways:
            held, steps_held = np.rot90(rgb), np.rot90(steps_held)
            width, height, fx, fy, cx, cy = height, width, fy, fx, cy, width - cx
            raw = np.linalg.inv(SIDEWAYS) @ raw if said.pose_kind == "w2c" else raw @ SIDEWAYS
        png(files / "lowres_wide" / f"{number}_{stamp}.png", np.ascontiguousarray(held))
        png(files / "lowres_depth" / f"{number}_{stamp}.png", np.ascontiguousarray(steps_held))
        lens = " ".join(f"{v:.6f}" for v in (width, height, fx, fy, cx, cy))
        late = f"{START_S + camera.t_s + 0.001:.3f}"
        (files / "lowres_wide_intrinsics" / f"{number}_{late}.pincam").write_text(lens)
        axis = cv2.Rodrigues(raw[:3, :3])[0].ravel()
        lines.append(" ".join(f"{v:.9f}" for v in (START_S + camera.t_s + 0.0021, *axis, *raw[:3, 3])))
    (files / "lowres_wide.traj").write_text("\n".join(lines) + "\n")
    vertices, faces, _ = dense(world)
    ply(folder / f"{number}_3dod_mesh.ply", cloud(vertices, said), faces)
    data = [
        {"uid": f"u{n}", "label": label, "segments": {"obbAligned": obb(box, said)}}
        for n, (label, box) in enumerate(zip(world.labels, world.boxes, strict=True))
    ]
    (folder / f"{number}_3dod_annotation.json").write_text(json.dumps({"data": data, "skipped": False}))
    sky = "Left" if sideways else "Up"
    (folder.parent / "metadata.csv").write_text(
        f"video_id,visit_id,fold,sky_direction\n{number},421254,Validation,{sky}\n"
    )
    return list(world.times)
