"""Checks that a scan means what its importer takes it to mean.

Each check measures one thing that a wrong convention breaks and compares it with a limit: rotations that are rotations, the
mesh where the depth maps say, cameras inside the scene, a level floor, objects inside their boxes, masks on the objects that
they number. `mending` says what is probably wrong where one fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...schemas.evenly import evenly
from ...schemas.geometry.camera import Camera
from ...schemas.geometry.visibility import in_picture
from .casting import MeshCaster
from .conventions import Conventions, Floats
from .floor import floor_of
from .sampling import item_points, surface_points
from .scan import Frame, Scan


@dataclass(frozen=True)
class Limits:
    """What still passes; defaults of the published rules."""

    depth_m: float = 0.05
    depth_share: float = 0.03
    """In place of `depth_m` where the scale is unknown."""
    outside_m: float = 0.5
    inside_percent: float = 95.0
    """So many percent of the cameras may be no farther outside: a scan may begin in the doorway."""
    floor_deg: float = 5.0
    camera_up_deg: float = 60.0
    inside_share: float = 0.95
    box_slack_m: float = 0.05
    fill_share: float = 0.6
    """Least share of its longest side that an object's vertices take of its box, middle object."""
    mask_share: float = 0.60
    in_view_share: float = 0.5
    frames: int = 8
    """Frames that are looked at, evenly spread."""


@dataclass(frozen=True)
class Check:
    """One check of one scan."""

    name: str
    passed: bool | None
    """None: it cannot be made of what the scan holds."""
    value: float | None
    limit: float | None
    says: str
    """What was measured, in words, or why it was not."""

    def told(self) -> dict[str, Any]:
        """For `scenes.checks_json`."""
        return {"passed": self.passed, "value": self.value, "limit": self.limit, "says": self.says}


