"""Area of a floor: of a polygon, or of a cloud of points by its alpha shape.

Delaunay triangles whose circumscribed circle is smaller than 1/alpha belong to the shape; all parts of it count, except ghosts
of mirrors and windows, which hold few points. The area is that of the scanned floor with what stands on it, not the legal one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FloorArea:
    """An area and what it rests on."""

    area_m2: float
    density_per_m2: float
    """Points per square metre of the rectangle around them, after drawing."""
    parts: int
    """Parts that count."""
    dropped_points: int
    """Points of parts that were too small to count."""

    def dense(self, least_per_m2: float = 125.0) -> bool:
        """Whether there are points enough to trust it: sparse ones leave holes and make the area too small."""
        return self.density_per_m2 >= least_per_m2


def polygon_area(polygon: ArrayLike) -> float:
    """Area of a simple polygon x y x y ... or [n, 2]; not signed."""
    x, y = np.asarray(polygon, np.float64).reshape(-1, 2).T
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)


def floor_area(
    points: ArrayLike,
    *,
    alpha: float = 5.0,
    least_per_m2: float = 125.0,
    least_points: int = 10_000,
    least_share: float = 0.02,
    seed: int = 0,
) -> FloorArea:
    """Area of the alpha shape of points [n, 2 or 3] seen from above, metres, z vertical.

    Of more points than `least_points` and `least_per_m2` of their rectangle that many are drawn, without replacement, by `seed`.
    Parts with less than `least_share` of the points are dropped. Thresholds: VSI-Bench's alpha and number, our density and
    ghosts. Raises ValueError for fewer than three points or points on one line.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import Delaunay, QhullError

    every = np.asarray(points, np.float64)
    every = every.reshape(-1, every.shape[-1])[:, :2]
    if len(every) < 3:
        raise ValueError(f"{len(every)} points have no area; at least three are needed")
    rectangle = float(np.prod(np.ptp(every, axis=0)))
    wanted = max(least_points, int(np.ceil(least_per_m2 * rectangle)))
    if len(every) > wanted:
        every = every[np.sort(np.random.default_rng(seed).choice(len(every), wanted, replace=False))]
    try:
        found = Delaunay(every)
    except QhullError as error:
        raise ValueError("the points lie on one line, so they have no area") from error
    corners = every[found.simplices]
    sides = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2)
    u, v = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    areas = np.abs(u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]) / 2
    with np.errstate(divide="ignore"):
        inside = sides.prod(axis=1) / (4 * areas) < 1 / alpha
    # parts are joined by common points, so that a part's share of the points is known at once
    kept = found.simplices[inside]
    joined = np.concatenate([kept[:, :2], kept[:, 1:]])
    links = coo_matrix((np.ones(len(joined)), (joined[:, 0], joined[:, 1])), shape=(len(every),) * 2)
    _, part = connected_components(links, directed=False)
    sizes = np.bincount(part)
    counts = sizes >= least_share * len(every)
    of_kept = part[kept[:, 0]] if len(kept) else np.zeros(0, np.int64)
    dropped = int(sizes[~counts].sum())
    area = float(areas[inside][counts[of_kept]].sum())
    return FloorArea(area, len(every) / rectangle, len(np.unique(of_kept[counts[of_kept]])), dropped)
