"""A scene's memory of what its surfaces look like: vectors of parts of posed pictures, few components, and cells of space.

Each picture is cut into windows; an encoder of `clip_embedding` turns each into a vector; depth says which point of the scene its
centre shows. A cosine cover keeps the components (M3: threshold 0.90), cells of space say where each is seen. A window is not a
pixel: what lies beside its centre is in its vector too, so a small thing is remembered only where windows are small enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ...engine.annotator import Grade, Params, Resources, Row, Rows, SkipUnit, Unit, UnitAnnotator
from ...engine.depth_maps import depth_at, depth_of
from ...engine.kept import one_producer
from ...engine.models import ModelRef
from ...engine.plans.grids import endpoints
from ...schemas.geometry.camera import Camera, camera_of
from ...schemas.geometry.cells import cells, morton
from ...schemas.geometry.cover import cell_edge
from ...schemas.span import to_us
from ..vision.clip_choice import ClipParams, extra_of, find_clip, load_clip
from ..vision.clip_models import ClipEncoder
from .cosine_cover import Cover, cosine_cover
from .views import pictures

Floats = NDArray[np.float64]


class SceneFeatureMemoryParams(ClipParams):
    """Parameters of `scene_feature_memory`."""

    views: int = Field(16, ge=2, description="posed pictures with depth, evenly spaced, at most")
    windows: int = Field(8, ge=1, description="windows along the longer side of a picture; they overlap by half")
    max_side_px: int = Field(512, ge=64, description="longest side of the pictures")
    reach: float = Field(0.90, gt=0, lt=1, description="cosine from which two vectors are alike (M3: 0.70 to 0.90)")
    parts: int = Field(40, ge=1, description="cells along the smallest side of what is seen")
    same_depth: float = Field(0.05, gt=0, lt=1, description="depths of one point in two pictures differ by this share")
    batch_size: int = Field(16, ge=1, description="fixed batch shape of the encoder")


class _View:
    """A posed picture: its windows, their vectors and the points at their centres."""

    def __init__(self, camera: Camera, depth: Floats, centres: Floats, vectors: NDArray[np.float32]) -> None:
        self.camera, self.depth, self.vectors, self.centres = camera, depth, vectors, centres
        self.points = camera.back_project(centres, depth_at(depth, centres, camera.width, camera.height))


class SceneFeatureMemory(UnitAnnotator[SceneFeatureMemoryParams]):
    """Writes `feature_memory` and `feature_views` of one medium."""

    name: ClassVar[str] = "scene_feature_memory"
    version: ClassVar[int] = 1
    Params: ClassVar[type[Params]] = SceneFeatureMemoryParams
    reads: ClassVar[tuple[str, ...]] = ("scenes", "cameras", "depths")
    writes: ClassVar[tuple[str, ...]] = ("feature_memory", "feature_views")
    grade: ClassVar[Grade] = "model"
    reads_media: ClassVar[bool] = True
    quick_units: ClassVar[int] = 4

    def __init__(self, params: SceneFeatureMemoryParams) -> None:
        super().__init__(params)
        self._encoder: ClipEncoder | None = None

    def extras(self) -> tuple[str, ...]:
        """What the encoder needs."""
        return (extra_of(self.params),)

    def models(self) -> Sequence[ModelRef]:
        """The encoder."""
        return [find_clip(self.params)]

    def resources(self) -> Resources:
        """A processor per thread, or a GPU."""
        return Resources(cpus=float(self.params.threads), gpus=1.0 if self.params.device == "cuda" else 0.0)

    def setup(self) -> None:
        """Load the encoder."""
        self._encoder = load_clip(self.params, self.params.batch_size)

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """The memory of one scene. Skips media without a scene, and without depth in the unit of its cameras."""
        scenes, posed = one_producer(rows["scenes"]), one_producer(rows["cameras"])
        if unit.medium is None or unit.medium.path is None or not scenes:
            raise SkipUnit("no scene with geometry")
        views = self._views(unit, posed, rows["depths"])
        vectors = np.concatenate([v.vectors for v in views])
        points = np.concatenate([v.points for v in views])
        known = np.isfinite(points).all(axis=1)
        if not known.any():
            raise SkipUnit("no window whose centre has a depth")
        edge = cell_edge(points[known], self.params.parts)
        origin = points[known].min(axis=0)
        cover = cosine_cover(vectors[known], self.params.reach)
        assert self._encoder is not None
        named = {"scene_id": scenes[0]["scene_id"], "encoder": self._encoder.model_name}
        keys = morton(cells(points[known], edge, origin))
        yield from _components(named, cover, vectors[known], keys, origin, edge)
        start = 0
        for view, after in zip(views, [*views[1:], None], strict=True):
            here = np.asarray(np.isfinite(view.points).all(axis=1))
            yield "feature_views", {
                **named, **_parts(view, here, cover, slice(start, start + int(here.sum()))), **self._crossed(view, after),
            }  # fmt: skip
            start += int(here.sum())

    def _views(
        self, unit: Unit, posed: Sequence[Mapping[str, Any]], depths: Sequence[Mapping[str, Any]]
    ) -> list[_View]:
        """Posed pictures with their vectors; those whose time is no frame of the medium are left out."""
        if self._encoder is None:
            self.setup()
        assert self._encoder is not None and unit.medium is not None and unit.medium.path is not None
        cameras = {to_us(c.t_s): c for c in map(camera_of, posed) if c is not None}
        owner = posed[0]["producer"] if posed else None
        maps = {
            to_us(float(r["t_s"])): r for r in depths if r["producer"] == owner and to_us(float(r["t_s"])) in cameras
        }
        if len(maps) < 2:
            raise SkipUnit("fewer than two pictures with a pose and depth of one producer")
        times = sorted(maps)
        chosen = [times[i] for i in endpoints(len(times), self.params.views)]
        found = []
        taken = pictures(unit.medium.path, [cameras[t].t_s for t in chosen], self.params.max_side_px)
        for t_s, bgr in taken:
            camera, depth = cameras[to_us(t_s)], depth_of(maps[to_us(t_s)])
            crops, centres = _windows(np.ascontiguousarray(bgr[..., ::-1]), self.params.windows)
            vectors = self._encoder.encode_images(crops)
            at = centres * [camera.width / bgr.shape[1], camera.height / bgr.shape[0]]
            found.append(_View(camera, depth, at, vectors))
        if len(found) < 2:
            raise SkipUnit("the times of the cameras are no frames of the medium")
        return found

    def _crossed(self, view: _View, after: _View | None) -> dict[str, Any]:
        """What a trip of the points through the next picture does to their pixels, and how alike both pictures' vectors are."""
        none = {"cross_px": None, "cross_points": 0, "cross_cosine": None}
        if after is None:
            return none
        at, z = after.camera.project(view.points)
        there = depth_at(after.depth, at, after.camera.width, after.camera.height)
        with np.errstate(invalid="ignore"):
            same = np.abs(there - z) <= self.params.same_depth * z
        if not same.any():
            return none
        back, _ = view.camera.project(after.camera.back_project(at[same], there[same]))
        away = np.linalg.norm(back - view.centres[same], axis=1)
        gaps = np.linalg.norm(at[same][:, None] - after.centres[None], axis=2)
        near = gaps.argmin(axis=1)
        close = gaps.min(axis=1) <= after.camera.width / (2 * self.params.windows)
        alike = np.einsum("nd,nd->n", view.vectors[same], after.vectors[near])[close]
        cosine = float(alike.mean()) if len(alike) else None
        return {"cross_px": float(np.median(away)), "cross_points": int(same.sum()), "cross_cosine": cosine}


