"""The table of marks: which numeral was drawn on which object, where and when."""

from __future__ import annotations

import pyarrow as pa

from .table import Column, Table
from .tables_annotation import T
from .tables_objects import TRACK
from .tables_spatial import OBJECT

MARKS = Table(
    "marks",
    "A numeral that was drawn on an object in a picture; the same numeral for the same object in all pictures of a medium.",
    (
        T,
        Column("source_t_s", pa.float64(), "the picture's time on the clock of the medium that it was taken from", "s"),
        Column("numeral", pa.int64(), "what is written, from 1"),
        OBJECT,
        TRACK,
        Column("label", pa.string(), "what the object is"),
        Column("phrase", pa.string(), "how a sentence calls it, without an article"),
        Column("x", pa.float64(), "the innermost point of its mask, share of the width"),
        Column("y", pa.float64(), "the innermost point of its mask, share of the height"),
        Column("radius", pa.float64(), "of the disc with the numeral, share of the height"),
    ),
    ("media_id", "numeral", "t_s"),
)

MARK_TABLES = (MARKS,)
