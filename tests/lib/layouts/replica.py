"""Replica's layout with rendered frames: `results/` with depth in 6553.5 steps per metre, or `rgb/` with instance masks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from chronotope.annotators.scans.conventions import Conventions
from scipy.spatial.transform import Rotation

from .numbers import cloud, dense, intrinsics, jpg, matrix, ply, png, steps
from .world import World

FIRST = 1
"""Number of the first object: what a mask calls 0 is the rest."""


def write(world: World, folder: Path, said: Conventions, masks: bool = False) -> list[float]:
    """A scene below `folder`; the times of its frames."""
    camera = world.cameras[0]
    vertices, faces, owner = dense(world)
    quads = np.concatenate([faces, faces[:, 2:]], axis=1)  # the scene's faces have four corners
    ply(folder / "habitat" / "mesh_semantic.ply", cloud(vertices, said), quads, object_id=owner[::3] + FIRST)
    objects = []
    for n, (label, box) in enumerate(zip(world.labels, world.boxes, strict=True)):
        turn = box.matrix.T if said.box_axes == "rows" else box.matrix
        share = 0.5 if said.box_lengths == "half" else 1.0
        abb = {"center": (turn.T @ np.asarray(box.centre)).tolist(), "sizes": [s * share for s in box.size]}
        orientation = {"rotation": Rotation.from_matrix(turn).as_quat().tolist(), "translation": [0, 0, 0]}
        objects.append(
            {
                "id": n + FIRST,
                "class_id": n,
                "class_name": label,
                "oriented_bbox": {"abb": abb, "orientation": orientation},
            }
        )
    told = {"objects": objects, "classes": [], "gravity_dir": [0, 0, -1]}
    (folder / "habitat" / "info_semantic.json").write_text(json.dumps(told))
    fx, fy, cx, cy = intrinsics(camera, said)
    lens = {"w": camera.width, "h": camera.height, "fx": fx, "fy": fy, "cx": cx - 0.5, "cy": cy - 0.5, "scale": 6553.5}
    (folder.parent / "cam_params.json").write_text(json.dumps({"camera": lens}))
    poses = np.stack([matrix(c, said).ravel() for c in world.cameras])
    np.savetxt(folder / ("traj_w_c.txt" if masks else "traj.txt"), poses)
    for n, (rgb, depth, owners, at) in enumerate(
        zip(world.pictures, world.depths, world.owners, world.cameras, strict=True)
    ):
        if masks:
            png(folder / "rgb" / f"rgb_{n}.png", rgb)
            png(folder / "depth" / f"depth_{n}.png", steps(depth, at, said))
            shown = np.where(owners >= 0, owners + FIRST + said.mask_offset, 0).astype(np.uint8)
            png(folder / "semantic_instance" / f"semantic_instance_{n}.png", shown)
        else:
            jpg(folder / "results" / f"frame{n:06d}.jpg", rgb)
            png(folder / "results" / f"depth{n:06d}.png", steps(depth, at, said))
    return [n / 30 for n in range(len(world.cameras))]
