"""ScanNet's layout: exported frames, or one `.sens` file."""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from chronotope.annotators.scans.conventions import Conventions

from .numbers import ALIGNMENT, cloud, dense, intrinsics, jpg, matrix, numbered, ply, png, square, steps
from .world import World

RATE = 30.0
LOST = 5
"""The frame whose pose was lost."""


def write(world: World, folder: Path, said: Conventions, sens: bool = False, lose: bool = True) -> list[float]:
    """A scan below `folder`; the times of its frames."""
    folder.mkdir(parents=True)
    name = folder.name
    numbers = list(range(len(world.times))) if sens else [round(t * RATE) for t in world.times]
    vertices, faces, owner = dense(world)
    ply(folder / f"{name}_vh_clean_2.ply", cloud(vertices, said, aligned=False), faces)
    segments = (owner + 1) * 10 + 3
    (folder / f"{name}_vh_clean_2.0.010000.segs.json").write_text(json.dumps({"segIndices": segments.tolist()}))
    groups = [
        {"id": n, "objectId": n, "label": label, "segments": [(n + 1) * 10 + 3]} for n, label in enumerate(world.labels)
    ]
    (folder / f"{name}.aggregation.json").write_text(json.dumps({"segGroups": groups}))
    written = " ".join(f"{v:.6f}" for v in ALIGNMENT.ravel())
    (folder / f"{name}.txt").write_text(f"axisAlignment = {written} \nsceneType = Bedroom / Hotel\n")
    with zipfile.ZipFile(folder / f"{name}_2d-instance-filt.zip", "w") as archive:
        for n, owners in zip(numbers, world.owners, strict=True):
            mask = np.kron(numbered(owners, said), np.ones((2, 2), np.uint8))
            archive.writestr(f"instance-filt/{n}.png", cv2.imencode(".png", mask)[1].tobytes())
    poses = [matrix(c, said, aligned=False) for c in world.cameras]
    if lose:
        poses[LOST] = np.full((4, 4), -np.inf)
    k = square(intrinsics(world.cameras[0], said), 4)
    if sens:
        (folder / f"{name}.sens").write_bytes(_sens(world, said, poses, k))
        return list(world.times)
    for what in ("color", "depth"):
        (folder / "intrinsic").mkdir(exist_ok=True)
        np.savetxt(folder / "intrinsic" / f"intrinsic_{what}.txt", k)
        np.savetxt(folder / "intrinsic" / f"extrinsic_{what}.txt", np.eye(4))
    (folder / "pose").mkdir()
    for n, rgb, depth, pose, camera in zip(numbers, world.pictures, world.depths, poses, world.cameras, strict=True):
        jpg(folder / "color" / f"{n}.jpg", rgb)
        png(folder / "depth" / f"{n}.png", steps(depth, camera, said))
        np.savetxt(folder / "pose" / f"{n}.txt", pose)
    return list(world.times)


def _sens(world: World, said: Conventions, poses: list[Any], k: Any) -> bytes:
    height, width = world.pictures[0].shape[:2]
    out = [struct.pack("<IQ", 4, 9), b"structure"]
    out += [m.astype("<f4").tobytes() for m in (k, np.eye(4), k, np.eye(4))]
    out.append(struct.pack("<2i4IfQ", 2, 1, width, height, width, height, said.depth_per_m, len(poses)))
    for t_s, rgb, depth, pose, camera in zip(
        world.times, world.pictures, world.depths, poses, world.cameras, strict=True
    ):
        colour = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
        packed = zlib.compress(steps(depth, camera, said).tobytes())
        at = 1_000_000 + round(t_s * 1e6)
        out += [pose.astype("<f4").tobytes(), struct.pack("<4Q", at, at, len(colour), len(packed)), colour, packed]
    return b"".join(out)
