"""Tables of a scene's memory of features: few vectors that stand for all that was seen, and where in the scene each was seen.

After M3 (spatial memory of foundation-model features): vectors of parts of posed pictures, reduced to components by a cosine
cover, each component kept with the cells of space whose surface looks like it.
"""

from __future__ import annotations

import pyarrow as pa

from .table import Column, Table
from .tables_annotation import T
from .tables_spatial import SCENE

_ENCODER = Column("encoder", pa.string(), "model that made the vectors")

FEATURE_MEMORY = Table(
    "feature_memory",
    "A component of a scene's memory: a vector that stands for all within reach of it, and the cells that look like it.",
    (
        SCENE,
        _ENCODER,
        Column("component", pa.int64(), "its number, 0 first"),
        Column("vector", pa.list_(pa.float32()), "the vector, L2-normalised"),
        Column("sources", pa.int64(), "vectors that it stands for: those nearest to it"),
        Column("second_pass", pa.bool_(), "whether it was added for vectors that the first pass left uncovered"),
        Column("cells", pa.list_(pa.int64()), "Morton keys of the cells that it was seen in"),
        Column("counts", pa.list_(pa.int64()), "vectors of it in each of these cells"),
        Column("origin", pa.list_(pa.float64()), "corner x y z that cells are counted from, world frame", "m"),
        Column("edge_m", pa.float64(), "edge of a cell, metres or units of the scene", "m"),
    ),
    ("media_id", "encoder", "component"),
)

FEATURE_VIEWS = Table(
    "feature_views",
    "The parts of a posed picture whose vectors went into a scene's memory, with the surface points that they show.",
    (
        SCENE,
        _ENCODER,
        T,
        Column("x", pa.list_(pa.float32()), "centre of each part, share of the width"),
        Column("y", pa.list_(pa.float32()), "centre of each part, share of the height"),
        Column("xyz", pa.list_(pa.float32()), "the surface point there, x y z x y z ... in the world frame", "m"),
        Column("component", pa.list_(pa.int64()), "the component that stands for each part"),
        Column("cosine", pa.list_(pa.float32()), "cosine of each part's vector and its component's"),
        Column("cross_px", pa.float64(), "median distance of points after a trip through the next picture", "px"),
        Column("cross_points", pa.int64(), "points that the next picture sees as well"),
        Column("cross_cosine", pa.float64(), "mean cosine of vectors of the same point in both pictures; NULL: none"),
    ),
    ("media_id", "encoder", "t_s"),
)

FEATURE_TABLES = (FEATURE_MEMORY, FEATURE_VIEWS)
