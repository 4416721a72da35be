"""Cameras of plain video by COLMAP: poses, intrinsics, a sparse cloud and sparse depth, upright where gravity was found.

Nothing here is in metres: `scale_status` is unit, and only questions that no scale can change may rest on it until `fit_scale`
found one. Footage that is no static scene seen by a moving camera is skipped with the rule that it breaks. Limits: the pose of
a scene with much motion in it may be wrong without a rule saying so; `checks_json` has what it rests on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from ...engine.annotator import Grade, Params, Resources, Row, Rows, SkipUnit, Unit, UnitAnnotator
from ...engine.depth_maps import depth_values
from ...schemas.ids import derive_id, seeded_fraction
from .colmap import ColmapSettings, Sparse, reconstruct
from .gravity import flat_share
from .links import Links, only, trusted
from .scene_rows import World, camera_row, check, note, points_rows, resized, scene_row, world_of
from .views import Stretch, ViewParams, pictures, stretches

_DEPTH_PX = 320


class CamerasSfmParams(ViewParams):
    """Parameters of `cameras_sfm`."""

    colmap: ColmapSettings = Field(ColmapSettings(), description="How COLMAP is run.")
    tries: int = Field(
        3, ge=1, description="shots that are tried, those with most motion first; the largest result wins"
    )
    least_registered: float = Field(0.5, gt=0, le=1, description="share of pictures that must get a pose")
    most_reprojection_px: float = Field(2.0, gt=0, description="mean reprojection error at most, px of the pictures")
    least_angle_deg: float = Field(
        2.0, gt=0, description="angle under which a point is seen, median over points: below, the camera only turned"
    )
    least_explained: float = Field(
        0.1, ge=0, lt=1, description="share of a picture's features that became points, median: below, much of it moved"
    )
    most_flat: float = Field(
        0.95,
        gt=0,
        le=1,
        description="share of points that may lie in one plane: a flat picture fixes no lens and no depth",
    )
    least_tracked: float = Field(
        0.75,
        ge=0,
        le=1,
        description="share of corners tracked from picture to picture that must fit the poses of both; where fewer do, the "
        "chain is cut and its longest part kept",
    )
    sparse_depth: bool = Field(True, description="write `depths` of the points that each picture measured")


class CamerasSfm(UnitAnnotator[CamerasSfmParams]):
    """Writes a scene at unit scale: `scenes`, `cameras`, `points`, and `depths` where points were measured."""

    name: ClassVar[str] = "cameras_sfm"
    version: ClassVar[int] = 1
    Params: ClassVar[type[Params]] = CamerasSfmParams
    reads: ClassVar[tuple[str, ...]] = ("media", "shots")
    optional_reads: ClassVar[tuple[str, ...]] = ("shots",)
    writes: ClassVar[tuple[str, ...]] = ("scenes", "cameras", "points", "depths")
    grade: ClassVar[Grade] = "model"
    reads_media: ClassVar[bool] = True
    needs_extra: ClassVar[str | None] = "sfm"
    quick_units: ClassVar[int] = 2

    def dynamic_writes(self) -> tuple[str, ...]:
        """Depths only where they are asked for."""
        return self.writes if self.params.sparse_depth else self.writes[:-1]

    def resources(self) -> Resources:
        """A processor per thread."""
        return Resources(cpus=float(self.params.colmap.threads))

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """The scene of one medium. Skips footage that cannot be reconstructed, with the rule that it breaks."""
        medium, p = unit.medium, self.params
        if medium is None or medium.path is None or not medium.has_video or medium.kind != "video":
            raise SkipUnit("no video")
        parts = stretches(medium.path, rows, medium.duration_s, p)
        if not parts:
            raise SkipUnit(f"no shot whose camera moves enough for {p.least_views} pictures")
        seed = int(seeded_fraction(unit.seed, "sfm") * 2**31)
        best: tuple[Stretch, Sparse, Links] | None = None
        refused: list[str] = []
        others: list[int] = []
        for part in parts[: p.tries]:
            tried = self._try(medium.path, part, seed, medium.width or 1)
            if isinstance(tried, str):
                refused.append(tried)
                continue
            made, links = tried
            others += made.others
            if best is None or made.registered > best[1].registered:
                others += [] if best is None else [best[1].registered]
                best = (part, made, links)
            else:
                others.append(made.registered)
        if best is None:
            raise SkipUnit(refused[0])
        notes = {
            "shots_not_tried": note(max(0, len(parts) - p.tries)),
            "shots_refused": note(len(refused)),
            "other_reconstructions": note(len(others)),
            "pictures_of_others": note(sum(others)),
        }
        notes |= {"links_tested": note(best[2].tested), "links_cut": note(best[2].cut)}
        return list(self._rows(unit.unit, *best[:2], notes, (int(medium.width or 0), int(medium.height or 0))))

    def _try(self, path: Any, part: Stretch, seed: int, width: int) -> tuple[Sparse, Links] | str:
        """The reconstruction of a part and what tracking said to it, or the rule that it breaks."""
        p = self.params
        taken = [picture for _, picture in pictures(path, part.times, p.max_side_px)]
        whole = reconstruct(taken, p.colmap, seed, taken[0].shape[1] / width)
        where = f"{part.span.start_s:.2f}..{part.span.end_s:.2f} s"
        if whole is None:
            return f"no two pictures of {where} fit together as views of a static scene"
        links = trusted(whole, taken, p.least_tracked)
        made = only(whole, links.kept)
        for passed, rule in (
            (
                made.registered >= max(3, p.least_registered * len(taken)),
                f"{made.registered} of {len(taken)} pictures of {where} got poses that fit each other ({whole.registered} got "
                f"any), {p.least_registered:.0%} must",
            ),
            (
                made.angle_deg >= p.least_angle_deg,
                f"the camera of {where} hardly changes its place: points are seen under {made.angle_deg:.1f} degrees, "
                f"{p.least_angle_deg:g} are needed",
            ),
            (
                made.explained >= p.least_explained,
                f"{made.explained:.0%} of what is seen in {where} stands still, {p.least_explained:.0%} must",
            ),
            (
                (flat := flat_share(made.points)) <= p.most_flat,
                f"{flat:.0%} of what is seen in {where} lies in one plane, {p.most_flat:.0%} may",
            ),
            (
                made.reprojection_px <= p.most_reprojection_px,
                f"points of {where} are off by {made.reprojection_px:.1f} px, {p.most_reprojection_px:g} are allowed",
            ),
        ):
            if not passed:
                return rule
        return made, links

    def _rows(
        self, media_id: str, part: Stretch, made: Sparse, notes: Mapping[str, Any], size: tuple[int, int]
    ) -> Iterator[Row]:
        p = self.params
        posed = [pose for pose in made.poses if pose is not None]
        world = world_of(made.points, posed, 1 / _unit(made))
        scene_id = derive_id("sfm scene", media_id, part.span.start_s, part.span.end_s)
        yield scene_row(scene_id, "colmap", world, "unit", {**self._checks(made, world), **notes})
        lens = resized(made.intrinsics, made.size, size)
        for t_s, pose in zip(part.times, made.poses, strict=True):
            yield camera_row(scene_id, t_s, size, lens, made.distortion, None if pose is None else world.pose(pose))
        yield from points_rows(world.points(made.points), made.colours)
        if p.sparse_depth:
            for t_s, pose, (which, pixels) in zip(part.times, made.poses, made.seen, strict=True):
                if pose is not None and len(which):
                    z = world.scale * ((made.points[which] - pose[:3, 3]) @ pose[:3, 2])
                    row = depth_values(_map(pixels, z, made.size))
                    yield "depths", {"t_s": t_s, **row, "origin": "reconstructed", "model": "", "metric": False}

    def _checks(self, made: Sparse, world: World) -> dict[str, Any]:
        p = self.params
        checks = {
            "registered": check(made.registered / len(made.poses), p.least_registered, least=True),
            "pictures": note(len(made.poses)),
            "reprojection_px": check(made.reprojection_px, p.most_reprojection_px),
            "angle_deg": check(made.angle_deg, p.least_angle_deg, least=True),
            "explained": check(made.explained, p.least_explained, least=True),
            "flat_share": check(flat_share(made.points), p.most_flat),
            "track_length": check(made.track_length, 2, least=True),
            "distortion_share": check(_bent(made), 0.01),
        }
        if world.gravity is not None:
            checks["gravity_planes"] = check(world.gravity.planes, 2, least=True)
            checks["gravity_from_prior_deg"] = check(world.gravity.prior_deg, 25)
        return checks


def _unit(made: Sparse) -> float:
    """Median depth at which cameras measure points: what a scene without a scale is counted in."""
    depths = [
        (made.points[which] - pose[:3, 3]) @ pose[:3, 2]
        for pose, (which, _) in zip(made.poses, made.seen, strict=True)
        if pose is not None
    ]
    return float(np.median(np.concatenate(depths)))


def _map(pixels: Any, depth: Any, size: tuple[int, int]) -> Any:
    """A map [h, w] with the nearest of the depths in each of its pixels, NaN elsewhere; its longest side at most 320."""
    shrink = min(1.0, _DEPTH_PX / max(size))
    width, height = max(1, round(size[0] * shrink)), max(1, round(size[1] * shrink))
    x = np.clip((pixels[:, 0] * width / size[0]).astype(int), 0, width - 1)
    y = np.clip((pixels[:, 1] * height / size[1]).astype(int), 0, height - 1)
    found = np.full((height, width), np.inf)
    keep = depth > 0
    np.minimum.at(found, (y[keep], x[keep]), depth[keep])
    return np.where(np.isfinite(found), found, np.nan)


def _bent(made: Sparse) -> float:
    """How far the lens moves the corner of the picture, share of its width: what a user of the plain pinhole is off by."""
    if not made.distortion:
        return 0.0
    k1, k2, p1, p2 = made.distortion
    fx, fy, cx, cy = made.intrinsics
    x, y = -cx / fx, -cy / fy
    r = x * x + y * y
    radial = k1 * r + k2 * r * r
    dx, dy = x * radial + 2 * p1 * x * y + p2 * (r + 2 * x * x), y * radial + p1 * (r + 2 * y * y) + 2 * p2 * x * y
    return float(np.hypot(dx * fx, dy * fy) / made.size[0])


ANNOTATOR = CamerasSfm
