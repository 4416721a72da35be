"""The table of visits: when a walk is in which place."""

from __future__ import annotations

import pyarrow as pa

from .table import Column, Table
from .tables_annotation import END, START
from .tables_spatial import SCENE

PLACE_VISITS = Table(
    "place_visits",
    "A stretch of time that the camera spends in one place. Coming back is another visit of the same place.",
    (
        SCENE,
        START,
        END,
        Column("place_id", pa.string(), "the place: a cell, cluster or polygon; the same for every visit"),
        Column("place", pa.int64(), "number of the place in order of first visits, from 1"),
        Column("visit", pa.int64(), "which visit of this place it is, from 1"),
        Column("method", pa.string(), "cells, clusters or polygons"),
        Column("x", pa.float64(), "mean position of the camera", "m"),
        Column("y", pa.float64(), "mean position of the camera", "m"),
    ),
    ("media_id", "start_s"),
)

PLACE_TABLES = (PLACE_VISITS,)
