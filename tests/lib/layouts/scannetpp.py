"""ScanNet++'s layout: iPhone video at 60 Hz with packed depth, or DSLR stills with a COLMAP model."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import cv2
import lz4.block
import numpy as np
from chronotope.annotators.scans.conventions import Conventions
from chronotope.annotators.scans.film import write_film

from . import colmap
from .numbers import cloud, dense, intrinsics, matrix, obb, ply, square, steps
from .world import World

WIDTH, HEIGHT = 256, 192
STEP = 6
"""Every sixth frame of the video has a pose: 60 Hz in the file, ten per second here."""


def write(world: World, folder: Path, said: Conventions, packing: str = "lz4", dslr: bool = False) -> list[float]:
    """A scene below `folder`; the times of its frames."""
    scans = folder / "scans"
    vertices, faces, owner = dense(world)
    ply(scans / "mesh_aligned_0.05.ply", cloud(vertices, said), faces)
    (scans / "segments.json").write_text(json.dumps({"segIndices": (owner + 1).tolist()}))
    groups = [
        {"id": n, "objectId": n, "label": label, "segments": [n + 1], "obb": obb(box, said)}
        for n, (label, box) in enumerate(zip(world.labels, world.boxes, strict=True))
    ]
    (scans / "segments_anno.json").write_text(json.dumps({"segGroups": groups}))
    if dslr:
        colmap.write_model(world, folder / "dslr" / "colmap", said, fisheye=True)
        for name, rgb in colmap.fisheye_pictures(world):
            (folder / "dslr" / "resized_images").mkdir(exist_ok=True)
            assert cv2.imwrite(str(folder / "dslr" / "resized_images" / name), rgb[..., ::-1])
        return [n / 2 for n in range(len(world.cameras))]
    phone = folder / "iphone"
    phone.mkdir()
    rgb = [p for p in world.pictures for _ in range(STEP)]
    size = world.pictures[0].shape[1], world.pictures[0].shape[0]
    times = [n / 60 for n in range(len(rgb))]
    write_film(rgb, times, len(rgb) / 60, size, 12, phone / "rgb.mkv")
    told, packed = {}, []
    k = square(intrinsics(world.cameras[0], said)).tolist()
    for n, (camera, depth) in enumerate(zip(world.cameras, world.depths, strict=True)):
        told[f"frame_{n * STEP:06d}"] = {
            "timestamp": 1000 + n * STEP / 60, "pose": np.eye(4).tolist(), "aligned_pose": matrix(camera, said).tolist(), "intrinsic": k,
        }  # fmt: skip
        packed += [_packed(depth, camera, said, packing)] * STEP
    (phone / "pose_intrinsic_imu.json").write_text(json.dumps(told))
    if packing == "whole":
        (phone / "depth.bin").write_bytes(_deflate(b"".join(packed)))
    else:
        (phone / "depth.bin").write_bytes(b"".join(len(p).to_bytes(4, "little") + p for p in packed))
    return [n * STEP / 60 for n in range(len(world.cameras))]


def _packed(depth: Any, camera: Any, said: Conventions, packing: str) -> bytes:
    millimetres = steps(depth, camera, said)
    larger = cv2.resize(millimetres, (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST)
    if packing == "lz4":
        return lz4.block.compress(larger.astype("<u2").tobytes(), store_size=False)
    metres = (larger / 1000).astype("<f4").tobytes()
    return metres if packing == "whole" else _deflate(metres)


def _deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()