class Checker:
    """The checks of a scan; what is read from files is read once, also when other conventions are tried."""

    def __init__(self, scan: Scan, limits: Limits) -> None:
        self.scan, self.limits = scan, limits
        self._casters: dict[tuple[bytes, float], MeshCaster] = {}
        posed = [f for f in scan.frames if scan.camera(f) is not None]
        rich = [f for f in posed if f.depth is not None or f.mask is not None]
        self.frames = tuple(_Kept(f).frame for f in evenly(rich or posed, limits.frames))

    def run(self, conventions: Conventions | None = None) -> list[Check]:
        """All checks, under the scan's conventions or others."""
        return list(self.each(self.scan if conventions is None else self.scan.read_as(conventions)))

    def each(self, scan: Scan) -> Iterator[Check]:
        """The checks one after the other, the quick ones first."""
        for check in (
            self.handedness,
            self.inside,
            self.in_view,
            self.floor,
            self.boxes,
            self.depth,
            self.reprojection,
            self.masks,
        ):
            yield check(scan)

    def passes(self, conventions: Conventions) -> bool:
        """Whether no check fails under these conventions."""
        return all(check.passed is not False for check in self.each(self.scan.read_as(conventions)))

    def _cast(self, scan: Scan) -> MeshCaster | None:
        """Rays against the mesh in our world, kept for the conventions that put it there; None without faces."""
        if scan.mesh is None or scan.mesh.faces is None or not len(scan.mesh.faces):
            return None
        key = scan.world("cloud").tobytes(), scan.conventions.metres_per_unit
        if key not in self._casters:
            self._casters[key] = MeshCaster(scan.points(scan.mesh.vertices), scan.mesh.faces)
        return self._casters[key]

    def handedness(self, scan: Scan) -> Check:
        """Rotations have determinant +1 and are orthonormal."""
        worst, which, posed = 0.0, "", 0
        for frame in scan.frames:
            rotation = scan.rotation_of(frame)
            if rotation is not None:
                posed += 1
                off = max(
                    float(np.abs(rotation @ rotation.T - np.eye(3)).max()), abs(float(np.linalg.det(rotation)) - 1)
                )
                if off > worst:
                    worst, which = off, f"frame {frame.name} (determinant {np.linalg.det(rotation):+.3f})"
        if not posed:
            return Check("handedness", False, None, 0.005, "no frame has a pose")
        says = f"rotations are off by {worst:.4f}" + (f" at {which}" if which else "")
        return Check("handedness", worst <= 5e-3, worst, 0.005, says)

    def depth(self, scan: Scan) -> Check:
        """Rays through depth pixels meet the mesh where the map says."""
        world = self._cast(scan)
        maps = [f for f in self.frames if f.depth is not None]
        if world is None or not maps:
            return Check("depth", None, None, None, "no mesh" if world is None else "no depth maps")
        metric = scan.scale_status != "unit"
        limit = self.limits.depth_m if metric else self.limits.depth_share
        errors, missed, count = [], 0, 0
        for frame in maps:
            measured, camera = scan.depth(frame), scan.camera(frame)
            assert measured is not None and camera is not None
            height, width = measured.shape
            rows, columns = np.nonzero(measured)
            if not len(rows):
                continue
            chosen = np.unique(np.linspace(0, len(rows) - 1, 400).astype(np.int64))
            rows, columns = rows[chosen], columns[chosen]
            pixels = np.stack([(columns + 0.5) * camera.width / width, (rows + 0.5) * camera.height / height], axis=1)
            met = world.depth(camera, pixels)
            count += len(met)
            missed += int((met <= 0).sum())
            off = np.abs(met - measured[rows, columns])[met > 0]
            errors.append(off if metric else off / measured[rows, columns][met > 0])
        if not count:
            return Check("depth", False, None, limit, "no depth map knows a single depth")
        every = np.concatenate([*errors, np.full(missed if missed > count / 2 else 0, np.inf)])
        value = float(np.median(every)) if len(every) else float("inf")
        if not np.isfinite(value):
            return Check("depth", False, None, limit, f"{missed / count:.0%} of the depth pixels look past the mesh")
        said = f"{value * 100:.1f} cm" if metric else f"{value:.1%}"
        return Check("depth", value <= limit, value, limit, f"depth maps and mesh lie {said} apart in the middle")

    def reprojection(self, scan: Scan) -> Check:
        """Points that a source says a pixel shows are there."""
        limit, errors = self.limits.depth_share, []
        for frame in evenly([f for f in scan.frames if f.observed is not None], self.limits.frames):
            camera = scan.camera(frame)
            if camera is not None and frame.observed is not None:
                pixels, points = frame.observed
                found, _ = camera.project(scan.points(points))
                off = np.linalg.norm(found - pixels, axis=1) / camera.width
                errors.append(np.where(np.isfinite(off), off, np.inf))
        if not errors:
            return Check("reprojection", None, None, None, "the source does not say which points its pixels show")
        value = float(np.median(np.concatenate(errors)))
        if not np.isfinite(value):
            return Check("reprojection", False, None, limit, "the points that pixels show lie behind their cameras")
        says = f"points lie {value:.1%} of the picture's width from the pixels that show them in the middle"
        return Check("reprojection", value <= limit, value, limit, says)

    def inside(self, scan: Scan) -> Check:
        """Cameras stand inside the scene."""
        if not scan.indoor or scan.mesh is None:
            return Check(
                "inside", None, None, None, "no mesh" if scan.indoor else "cameras may stand around what they film"
            )
        points = scan.points(scan.mesh.vertices)
        low, high = points.min(axis=0), points.max(axis=0)
        centres = [c.centre for c in map(scan.camera, scan.frames) if c is not None]
        if not centres:
            return Check("inside", False, None, self.limits.outside_m, "no frame has a pose")
        out = np.maximum(np.maximum(low - centres, np.asarray(centres) - high), 0).max(axis=1)
        value = float(np.percentile(out, self.limits.inside_percent))
        share = float((out > self.limits.outside_m).mean())
        says = f"camera centres lie {value:.1f} m outside the scene ({share:.0%} of them beyond {self.limits.outside_m:g} m)"
        return Check("inside", value <= self.limits.outside_m, value, self.limits.outside_m, says)

    def floor(self, scan: Scan) -> Check:
        """The floor is level and cameras are held upright."""
        limits = self.limits
        if scan.world_up == "unknown":
            return Check("floor", None, None, None, "the source does not say what is up")
        ups = [-c.rotation[:, 1] for c in map(scan.camera, scan.frames) if c is not None]
        if ups:
            mean = np.mean(ups, axis=0)
            length = float(np.linalg.norm(mean))
            lean = float(np.degrees(np.arccos(np.clip(mean[2] / length, -1, 1)))) if length > 0.2 else 0.0
            if lean > limits.camera_up_deg:
                axis = int(np.argmax(np.abs(mean)))
                up = f"{'+' if mean[axis] > 0 else '-'}{'xyz'[axis]}"
                says = f"upright pictures point along {up} of the world, {lean:.0f} degrees from +z"
                return Check("floor", False, lean, limits.camera_up_deg, says)
        if scan.mesh is None:
            return Check("floor", None, None, None, "no mesh")
        found = floor_of(surface_points(scan.points(scan.mesh.vertices), scan.mesh.faces, 5000))
        if found is None:
            return Check("floor", None, None, None, "no floor is found in the scan")
        value = found.tilt_deg
        says = f"the floor leans {value:.1f} degrees"
        return Check("floor", value <= limits.floor_deg, value, limits.floor_deg, says)

    def boxes(self, scan: Scan) -> Check:
        """Objects lie in their boxes and fill them."""
        limits = self.limits
        held, total, fills, around = 0, 0, [], 0
        cloud = None
        for item in scan.items:
            if item.box is None:
                continue
            try:
                box = scan.box_of(item)
            except ValueError as error:
                return Check(
                    "boxes", False, None, limits.inside_share, f"object {item.number} ({item.label_raw}): {error}"
                )
            assert box is not None
            points = scan.vertices_of(item)
            if points is None:
                if cloud is None and scan.mesh is not None:
                    cloud = surface_points(scan.points(scan.mesh.vertices), scan.mesh.faces, 40000)
                around += 1
                continue
            held += int(box.contains(points, limits.box_slack_m).sum())
            total += len(points)
            local = box.to_local(points)
            longest = int(np.argmax(box.size))
            fills.append(float(np.ptp(local[:, longest]) / box.size[longest]))
        if total:
            value = held / total
            fill = float(np.median(fills))
            if value >= limits.inside_share and fill < limits.fill_share:
                says = f"objects take {fill:.0%} of the longest side of their boxes in the middle"
                return Check("boxes", False, fill, limits.fill_share, says)
            says = f"{value:.1%} of the objects' vertices lie in their boxes"
            return Check("boxes", value >= limits.inside_share, value, limits.inside_share, says)
        if around and cloud is not None:
            return self._boxes_around(scan, cloud)
        return Check("boxes", None, None, None, "the source gives no boxes with their vertices")

    def _boxes_around(self, scan: Scan, cloud: Floats) -> Check:
        """Without objects in the mesh: of what lies in a box read either way, most lies in the one that is used.

        Boxes that look the same both ways say nothing.
        """
        other = scan.read_as(next(c for name, _, c in scan.conventions.others() if name == "box_axes"))
        mine, theirs = 0, 0
        for item in scan.items:
            box, turned = scan.box_of(item), other.box_of(item)
            assert box is not None and turned is not None
            a, b = box.contains(cloud), turned.contains(cloud)
            mine, theirs = mine + int((a & ~b).sum()), theirs + int((b & ~a).sum())
        if mine + theirs < 50:
            return Check("boxes", None, None, None, "boxes look the same whether rows or columns are their axes")
        value = mine / (mine + theirs)
        says = f"of the surface that only one reading of the boxes holds, this one holds {value:.0%}"
        return Check("boxes", value >= 0.5, value, 0.5, says)

    def masks(self, scan: Scan) -> Check:
        """What a mask numbers at a pixel is what the mesh has there."""
        world = self._cast(scan)
        frames = [f for f in self.frames if f.mask is not None]
        labelled = [i for i in scan.items if i.vertices is not None and len(i.vertices)]
        if not frames or not labelled or scan.mesh is None:
            return Check("masks", None, None, None, "no masks" if not frames else "no vertices of objects")
        agreed, count = 0, 0
        surfaces = [item_points(scan, i, 200) for i in labelled]
        points = np.concatenate(surfaces)
        owner = np.concatenate([np.full(len(p), i.number) for p, i in zip(surfaces, labelled, strict=True)])
        for frame in frames:
            camera, numbers = scan.camera(frame), scan.numbers(frame)
            assert camera is not None and numbers is not None
            shown = _shown(camera, points, world, scan.depth(frame))
            pixels, _ = camera.project(points[shown])
            height, width = numbers.shape
            column = (pixels[:, 0] * width / camera.width).astype(np.int64).clip(0, width - 1)
            row = (pixels[:, 1] * height / camera.height).astype(np.int64).clip(0, height - 1)
            agreed += int((numbers[row, column] == owner[shown]).sum())
            count += len(row)
        if count < 50:
            return Check(
                "masks", False, None, self.limits.mask_share, "hardly any object is in the pictures by its pose"
            )
        value = agreed / count
        says = f"{value:.0%} of the visible points of objects lie on the mask of that object"
        return Check("masks", value >= self.limits.mask_share, value, self.limits.mask_share, says)

    def in_view(self, scan: Scan) -> Check:
        """Cameras look at the scene, not away from it."""
        if scan.mesh is None:
            return Check("in_view", None, None, None, "no mesh")
        points = surface_points(scan.points(scan.mesh.vertices), None, 4000)
        cameras = [c for c in (scan.camera(f) for f in evenly(scan.frames, 40)) if c is not None]
        if not cameras:
            return Check("in_view", False, None, self.limits.in_view_share, "no frame has a pose")
        value = float(np.mean([in_picture(c, c.project(points)[0]).mean() > 0.005 for c in cameras]))
        says = f"{value:.0%} of the cameras have the scene in front of them"
        return Check("in_view", value >= self.limits.in_view_share, value, self.limits.in_view_share, says)


