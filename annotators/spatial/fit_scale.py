"""How many metres a unit of a reconstruction is: from depth in metres, or from lengths that somebody measured; never guessed.

With depth of a sensor one fit is enough; predicted depth needs two models that agree within a tenth, else the scene stays at
unit scale. Measured lengths (an object's size, a distance between two objects or two places of the camera) stand in the recipe
and are called `anchored`; several must agree as well. All geometry of the scene is written again in metres, as rows of this
producer: tasks read it with `from:`. Limits: a scale is one number; a reconstruction that drifts in scale is not mended.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from ...engine.annotator import Grade, Params, Row, Rows, SkipUnit, Unit, UnitAnnotator
from ...engine.depth_maps import depth_at, depth_of, pixel_grid
from ...engine.kept import one_producer
from ...schemas.geometry.box3d import box3d_of
from ...schemas.geometry.camera import Camera, camera_of
from ...schemas.geometry.distances import box_box
from ...schemas.scale import ScaleFit, agreed_scale, fit_scale
from ...schemas.span import to_us
from .scene_rows import check, note

Floats = NDArray[np.float64]
_OWN = ("row_id", "producer", "unit", "media_id")
_CELLS = 40
_MEASURED = ("sensor", "rendered")


class Anchor(BaseModel):
    """A length that is known: give exactly one of `object`, `between` and `times_s`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    metres: float = Field(gt=0, description="how long it is")
    object: str | None = Field(None, description="label or object_id of the one object whose size is known")
    side: Literal["longest", "height"] = Field("longest", description="which side of that object")
    between: tuple[str, str] | None = Field(None, description="two objects whose nearest points are that far apart")
    times_s: tuple[float, float] | None = Field(None, description="two times between which the camera moved that far")
    title: str | None = Field(None, description="title or identifier of the medium that it holds for; null: all media")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(v is not None for v in (self.object, self.between, self.times_s)) != 1:
            raise ValueError("give exactly one of object, between and times_s")
        return self


class FitScaleParams(Params):
    """Parameters of `fit_scale`."""

    anchors: tuple[Anchor, ...] = Field((), description="Known lengths; with any, depth is not looked at.")
    anchor_sigma: float = Field(
        0.02, gt=0, description="How sure an anchor is: standard deviation of the logarithm of its length."
    )
    most_apart: float = Field(0.10, gt=0, description="Two estimates may differ by this share.")
    least_frames: int = Field(3, ge=1, description="Frames with depth in metres and of the reconstruction.")
    also: tuple[str, ...] = Field(
        (), description="Producers whose boxes3d and points stand in the scene's frame, such as a lift of objects."
    )


