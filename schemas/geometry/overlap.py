"""How much two oriented boxes share: volume of their intersection, and intersection over union.

Exact for boxes in any attitude: the intersection of twelve half spaces is a convex body, whose volume its hull has.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .box3d import Box3D
from .distances import box_box


def _faces(box: Box3D) -> NDArray[np.float64]:
    """Six half spaces `n x + d <= 0` as rows [nx, ny, nz, d]."""
    normals = np.concatenate([box.matrix, -box.matrix])
    return np.column_stack([normals, -(normals @ np.asarray(box.centre)) - np.tile(np.asarray(box.size) / 2, 2)])


def shared_volume(a: Box3D, b: Box3D) -> float:
    """Volume that both boxes hold, cubic metres."""
    from scipy.optimize import linprog
    from scipy.spatial import ConvexHull, HalfspaceIntersection, QhullError

    if box_box(a, b) > 0:
        return 0.0
    planes = np.concatenate([_faces(a), _faces(b)])
    # the centre of the largest ball inside: a point that is surely inside, or nothing at all
    found = linprog(
        [0, 0, 0, -1], A_ub=np.column_stack([planes[:, :3], np.ones(12)]), b_ub=-planes[:, 3], bounds=(None, None)
    )
    if not found.success or found.x[3] <= 1e-9:
        return 0.0
    try:
        return float(ConvexHull(HalfspaceIntersection(planes, found.x[:3]).intersections).volume)
    except QhullError:
        return 0.0


def box_iou(a: Box3D, b: Box3D) -> float:
    """Intersection over union of two boxes, 0..1."""
    shared = shared_volume(a, b)
    union = float(np.prod(a.size) + np.prod(b.size)) - shared
    return min(1.0, shared / union)