class _Kept:
    """A frame whose depth and mask are read once."""

    def __init__(self, frame: Frame) -> None:
        self._read: dict[str, Any] = {}
        self.frame = replace(
            frame,
            depth=None if frame.depth is None else partial(self._once, "depth", frame.depth),
            mask=None if frame.mask is None else partial(self._once, "mask", frame.mask),
        )

    def _once(self, what: str, read: Callable[[], Any]) -> Any:
        if what not in self._read:
            self._read[what] = read()
        return self._read[what]


def _shown(camera: Camera, points: Floats, world: MeshCaster | None, depth: Floats | None) -> NDArray[np.bool_]:
    """Which points are in the picture and hidden by nothing that the mesh or the depth map shows."""
    pixels, z = camera.project(points)
    inside = in_picture(camera, pixels)
    met = np.zeros(len(points))
    if world is not None:
        met[inside] = world.depth(camera, pixels[inside])
    elif depth is not None:
        height, width = depth.shape
        at = np.where(inside[:, None], pixels, 0.0) * [width / camera.width, height / camera.height]
        column, row = np.minimum(at.astype(np.int64), [width - 1, height - 1]).T
        met = depth[row, column]
    else:
        return inside
    return inside & (met > 0) & (np.abs(z - met) <= 0.05)
