"""Predicted depth of pictures, at the times of the cameras that are known or at a rate, as rows of `depths`.

Where cameras are known their focal length is passed to models that can use it, and the times agree with them to the
microsecond, which is what `fit_scale` compares. Predicted metres are a claim (`metric`), not a measurement.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from ...engine.annotator import Params, Row, Rows, SkipUnit, Unit
from ...engine.depth_maps import depth_values
from ...engine.kept import one_producer
from ...schemas.geometry.camera import camera_of
from ...schemas.geometry.intrinsics import resized
from .cameras_learned import sure_depth
from .geometry_models import GeometryParams
from .learned import Learned
from .views import at_rate, pictures


class DepthParams(GeometryParams):
    """Parameters of `depth`."""

    backend: str = Field(
        "moge", description="moge, depth_anything_3, vggt, http, or my_file.py:thing beside the recipe"
    )
    at: Literal["cameras", "rate"] = Field(
        "cameras", description="cameras: pictures whose pose is known, where there are any; rate: at `fps`"
    )
    fps: float = Field(1.0, gt=0, description="pictures per second where no cameras are known")
    max_side_px: int = Field(640, ge=64, description="longest side of the pictures")
    batch: int = Field(1, ge=1, description="pictures per call; models of many views see a batch as one scene")
    drop: float = Field(0.0, ge=0, lt=1, description="share of the least certain pixels that are left out")


class Depth(Learned[DepthParams]):
    """Writes `depths`, one map per picture."""

    name: ClassVar[str] = "depth"
    version: ClassVar[int] = 1
    Params: ClassVar[type[Params]] = DepthParams
    reads: ClassVar[tuple[str, ...]] = ("media", "cameras")
    optional_reads: ClassVar[tuple[str, ...]] = ("cameras",)
    writes: ClassVar[tuple[str, ...]] = ("depths",)

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """The depth maps of one medium."""
        medium, p = unit.medium, self.params
        if medium is None or medium.path is None or not medium.has_video:
            raise SkipUnit("no video")
        cameras = {}
        if p.at == "cameras":
            cameras = {c.t_s: c for c in map(camera_of, one_producer(rows["cameras"])) if c is not None}
        taken: Iterator[tuple[float, Any]] = (
            pictures(medium.path, sorted(cameras), p.max_side_px)
            if cameras
            else at_rate(medium.path, p.fps, p.max_side_px)
        )
        name = self.model_name
        while batch := list(islice(taken, p.batch)):
            times = [t for t, _ in batch]
            rgb = [np.ascontiguousarray(bgr[..., ::-1]) for _, bgr in batch]
            lenses = []
            for t_s, picture in zip(times, rgb, strict=True):
                known = resized(cameras[t_s], picture.shape[1], picture.shape[0]) if t_s in cameras else None
                lenses.append(None if known is None else (known.fx, known.fy, known.cx, known.cy))
            made = self.model(rgb, times, lenses)
            for t_s, depth in zip(times, sure_depth(made, p.drop), strict=True):
                if np.isfinite(depth).any():
                    row = depth_values(depth)
                    yield "depths", {"t_s": t_s, **row, "origin": "predicted", "model": name, "metric": made.metric}


ANNOTATOR = Depth