def _windows(rgb: NDArray[np.uint8], along: int) -> tuple[list[NDArray[np.uint8]], Floats]:
    """Square windows that overlap by half, and their centres [n, 2] in pixels."""
    h, w = rgb.shape[:2]
    side = max(2, round(2 * max(h, w) / (along + 1)))
    side = min(side, h, w)
    columns, rows = (
        np.unique(np.round(np.linspace(0, length - side, max(1, round(2 * length / side) - 1))).astype(int))
        for length in (w, h)
    )
    places = [(int(x), int(y)) for y in rows for x in columns]
    centres = np.array([(x + side / 2, y + side / 2) for x, y in places])
    return [np.ascontiguousarray(rgb[y : y + side, x : x + side]) for x, y in places], centres


def _components(
    named: Mapping[str, Any], cover: Cover, vectors: NDArray[Any], keys: NDArray[np.int64], origin: Floats, edge: float
) -> Iterable[Row]:
    for number, index in enumerate(cover.chosen):
        mine = cover.nearest == number
        seen, counts = np.unique(keys[mine], return_counts=True)
        yield "feature_memory", {
            **named, "component": number, "vector": [float(v) for v in vectors[index]], "sources": int(mine.sum()),
            "second_pass": number >= cover.first, "cells": seen.tolist(), "counts": counts.tolist(),
            "origin": origin.tolist(), "edge_m": edge,
        }  # fmt: skip


def _parts(view: _View, here: NDArray[np.bool_], cover: Cover, part: slice) -> dict[str, Any]:
    share = view.centres[here] / [view.camera.width, view.camera.height]
    return {
        "t_s": view.camera.t_s, "x": share[:, 0].tolist(), "y": share[:, 1].tolist(),
        "xyz": view.points[here].astype(np.float32).ravel().tolist(), "component": cover.nearest[part].tolist(),
        "cosine": cover.cosine[part].tolist(),
    }  # fmt: skip


ANNOTATOR = SceneFeatureMemory
