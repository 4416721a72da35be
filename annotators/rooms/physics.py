"""What balls and boxes do when they are let go: MuJoCo's rigid bodies among the room's furniture, and when they hit what.

Walls and furniture are the very meshes that are rendered (each part is convex); nothing is drawn by MuJoCo, so no graphics
driver is needed. A body hangs still until its window begins. Contacts are known to a millisecond, the simulation's step;
bodies give a little, so that what hits hard may sink in by millimetres for a frame.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...schemas.geometry.box3d import Box3D
from ...schemas.span import from_us, to_us
from .caster import placed
from .movers import Mover
from .scene import Event, Floats, Thing

STEP_S = 0.001
_QUIET_S = 0.25
"""A contact counts as a hit when the two did not touch for so long."""
_HIT_M_PER_S = 0.35
"""... and when the body is at least so fast."""
_THICK_M = 0.2


@dataclass(frozen=True)
class Hit:
    """A body meets something."""

    t_s: float
    mover: int
    other: str
    """Index of a thing as text, 'm0' for another mover, 'floor', 'wall' or 'ceiling'."""


def simulate(
    polygon: Floats, height_m: float, things: Sequence[Thing], movers: Sequence[Mover], frames: int, fps: float
) -> tuple[list[Thing], list[Hit]]:
    """The movers with a pose per frame, and their hits in order of time. Needs MuJoCo (the extra physics)."""
    import mujoco

    model = _model(mujoco, polygon, height_m, things, movers)
    data = mujoco.MjData(model)
    names = [model.geom(g).name.partition("|")[0] for g in range(model.ngeom)]
    release = [m.windows[0][0] / fps if m.windows else frames / fps for m in movers]
    start = data.qpos.copy()
    centres, axes = np.zeros((len(movers), frames, 3)), np.zeros((len(movers), frames, 3, 3))
    touched: dict[tuple[int, str], float] = {}
    hits: list[Hit] = []
    steps = round(frames / fps / STEP_S)
    shown = 0
    for step in range(steps + 1):
        now = step * STEP_S
        for k, at in enumerate(release):
            if now < at:
                data.qpos[7 * k : 7 * k + 7] = start[7 * k : 7 * k + 7]
                data.qvel[6 * k : 6 * k + 6] = 0
            elif now < at + STEP_S:
                data.qvel[6 * k : 6 * k + 3] = movers[k].velocity
        if step == 0:
            mujoco.mj_forward(model, data)
        while shown < frames and now >= shown / fps - STEP_S / 2:
            for k in range(len(movers)):
                body = data.body(f"m{k}")
                centres[k, shown], axes[k, shown] = body.xpos, body.xmat.reshape(3, 3).T
            shown += 1
        _note(data, names, release, now, touched, hits)
        mujoco.mj_step(model, data)
    made = []
    for k, mover in enumerate(movers):
        if not mover.windows:
            made.append(mover.thing)
            continue
        turned = _orthonormal(axes[k])
        first = Box3D(tuple(centres[k, 0]), tuple(turned[0].ravel()), mover.thing.box.size)
        told = {"way": mover.way, "let_go_s": release[k]}
        made.append(replace(mover.thing, box=first, centres=centres[k], axes=turned, told=told))
    return made, hits


def events_of(things: Sequence[Thing], movers: Sequence[Thing], hits: Sequence[Hit], fps: float) -> tuple[Event, ...]:
    """Sentences for the hits of things that only one phrase calls; a hit lasts for a frame."""
    calls = Counter(t.phrase for t in (*things, *movers))

    def called(name: str) -> str | None:
        if name in ("floor", "wall", "ceiling"):
            return f"{'a' if name == 'wall' else 'the'} {name}"
        thing = movers[int(name[1:])] if name.startswith("m") else things[int(name)]
        return f"the {thing.phrase}" if calls[thing.phrase] == 1 else None

    events = []
    for hit in hits:
        one, other = called(f"m{hit.mover}"), called(hit.other)
        if one and other:
            start = from_us(to_us(hit.t_s))
            events.append(
                Event(start, from_us(to_us(hit.t_s + 1 / fps)), f"{one} hits {other}", len(things) + hit.mover)
            )
    return tuple(events)


def _model(mujoco: Any, polygon: Floats, height_m: float, things: Sequence[Thing], movers: Sequence[Mover]) -> Any:
    spec = mujoco.MjSpec()
    spec.option.timestep = STEP_S
    world = spec.worldbody
    bounce = {"solref": [0.008, 0.3], "friction": [0.7, 0.02, 0.001], "condim": 6}
    plane, solid = mujoco.mjtGeom.mjGEOM_PLANE, mujoco.mjtGeom.mjGEOM_BOX
    world.add_geom(name="floor", type=plane, size=[0, 0, 1], **bounce)
    for k in range(len(polygon)):
        a, b = polygon[k], polygon[(k + 1) % len(polygon)]
        along = (b - a) / np.hypot(*(b - a))
        middle = (a + b) / 2 + np.array([along[1], -along[0]]) * _THICK_M / 2
        half = float(np.arctan2(along[1], along[0])) / 2
        world.add_geom(
            name=f"wall|{k}", type=solid, pos=[*middle, height_m / 2], quat=[np.cos(half), 0, 0, np.sin(half)],
            size=[float(np.hypot(*(b - a))) / 2 + _THICK_M, _THICK_M / 2, height_m / 2], **bounce,
        )  # fmt: skip
    for number, thing in enumerate(things):
        for k, part in enumerate(thing.parts):
            name = f"{number}|{k}"
            axes, centre = thing.pose(0)
            _mesh(spec, name, placed(part.vertices, axes, centre))
            world.add_geom(name=name, type=mujoco.mjtGeom.mjGEOM_MESH, meshname=name, **bounce)
    for number, mover in enumerate(movers):
        box = mover.thing.box
        yaw = float(np.arctan2(box.matrix[0, 1], box.matrix[0, 0])) / 2
        body = world.add_body(name=f"m{number}", pos=list(box.centre), quat=[np.cos(yaw), 0, 0, np.sin(yaw)])
        body.add_freejoint()
        if mover.thing.label == "ball":
            body.add_geom(
                name=f"m{number}", type=mujoco.mjtGeom.mjGEOM_SPHERE, size=[box.size[2] / 2, 0, 0], mass=0.3, **bounce
            )
        else:
            half_sizes = [v / 2 for v in box.size]
            body.add_geom(name=f"m{number}", type=solid, size=half_sizes, mass=0.5, **bounce)
    return spec.compile()


def _mesh(spec: Any, name: str, vertices: Floats) -> None:
    """The convex hull of a part, in the world; thin parts keep their thickness."""
    mesh = spec.add_mesh(name=name)
    mesh.uservert = vertices.ravel().tolist()


def _note(
    data: Any,
    names: Sequence[str],
    release: Sequence[float],
    now: float,
    touched: dict[tuple[int, str], float],
    hits: list[Hit],
) -> None:
    """Add the hits of this step: contacts that were not there for a while, of bodies that are fast enough."""
    for contact in data.contact[: data.ncon] if data.ncon else ():
        pair = names[int(contact.geom1)], names[int(contact.geom2)]
        if contact.dist > 0:
            continue
        for one, other in (pair, pair[::-1]):
            if not one.startswith("m"):
                continue
            k = int(one[1:])
            last = touched.get((k, other), -1.0)
            touched[k, other] = now
            speed = abs(float(np.dot(data.qvel[6 * k : 6 * k + 3], contact.frame[:3])))
            mirrored = other.startswith("m") and one > other
            if now >= release[k] and now - last > _QUIET_S and speed >= _HIT_M_PER_S and not mirrored:
                hits.append(Hit(now, k, other))


def _orthonormal(axes: Floats) -> Floats:
    """Axes [n, 3, 3] as rows, made exactly orthonormal: the simulation keeps them so to single precision only."""
    x = axes[:, 0] / np.sqrt((axes[:, 0] ** 2).sum(axis=1, keepdims=True))
    y = axes[:, 1] - x * (x * axes[:, 1]).sum(axis=1, keepdims=True)
    y = y / np.sqrt((y**2).sum(axis=1, keepdims=True))
    return np.stack([x, y, np.cross(x, y)], axis=1)
