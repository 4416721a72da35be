"""What is probably wrong with a scan that fails a check: every convention is tried the other way round, one at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from .checks import Check, Checker, Limits
from .scan import Scan

LEAST_SCENE_M = 1.5
"""A scene is no smaller: in a speck every distance would pass."""

_CAUSES: dict[str, Callable[[Any], str]] = {
    "pose_kind": lambda v: "poses are world-to-camera" if v == "w2c" else "poses are camera-to-world",
    "camera_axes": lambda v: f"camera axes are {'OpenGL (y up, looking along -z)' if v == 'opengl' else 'OpenCV (y down)'}",
    "depth_per_m": lambda v: f"depth maps count {v:g} steps per metre",
    "depth_kind": lambda v: "depth is the length of the ray" if v == "ray" else "depth is along the camera's z axis",
    "box_axes": lambda v: f"the {v} of a box's nine numbers are its axes",
    "box_lengths": lambda v: f"boxes list {v} lengths",
    "mask_offset": lambda v: f"masks number objects from {v}" if v else "masks number objects as the scan does",
    "align": lambda v: {
        "both": "mesh and poses both need the scan's alignment matrix", "none": "mesh and poses are aligned already",
    }.get(v, f"the alignment matrix belongs to {v} alone"),
    "world_up": lambda v: f"the world's vertical is {v}",
    "metres_per_unit": lambda v: f"mesh, boxes and poses count {v:g} m",
    "intrinsics_size": lambda v: f"intrinsics are of a picture of {v[0]}x{v[1]} and were not scaled",
}  # fmt: skip


def checked(scan: Scan, limits: Limits | None = None) -> tuple[list[Check], str | None]:
    """The checks of a scan, and why it must not be used; None where all that can be made pass."""
    checker = Checker(scan, limits or Limits())
    checks = checker.run()
    failed = next((c for c in checks if c.passed is False), None)
    return checks, None if failed is None else _why(checker, failed, checks)


def _why(checker: Checker, failed: Check, checks: list[Check]) -> str:
    """What a failing scan is told: the check, what it measured, its limit, and what would mend it."""
    first = f"self-check {failed.name} failed: {failed.says}"
    if failed.limit is not None:
        first += f" (limit {failed.limit:g})"
    names = {c.name for c in checks if c.passed is False}
    mends: list[tuple[str, Any]] = []
    for name, value, other in checker.scan.conventions.others():
        if _may_mend(checker.scan, name, value, names) and checker.passes(other):
            mends.append((name, value))
    mends += [("intrinsics_size", list(size)) for size in _sizes(checker, names)]
    if not mends:
        others = ", ".join(sorted(names - {failed.name}))
        also = f"; also failed: {others}" if others else ""
        return f"{first}{also}; no single change of convention mends it: is the scan whole, and are all its parts of one version?"
    name, value = mends[0]
    further = [f"{n}: {v}" for n, v in mends[1:]]
    rest = f" (it would also pass with {', '.join(further)})" if further else ""
    return f"{first}: {_CAUSES[name](value)}; set {name}: {value}{rest}"


def _may_mend(scan: Scan, name: str, value: Any, failed: set[str]) -> bool:
    if name == "align":
        return scan.alignment is not None
    if name == "box_lengths" and not any(i.vertices is not None and len(i.vertices) for i in scan.items):
        return False  # boxes alone do not show their lengths
    if name in ("box_axes", "box_lengths"):
        return "boxes" in failed
    if name == "mask_offset":
        return "masks" in failed
    if name in ("depth_per_m", "depth_kind"):
        return "depth" in failed
    if name == "metres_per_unit":
        return scan.mesh is not None and float(np.ptp(scan.mesh.vertices, axis=0).max()) * value >= LEAST_SCENE_M
    return name != "world_up" or bool(failed & {"floor", "inside"})


def _sizes(checker: Checker, failed: set[str]) -> list[tuple[int, int]]:
    """A picture size that the intrinsics may be of, by their principal point, where that mends the scan."""
    if not failed & {"depth", "masks", "reprojection"} or not checker.frames:
        return []
    frame = checker.frames[0]
    _, _, cx, cy = frame.k
    found = []
    for width in {round(2 * cx), round(2 * cx / 10) * 10, *(round(frame.size[0] * f) for f in (0.5, 2, 4, 7.5))}:
        size = width, round(width * frame.size[1] / frame.size[0])
        likely = width > 0 and abs(width / frame.size[0] - 1) > 0.05 and abs(2 * cy / size[1] - 1) < 0.2
        if likely and checker.passes(replace(checker.scan.conventions, intrinsics_size=size)):
            found.append(size)
    return sorted(found, key=lambda s: abs(s[0] - 2 * cx))[:1]
