"""Whether neighbouring cameras of a reconstruction fit what tracked corners say, and the longest run of those that do.

COLMAP matches features by their looks, and rows of bricks look alike; optical flow follows corners from picture to picture and
cannot jump. Between two neighbours the tracked corners must lie on the epipolar lines of the found poses. Where they do not,
the chain is cut and its longest part kept. Motion along the lines is not seen by this; where nothing can be tracked, the poses
are believed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .colmap import Sparse

Floats = NDArray[np.float64]
NEAR_SHARE = 2 / 640
"""Tracked corners lie this near to their epipolar line, share of the width."""
_FEWEST = 20


@dataclass(frozen=True)
class Links:
    """What tracking said about the neighbours among registered pictures."""

    tested: int
    cut: int
    kept: tuple[int, ...]
    """Pictures of the longest run without a cut."""


def trusted(made: Sparse, pictures: Sequence[NDArray[np.uint8]], least_share: float) -> Links:
    """Neighbours are cut where fewer than `least_share` of their tracked corners fit the poses (Sampson distance)."""
    placed = [i for i, pose in enumerate(made.poses) if pose is not None]
    runs: list[list[int]] = [[placed[0]]] if placed else [[]]
    tested = cut = 0
    for a, b in pairwise(placed):
        before, after = tracked(pictures[a], pictures[b])
        if len(before) >= _FEWEST:
            tested += 1
            first, second = made.poses[a], made.poses[b]
            assert first is not None and second is not None
            off = sampson(before, after, first, second, made.intrinsics)
            if float((off < NEAR_SHARE * made.size[0]).mean()) < least_share:
                cut += 1
                runs.append([])
        runs[-1].append(b)
    longest = max(runs, key=lambda run: len(run))
    return Links(tested, cut, tuple(longest))


def only(made: Sparse, kept: Sequence[int]) -> Sparse:
    """The reconstruction with the poses of some pictures, and the points that at least two of them measured."""
    keep = set(kept)
    counts = np.zeros(len(made.points), np.int64)
    for i in keep:
        counts[np.unique(made.seen[i][0])] += 1
    held = counts >= 2
    number = np.cumsum(held) - 1
    seen = []
    for i, (which, at) in enumerate(made.seen):
        mine = held[which] if i in keep else np.zeros(len(which), bool)
        seen.append((number[which[mine]], at[mine]))
    poses = tuple(pose if i in keep else None for i, pose in enumerate(made.poses))
    return replace(made, poses=poses, points=made.points[held], colours=made.colours[held], seen=tuple(seen))


def tracked(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> tuple[Floats, Floats]:
    """Pixels [n, 2] of corners in both pictures uint8 [h, w, 3], tracked there and back to within a pixel."""
    import cv2

    first, second = (cv2.cvtColor(p, cv2.COLOR_BGR2GRAY) for p in (before, after))
    corners = cv2.goodFeaturesToTrack(first, 400, 0.005, 7)
    if corners is None:
        return np.zeros((0, 2)), np.zeros((0, 2))
    track: Any = cv2.calcOpticalFlowPyrLK
    there, ahead, _ = track(first, second, corners, None, winSize=(21, 21), maxLevel=4)
    again, back, _ = track(second, first, there, None, winSize=(21, 21), maxLevel=4)
    good = (ahead.ravel() > 0) & (back.ravel() > 0)
    good &= np.linalg.norm((again - corners).reshape(-1, 2), axis=1) < 1
    kept = [p.reshape(-1, 2)[good].astype(np.float64) + 0.5 for p in (corners, there)]
    return kept[0], kept[1]


def sampson(before: Floats, after: Floats, first: Floats, second: Floats, intrinsics: Sequence[float]) -> Floats:
    """First-order distance in pixels [n] of pairs of pixels from the epipolar geometry of two camera-to-world poses."""
    fx, fy, cx, cy = intrinsics
    inverse = np.linalg.inv(np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]]))
    turn = second[:3, :3].T @ first[:3, :3]
    x, y, z = second[:3, :3].T @ (first[:3, 3] - second[:3, 3])
    matrix = inverse.T @ np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]]) @ turn @ inverse
    u, v = (np.concatenate([p, np.ones((len(p), 1))], axis=1) for p in (before, after))
    lines, others = u @ matrix.T, v @ matrix
    off = np.abs(np.einsum("nd,nd->n", v, lines))
    return np.asarray(off / np.sqrt((lines[:, :2] ** 2).sum(axis=1) + (others[:, :2] ** 2).sum(axis=1) + 1e-30))