class FitScale(UnitAnnotator[FitScaleParams]):
    """Writes the scene, its cameras, points, depths and boxes again in metres, with the status and sigma of the scale."""

    name: ClassVar[str] = "fit_scale"
    version: ClassVar[int] = 1
    Params: ClassVar[type[Params]] = FitScaleParams
    reads: ClassVar[tuple[str, ...]] = ("scenes", "cameras", "points", "depths", "boxes3d", "media")
    optional_reads: ClassVar[tuple[str, ...]] = reads[2:5]
    writes: ClassVar[tuple[str, ...]] = ("scenes", "cameras", "points", "depths", "boxes3d")
    grade: ClassVar[Grade] = "model"
    light: ClassVar[bool] = True

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """The rescaled rows of one medium. Without a scale the scene stays as it is, with the reason in `checks_json`.

        Skips media without a scene, and scenes that have metres already.
        """
        scenes = one_producer([r for r in rows["scenes"] if r["scale_status"] == "unit"])
        if not scenes:
            raise SkipUnit("no scene at unit scale")
        scene = scenes[0]
        owner = scene["producer"]
        mine: dict[str, list[Mapping[str, Any]]] = {
            "cameras": [r for r in rows["cameras"] if r["producer"] == owner],
            "depths": [r for r in rows["depths"] if r["producer"] == owner],
            "points": [r for r in rows["points"] if r["producer"] in (owner, *self.params.also)],
            "boxes3d": [r for r in rows["boxes3d"] if r["producer"] in (owner, *self.params.also)],
        }
        posed = [c for c in map(camera_of, mine["cameras"]) if c is not None]
        titles = {unit.unit, *(str(m["title"]) for m in rows["media"] if m["media_id"] == unit.unit)}
        anchors = [a for a in self.params.anchors if a.title is None or a.title in titles]
        if anchors:
            fit, checks, source = self._anchored(anchors, mine["boxes3d"], posed)
            status = "anchored"
        else:
            fit, checks, source, status = self._from_depth(rows["depths"], owner, mine, posed)
        told = {**json.loads(scene["checks_json"] or "{}"), **checks}
        scale = 1.0 if fit is None else fit.scale
        known = {
            "scale_status": "unit" if fit is None else status,
            "scale_sigma": None if fit is None else fit.sigma,
            "scale_source": None if fit is None else source,
            "checks_json": json.dumps(told, sort_keys=True),
        }
        yield "scenes", {**_scaled_scene(scene, scale), **known}
        for table in ("cameras", "depths", "points", "boxes3d"):
            for row in mine[table]:
                yield table, scaled(table, row, scale, fit is not None)

    def _from_depth(
        self, depths: Sequence[Mapping[str, Any]], owner: str, mine: Mapping[str, Any], posed: Sequence[Camera]
    ) -> tuple[ScaleFit | None, dict[str, Any], str | None, str]:
        """The fit, what was checked, what it rests on and the status that it earns."""
        own = _own_depths(mine["depths"], mine["points"], posed)
        tellers: dict[tuple[bool, str], list[Mapping[str, Any]]] = {}
        for row in depths:
            if row["metric"] and row["producer"] != owner and to_us(float(row["t_s"])) in own:
                name = f"{row['producer']}:{row['model']}" if row["model"] else str(row["producer"])
                tellers.setdefault((row["origin"] not in _MEASURED, name), []).append(row)
        fits: list[tuple[bool, str, ScaleFit]] = []
        for (predicted, name), told in sorted(tellers.items()):
            fit = _fitted(told, own, self.params.least_frames)
            if fit is not None:
                fits.append((predicted, name, fit))
        if any(row["metric"] for row in mine["depths"]):
            fits.insert(
                0, (True, str(owner), ScaleFit(1.0, 0.0, len(own), 0))
            )  # the reconstruction claims metres itself
        checks: dict[str, Any] = {"scale_estimates": note(len(fits))}
        for _, name, fit in fits:
            checks[f"scale_by_{name}"] = note(round(fit.scale, 6))
        measured = [(name, fit) for predicted, name, fit in fits if not predicted]
        if measured:
            return measured[0][1], checks, measured[0][0], "sensor"
        best: tuple[ScaleFit, str] | None = None
        for (_, a, first), (_, b, second) in combinations(fits, 2):
            checks[f"scale_apart_{a}_{b}"] = check(
                round(math.exp(abs(math.log(first.scale / second.scale))) - 1, 6), self.params.most_apart
            )
            fit = agreed_scale(first, second, self.params.most_apart)
            if fit is not None and (best is None or fit.sigma < best[0].sigma):
                best = (replace(fit, sigma=max(fit.sigma, first.sigma, second.sigma)), f"{a} and {b}")
        checks["scale_confirmed"] = check(0 if best is None else 1, 1, least=True)
        return (None, checks, None, "unit") if best is None else (best[0], checks, best[1], "predicted")

    def _anchored(
        self, anchors: Sequence[Anchor], boxes: Sequence[Mapping[str, Any]], posed: Sequence[Camera]
    ) -> tuple[ScaleFit | None, dict[str, Any], str | None]:
        found = [(a, length) for a in anchors if (length := _length(a, boxes, posed)) is not None]
        checks: dict[str, Any] = {"scale_anchors": check(len(found), 1, least=True)}
        if not found:
            return None, checks, None
        logs = [math.log(a.metres / length) for a, length in found]
        apart = math.exp(max(logs) - min(logs)) - 1
        checks["scale_anchors_apart"] = check(round(apart, 6), self.params.most_apart)
        if apart > self.params.most_apart:
            return None, checks, None
        sigma = max(self.params.anchor_sigma / math.sqrt(len(found)), (max(logs) - min(logs)) / 2)
        source = "; ".join(_called(a) for a, _ in found)
        return ScaleFit(math.exp(float(np.median(logs))), sigma, len(found), len(found)), checks, source


def scaled(table: str, row: Mapping[str, Any], scale: float, metres: bool) -> dict[str, Any]:
    """A row of cameras, depths, points or boxes3d with all lengths multiplied, without the engine's own columns.

    `metres` says whether they are metres then.
    """
    made = {k: v for k, v in row.items() if k not in _OWN}
    if table == "cameras" and made["pose"] is not None:
        pose = [float(v) for v in made["pose"]]
        made["pose"] = [v * scale if k in (3, 7, 11) else v for k, v in enumerate(pose)]
    elif table == "depths":
        made["unit_m"] = float(made["unit_m"]) * scale
        made["metric"] = metres
    elif table == "points":
        made["xyz"] = (np.asarray(made["xyz"], np.float64) * scale).astype(np.float32).tolist()
    elif table == "boxes3d":
        made.update({k: float(made[k]) * scale for k in ("x", "y", "z")})
        made["size"] = [float(v) * scale for v in made["size"]]
    return made


