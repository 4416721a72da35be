"""A whole room from a seed: floor, furniture, movers, the camera's way, and all of it as one `RoomScene`."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .caster import Tree, triangles_at
from .draw import Draw
from .layout import draw_floor, furnish
from .movers import draw_movers, draw_physical, motions, moved
from .physics import events_of, simulate
from .room_space import walkable
from .route import Planner
from .scene import RoomScene, camera_towards
from .shell import shell_of


@dataclass(frozen=True)
class RoomPlan:
    """What a room is drawn from."""

    seed: str
    area_m2: tuple[float, float] = (12.0, 40.0)
    l_share: float = 0.25
    objects: tuple[int, int] = (8, 18)
    movers: tuple[int, int] = (0, 2)
    tops: bool = True
    physics: bool = False
    seconds: float = 24.0
    fps: int = 10
    width: int = 640
    height: int = 480
    fov_deg: float = 75.0

    @property
    def frames(self) -> int:
        return max(2, round(self.seconds * self.fps))


def make_room(plan: RoomPlan) -> RoomScene:
    """The room of a plan: the same plan gives the same room."""
    draw = Draw("room", plan.seed)
    floor = draw_floor(draw, plan.area_m2, plan.l_share)
    wanted = draw.whole(*plan.objects)
    things = furnish(
        floor, Draw("things", plan.seed), min(wanted, max(plan.objects[0], int(floor.area_m2 * 1.1))), plan.tops
    )
    drawn = draw_physical if plan.physics else draw_movers
    movers = drawn(floor, things, Draw("movers", plan.seed), draw.whole(*plan.movers))
    shell = shell_of(floor.polygon, floor.height_m, Draw("shell", plan.seed))
    still = RoomScene(floor.polygon, floor.height_m, tuple(things), (), plan.fps, shell)
    frames = plan.frames
    way = Draw("way", plan.seed)
    nodes = walkable(
        floor.polygon, things, [(m.ground(), m.radius_m) for m in movers], [way.between(0, 1) for _ in range(997)]
    )
    eye = way.between(1.35, 1.6)
    route = Planner(
        nodes, things, movers, Tree(triangles_at(still, 0)), way, plan.fps, frames, eye, plan.fov_deg
    ).plan()
    movers = [replace(m, windows=w) for m, w in zip(movers, route.windows, strict=True)]
    if plan.physics and movers:
        travelling, hits = simulate(floor.polygon, floor.height_m, things, movers, frames, plan.fps)
        still = replace(still, events=events_of(things, travelling, hits, plan.fps))
    else:
        travelling = [moved(m, frames, plan.fps) for m in movers]
        still = replace(still, events=motions(things, movers, plan.fps))
    middle = np.asarray(floor.polygon).mean(axis=0)
    scene = replace(
        still, things=(*things, *travelling), light=(float(middle[0]), float(middle[1]), floor.height_m - 0.3)
    )
    cameras = tuple(
        camera_towards(
            scene.time_s(k),
            route.centres[k],
            float(route.yaws[k]),
            float(route.pitches[k]),
            plan.width,
            plan.height,
            plan.fov_deg,
        )
        for k in range(frames)
    )
    told = {
        "seed": plan.seed, "area_m2": round(floor.area_m2, 3), "objects": len(things), "movers": len(movers),
        "stages": [[s.kind, s.first / plan.fps, s.last / plan.fps] for s in route.stages],
    }  # fmt: skip
    return replace(scene, cameras=cameras, told=told)
