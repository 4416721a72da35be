"""Cameras, depth and a cloud of plain video by a learned geometry model, under the contract that all geometry here keeps to.

The model's own conventions end in `prediction_of`. A model that claims metres is not believed for that alone: the scene stays at
unit scale, with its numbers untouched, until `fit_scale` found a second source that agrees. Limits: all pictures go to the model
at once, so `views` is bounded by its memory; what moves is not left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ...engine.annotator import Params, Row, Rows, SkipUnit, Unit
from ...engine.depth_maps import depth_at, depth_values, pixel_grid
from ...schemas.geometry.camera import Camera
from ...schemas.ids import derive_id
from .geometry_models import GeometryParams
from .learned import Learned
from .prediction import Prediction
from .scene_rows import camera_row, check, note, points_rows, resized, scene_row, world_of
from .views import ViewParams, pictures, stretches

Floats = NDArray[np.float64]


class CamerasLearnedParams(ViewParams, GeometryParams):
    """Parameters of `cameras_learned`."""

    views: int = Field(32, ge=1, description="pictures per scene at most; all go to the model together")
    least_views: int = Field(2, ge=1, description="fewer pictures than this are not tried")
    max_side_px: int = Field(518, ge=64, description="longest side of the pictures")
    drop: float = Field(
        0.5,
        ge=0,
        lt=1,
        description="share of the least certain pixels that are left out (Spatial-MLLM: the lower half)",
    )
    points: int = Field(100_000, ge=100, description="points of the cloud at most")
    most_disagreement: float = Field(
        0.10,
        gt=0,
        description="depth of neighbouring pictures may differ by this share, median; else the scene is skipped",
    )


class CamerasLearned(Learned[CamerasLearnedParams]):
    """Writes `scenes`, `cameras`, `depths` and `points` of the shot with most motion."""

    name: ClassVar[str] = "cameras_learned"
    version: ClassVar[int] = 1
    Params: ClassVar[type[Params]] = CamerasLearnedParams
    reads: ClassVar[tuple[str, ...]] = ("media", "shots")
    optional_reads: ClassVar[tuple[str, ...]] = ("shots",)
    writes: ClassVar[tuple[str, ...]] = ("scenes", "cameras", "depths", "points")

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """The scene of one medium. Skips footage whose camera does not move enough, and predictions that contradict themselves."""
        medium, p = unit.medium, self.params
        if medium is None or medium.path is None or not medium.has_video or medium.kind != "video":
            raise SkipUnit("no video")
        parts = stretches(medium.path, rows, medium.duration_s, p)
        if not parts:
            raise SkipUnit(f"no shot whose camera moves enough for {p.least_views} pictures")
        times = parts[0].times
        taken = [np.ascontiguousarray(bgr[..., ::-1]) for _, bgr in pictures(medium.path, times, p.max_side_px)]
        made = self.model(taken, times, [None] * len(taken))
        if made.poses is None or made.intrinsics is None:
            raise ValueError(
                f"backend {p.backend} gives no poses or no intrinsics; it serves `depth`, cameras need VGGT, Depth Anything 3 "
                "or another model of many views"
            )
        yield from self._rows(unit.unit, times, made, (int(medium.width or 0), int(medium.height or 0)))

    def _rows(self, media_id: str, times: Sequence[float], made: Prediction, size: tuple[int, int]) -> Iterable[Row]:
        p = self.params
        assert made.poses is not None and made.intrinsics is not None
        depth = sure_depth(made, p.drop)
        map_size = (depth.shape[2], depth.shape[1])
        cameras = [
            Camera(t, *map_size, k[0, 0], k[1, 1], k[0, 2], k[1, 2], tuple(pose.ravel()))
            for t, k, pose in zip(times, made.intrinsics, made.poses, strict=True)
        ]
        off = disagreement(cameras, depth)
        if off > p.most_disagreement:
            raise SkipUnit(
                f"depth of neighbouring pictures differs by {off:.0%}, {p.most_disagreement:.0%} are allowed"
            )
        known = [np.isfinite(d) for d in depth]
        total = sum(int(k.sum()) for k in known)
        if not total:
            raise SkipUnit("the model knows no depth of any picture")
        cloud = np.concatenate(
            [
                camera.back_project(pixel_grid(d, *map_size)[k], d[k])
                for camera, d, k in zip(cameras, depth, known, strict=True)
            ]
        )[:: -(-total // p.points)]
        world = world_of(cloud, list(made.poses), 1.0 if made.metric else 1 / float(np.nanmedian(depth)))
        scene_id = derive_id("learned scene", media_id, times[0], times[-1])
        checks: dict[str, Any] = {
            "pictures": note(len(times)),
            "depth_disagreement": check(off, p.most_disagreement),
            "claims_metres": note(int(made.metric)),
        }
        source = p.backend.partition(":")[0] if ".py:" in p.backend else p.backend
        yield scene_row(scene_id, source, world, "unit", checks)
        for camera in cameras:
            lens = resized((camera.fx, camera.fy, camera.cx, camera.cy), map_size, size)
            yield camera_row(scene_id, camera.t_s, size, lens, (), world.pose(camera.matrix))
        for camera, d, k in zip(cameras, depth, known, strict=True):
            if k.any():
                row = depth_values(world.scale * d)
                yield "depths", {
                    "t_s": camera.t_s, **row, "origin": "predicted", "model": self.model_name, "metric": made.metric,
                }  # fmt: skip
        yield from points_rows(world.points(cloud), None)


def sure_depth(made: Prediction, drop: float) -> Floats:
    """Depth [n, h, w] without the least certain share of its pixels; all of it where the model says nothing of certainty."""
    if made.confidence is None or drop == 0:
        return made.depth
    known = np.isfinite(made.depth) & np.isfinite(made.confidence)
    if not known.any():
        return made.depth
    least = float(np.quantile(made.confidence[known], drop))
    return np.where(known & (made.confidence >= least), made.depth, np.nan)


def disagreement(cameras: Sequence[Camera], depth: Floats) -> float:
    """Median share by which the depth of each picture, seen from the next one, differs from that one's; 0 for one picture."""
    found = []
    for a, b, near, far in zip(cameras, cameras[1:], depth, depth[1:], strict=False):
        step = max(1, near.shape[0] // 60)
        pixels, z = pixel_grid(near, a.width, a.height)[::step, ::step], near[::step, ::step]
        known = np.isfinite(z)
        at, there = b.project(a.back_project(pixels[known], z[known]))
        seen = depth_at(far, at, b.width, b.height)
        with np.errstate(invalid="ignore", divide="ignore"):
            off = np.abs(seen - there) / there
        off = off[np.isfinite(off) & (there > 0)]
        if len(off):
            found.append(float(np.median(off)))
    return float(np.median(found)) if found else 0.0


ANNOTATOR = CamerasLearned