def _scaled_scene(scene: Mapping[str, Any], scale: float) -> dict[str, Any]:
    made = {k: v for k, v in scene.items() if k not in _OWN}
    if made["room_area_m2"] is not None:
        made["room_area_m2"] = float(made["room_area_m2"]) * scale**2
    if made["polygon"] is not None:
        made["polygon"] = [float(v) * scale for v in made["polygon"]]
    if made["floor_z"] is not None:
        made["floor_z"] = float(made["floor_z"]) * scale
    return made


def _own_depths(
    depths: Sequence[Mapping[str, Any]], points: Sequence[Mapping[str, Any]], posed: Sequence[Camera]
) -> dict[int, tuple[Camera, Floats, Floats]]:
    """Per camera time in microseconds: the camera, pixels [n, 2] and depths [n] in units of the reconstruction.

    From the reconstruction's own depth maps, else from its points, the nearest one of each cell of the picture.
    """
    cameras = {to_us(c.t_s): c for c in posed}
    found: dict[int, tuple[Camera, Floats, Floats]] = {}
    for row in depths:
        at = to_us(float(row["t_s"]))
        if at in cameras and at not in found:
            depth = depth_of(row)
            known = np.isfinite(depth)
            found[at] = (
                cameras[at],
                pixel_grid(depth, cameras[at].width, cameras[at].height)[known],
                depth[known],
            )
    if found or not points:
        return found
    cloud = np.concatenate([np.asarray(r["xyz"], np.float64).reshape(-1, 3) for r in points])
    for at, camera in sorted(cameras.items()):
        pixels, z = camera.project(cloud)
        with np.errstate(invalid="ignore"):
            inside = (z > 0) & (pixels >= 0).all(axis=1) & (pixels < [camera.width, camera.height]).all(axis=1)
        pixels, z = pixels[inside], z[inside]
        cells = np.floor(pixels * _CELLS / camera.width).astype(np.int64)
        order = np.lexsort((z, cells[:, 0], cells[:, 1]))
        _, first = np.unique(cells[order], axis=0, return_index=True)
        nearest = order[first]
        if len(nearest):
            found[at] = (camera, pixels[nearest], z[nearest])
    return found


def _fitted(
    told: Sequence[Mapping[str, Any]], own: Mapping[int, tuple[Camera, Floats, Floats]], least: int
) -> ScaleFit | None:
    metric, units = [], []
    for row in told:
        camera, pixels, depth = own[to_us(float(row["t_s"]))]
        metric.append(depth_at(depth_of(row), pixels, camera.width, camera.height))
        units.append(depth)
    return fit_scale(metric, units, least)


def _length(anchor: Anchor, boxes: Sequence[Mapping[str, Any]], posed: Sequence[Camera]) -> float | None:
    """The length of an anchor in units of the reconstruction; None where its objects or times are not there once."""
    if anchor.times_s is not None:
        ends = [next((c for c in posed if to_us(c.t_s) == to_us(t)), None) for t in anchor.times_s]
        if ends[0] is None or ends[1] is None:
            return None
        return float(np.linalg.norm(ends[0].centre - ends[1].centre)) or None
    names = (anchor.object,) if anchor.between is None else anchor.between
    named = [box3d_of(box) for name in names if (box := _only(boxes, name)) is not None]
    if len(named) < len(names):
        return None
    first = named[0]
    if anchor.between is not None:
        return float(box_box(first, named[1])) or None
    return max(first.size) if anchor.side == "longest" else float(np.ptp(first.corners[:, 2]))


def _only(boxes: Sequence[Mapping[str, Any]], name: str | None) -> Mapping[str, Any] | None:
    """The one object that stands still of this label or identifier."""
    found = [r for r in boxes if not r["moving"] and name in (r["object_id"], r["label"])]
    return found[0] if len(found) == 1 else None


def _called(anchor: Anchor) -> str:
    if anchor.object is not None:
        return f"{anchor.side} side of {anchor.object}: {anchor.metres:g} m"
    if anchor.between is not None:
        return f"{anchor.between[0]} to {anchor.between[1]}: {anchor.metres:g} m"
    assert anchor.times_s is not None
    return f"camera from {anchor.times_s[0]:g} s to {anchor.times_s[1]:g} s: {anchor.metres:g} m"


ANNOTATOR = FitScale
