"""A rendered room as layouts write it: frames with pictures, depth and owners, one mesh with the object of each face, true boxes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from chronotope.annotators.rooms.caster import all_parts, placed
from chronotope.annotators.rooms.film import render_view
from chronotope.annotators.rooms.make import RoomPlan, make_room
from chronotope.schemas.geometry.box3d import Box3D
from chronotope.schemas.geometry.camera import Camera

WIDTH, HEIGHT, FRAMES = 160, 120, 12


@dataclass(frozen=True, eq=False)
class World:
    """What a source would have measured, all of it true."""

    cameras: tuple[Camera, ...]
    pictures: tuple[Any, ...]
    """uint8 rgb [h, w, 3]"""
    depths: tuple[Any, ...]
    """Metres along z [h, w]; 0: nothing."""
    owners: tuple[Any, ...]
    """Index of the object that each pixel shows [h, w], -1 for the room itself."""
    vertices: Any
    faces: Any
    face_owner: Any
    vertex_owner: Any
    labels: tuple[str, ...]
    boxes: tuple[Box3D, ...]

    @property
    def times(self) -> tuple[float, ...]:
        return tuple(c.t_s for c in self.cameras)


@cache
def world() -> World:
    """The room that all layouts are written from: some eight things, twelve frames of 160x120, unevenly timed."""
    scene = make_room(
        RoomPlan(
            "layouts", (14.0, 18.0), 0.0, (7, 8), (0, 0), seconds=12.0, fps=5, width=WIDTH, height=HEIGHT, fov_deg=80.0
        )
    )
    chosen = np.linspace(0, scene.frames - 1, FRAMES).astype(int)
    times = np.cumsum([0.0, 0.1, 0.1, 0.2, 0.1, 0.1, 0.1, 0.3, 0.1, 0.1, 0.1, 0.1])
    cameras, pictures, depths, owners = [], [], [], []
    for frame, t_s in zip(chosen, times, strict=True):
        camera = scene.cameras[frame]
        rgb, view = render_view(scene, camera, int(frame))
        cameras.append(
            Camera(
                round(float(t_s), 3), *(getattr(camera, n) for n in ("width", "height", "fx", "fy", "cx", "cy", "pose"))
            )
        )
        pictures.append(rgb)
        depths.append(view.depth)
        owners.append(np.where(view.owners < 0, -1, view.owners).astype(np.int64))
    vertices, faces, face_owner, vertex_owner, count = [], [], [], [], 0
    for owner, part in all_parts(scene):
        at = part.vertices if owner < 0 else placed(part.vertices, *_pose(scene, owner))
        vertices.append(at)
        faces.append(part.faces + count)
        face_owner.append(np.full(len(part.faces), max(owner, -1)))
        vertex_owner.append(np.full(len(at), max(owner, -1)))
        count += len(at)
    return World(
        tuple(cameras), tuple(pictures), tuple(depths), tuple(owners), np.concatenate(vertices), np.concatenate(faces),
        np.concatenate(face_owner), np.concatenate(vertex_owner), tuple(t.label for t in scene.things),
        tuple(t.box for t in scene.things),
    )  # fmt: skip


def _pose(scene: Any, owner: int) -> Any:
    axes, centre = scene.things[owner].pose(0)
    return axes, centre
