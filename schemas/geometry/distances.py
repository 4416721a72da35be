"""Distances between points, boxes and clouds of points, in metres (or the scene's units).

Between boxes the distance is exact: two boxes that no plane separates touch (the fifteen axes of the separating axis theorem),
and of two others the nearest pair of points lies on a corner of one and the other box, or on an edge of each. Everything is
vectorised over pairs; a thousand pairs take some tens of milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .box3d import Box3D

Floats = NDArray[np.float64]
_EDGES = np.array([(a, a | bit) for bit in (4, 2, 1) for a in range(8) if not a & bit])
"""Twelve pairs of corners of `Box3D.corners`: four along each axis."""
_CHUNK = 512
_PARALLEL = 1e-12


def point_box(points: ArrayLike, box: Box3D) -> Floats:
    """Distance of world points [..., 3] to the nearest point of the box, [...]; 0 inside."""
    outside = np.abs(box.to_local(points)) - np.asarray(box.size) / 2
    return np.asarray(np.linalg.norm(np.maximum(outside, 0.0), axis=-1))


def box_box(a: Box3D, b: Box3D) -> float:
    """Smallest distance between two boxes; 0 when they touch or overlap."""
    return float(box_pairs([a], [b])[0])


def box_pairs(first: Sequence[Box3D], second: Sequence[Box3D]) -> Floats:
    """Smallest distance of each pair of boxes, [n]. Raises ValueError when the two lists differ in length."""
    if len(first) != len(second):
        raise ValueError(f"{len(first)} boxes cannot be paired with {len(second)}")
    out = np.zeros(len(first))
    for start in range(0, len(first), _CHUNK):
        part = slice(start, start + _CHUNK)
        out[part] = _pairs(_Batch(first[part]), _Batch(second[part]))
    return out


def box_matrix(boxes: Sequence[Box3D]) -> Floats:
    """Smallest distances between all boxes, [n, n], symmetric with a diagonal of zeros."""
    i, j = np.triu_indices(len(boxes), 1)
    found = box_pairs([boxes[int(k)] for k in i], [boxes[int(k)] for k in j])
    out = np.zeros((len(boxes), len(boxes)))
    out[i, j] = out[j, i] = found
    return out


def box_box_sampled(a: Box3D, b: Box3D, step_m: float = 0.05) -> float:
    """Smallest distance between grids of points on two boxes: how VLM-3R's data were made, for comparison only.

    `ceil(length / step_m)` points along each axis with both faces, so that an axis shorter than a step is its lower face alone;
    points in the middle half of all three axes are left out. Too large by up to a step, more for thin boxes.
    """
    return cloud_cloud(_grid(a, step_m), _grid(b, step_m))


def cloud_cloud(p: ArrayLike, q: ArrayLike) -> float:
    """Smallest distance between two clouds of points [n, 3] and [m, 3]. Raises ValueError for an empty one."""
    return float(_nearest(p, q).min())


def cloud_cloud_robust(p: ArrayLike, q: ArrayLike, percentile: float = 1.0) -> float:
    """A low percentile of the distances to the nearest point of the other cloud, instead of their minimum.

    The larger one of both directions, so that it is symmetric and a stray point near the other cloud does not decide.
    """
    return max(float(np.percentile(_nearest(p, q), percentile)), float(np.percentile(_nearest(q, p), percentile)))


def _nearest(p: ArrayLike, q: ArrayLike) -> Floats:
    from scipy.spatial import cKDTree

    these, those = np.asarray(p, np.float64).reshape(-1, 3), np.asarray(q, np.float64).reshape(-1, 3)
    if not len(these) or not len(those):
        raise ValueError(f"no distance between clouds of {len(these)} and {len(those)} points; both need at least one")
    found, _ = cKDTree(those).query(these)
    return np.asarray(found, np.float64)


def _grid(box: Box3D, step_m: float) -> Floats:
    # a hair below the quotient, so that 0.3 / 0.05 is 6 as in decimal
    lines = [np.linspace(-s / 2, s / 2, max(1, int(np.ceil(s / step_m - 1e-9)))) for s in box.size]
    grid = np.stack(np.meshgrid(*lines, indexing="ij"), -1).reshape(-1, 3)
    kept = grid[(np.abs(grid) > np.asarray(box.size) / 4).any(axis=1)]
    return np.asarray(kept @ box.matrix + np.asarray(box.centre))


class _Batch:
    """Boxes as arrays: centres [n, 3], axes [n, 3, 3] as rows, half lengths [n, 3], corners [n, 8, 3]."""

    def __init__(self, boxes: Sequence[Box3D]) -> None:
        self.centres = np.array([b.centre for b in boxes], np.float64).reshape(-1, 3)
        self.axes = np.array([b.axes for b in boxes], np.float64).reshape(-1, 3, 3)
        self.halves = np.array([b.size for b in boxes], np.float64).reshape(-1, 3) / 2
        self.corners = np.array([b.corners for b in boxes], np.float64).reshape(-1, 8, 3)


def _pairs(a: _Batch, b: _Batch) -> Floats:
    apart = _separated(a, b)
    corners = np.minimum(_corners_to_boxes(a, b), _corners_to_boxes(b, a))
    return np.asarray(np.where(apart, np.minimum(corners, _edges_to_edges(a.corners, b.corners)), 0.0))


def _separated(a: _Batch, b: _Batch) -> NDArray[np.bool_]:
    """Which pairs a plane separates (S. Gottschalk et al., OBBTree, 1996)."""
    crossed = np.cross(a.axes[:, :, None, :], b.axes[:, None, :, :]).reshape(-1, 9, 3)
    length = np.linalg.norm(crossed, axis=-1, keepdims=True)
    crossed = np.where(length > 1e-9, crossed / np.maximum(length, 1e-9), 0.0)
    lines = np.concatenate([a.axes, b.axes, crossed], axis=1)
    between = np.abs(np.einsum("nlk,nk->nl", lines, b.centres - a.centres))
    reach = sum(
        np.einsum("nli,ni->nl", np.abs(np.einsum("nlk,nik->nli", lines, box.axes)), box.halves) for box in (a, b)
    )
    return np.asarray((between > reach).any(axis=1))


def _corners_to_boxes(a: _Batch, b: _Batch) -> Floats:
    local = np.einsum("nck,nik->nci", a.corners - b.centres[:, None], b.axes)
    outside = np.maximum(np.abs(local) - b.halves[:, None], 0.0)
    return np.asarray(np.linalg.norm(outside, axis=-1).min(axis=1))


def _edges_to_edges(a: Floats, b: Floats) -> Floats:
    """Nearest of the 144 pairs of edges of two boxes given by corners [n, 8, 3] (C. Ericson, Real-Time Collision Detection)."""
    p, q = a[:, _EDGES[:, 0], None], b[:, None, _EDGES[:, 0]]
    u, v, r = a[:, _EDGES[:, 1], None] - p, b[:, None, _EDGES[:, 1]] - q, p - q
    uu, vv, uv = (u * u).sum(-1), (v * v).sum(-1), (u * v).sum(-1)
    ur, vr = (u * r).sum(-1), (v * r).sum(-1)
    crossing = uu * vv - uv * uv
    # parallel edges: any place will do, since the corners are measured as well
    skew = crossing > _PARALLEL * uu * vv
    s = np.where(skew, np.clip((uv * vr - ur * vv) / np.where(skew, crossing, 1.0), 0.0, 1.0), 0.0)
    t = np.clip((uv * s + vr) / vv, 0.0, 1.0)
    s = np.clip((uv * t - ur) / uu, 0.0, 1.0)
    between = np.linalg.norm(r + s[..., None] * u - t[..., None] * v, axis=-1)
    return np.asarray(between.reshape(len(a), -1).min(axis=1))
