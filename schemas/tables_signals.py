"""Tables of signals that come with footage: where it was taken, where somebody looked, and how alike narrations are.

They are labels for training and selection, not questions: each follows from recorded data by rules that can be run again.
"""

from __future__ import annotations

import pyarrow as pa

from .table import Column, Table
from .tables_annotation import END, START, T

GEO_CELLS = Table(
    "geo_cells",
    "Where a medium was taken, as a cell of the globe that holds neither too many nor too few media.",
    (
        Column("cell", pa.string(), "token of the S2 cell; NULL: not labelled, see `reason`"),
        Column(
            "level", pa.int64(), "level of the cell: 0 is a sixth of the globe, each further one a quarter of the last"
        ),
        Column("path", pa.list_(pa.string()), "tokens from level 0 to the cell, each inside the one before"),
        Column("members", pa.int64(), "media with this cell"),
        Column("centre_lat", pa.float64(), "centre of the cell", "degrees"),
        Column("centre_lon", pa.float64(), "centre of the cell", "degrees"),
        Column("mean_lat", pa.float64(), "mean place of its media", "degrees"),
        Column("mean_lon", pa.float64(), "mean place of its media", "degrees"),
        Column("album", pa.string(), "media that were taken by one device, or belong to one group"),
        Column("position", pa.int64(), "place in the album by capture time, from 0; NULL without a capture time"),
        Column("reason", pa.string(), "why it is not labelled: no place, too few ...; NULL when it is"),
    ),
    ("media_id",),
)

NARRATIONS = Table(
    "narrations",
    "What the wearer of a camera does at a time, as a clip with words and classes.",
    (
        Column("narration_id", pa.string(), "hash of medium, time and words"),
        START,
        END,
        Column("at_s", pa.float64(), "the time that was narrated; NULL where the source gives a span", "s"),
        Column("text", pa.string(), "what was narrated"),
        Column(
            "classes", pa.string(), "where its classes are from: source (the annotation) or words (found in the text)"
        ),
        Column("signature", pa.int64(), "its set of classes, a row of `relevance`"),
    ),
    ("media_id", "narration_id"),
)

RELEVANCE = Table(
    "relevance",
    "How alike narrations are, by their sets of classes: a sparse symmetric matrix with ones on its diagonal, row by row.",
    (
        Column("signature", pa.int64(), "the set of classes, its row and column, from 0"),
        Column("verbs", pa.list_(pa.string()), "verb classes, sorted"),
        Column("nouns", pa.list_(pa.string()), "noun classes, sorted"),
        Column("narrations", pa.int64(), "narrations that have it"),
        Column("others", pa.list_(pa.int64()), "signatures that share a class, itself included, ascending"),
        Column("relevance", pa.list_(pa.float64()), "how alike each of them is, above 0 to 1"),
    ),
    ("signature",),
)

FIXATIONS = Table(
    "fixations",
    "Where somebody looked: the eye rests on a point of the picture for a while.",
    (
        Column("observer", pa.string(), "who looked; '' when there is only one"),
        Column("position", pa.int64(), "which fixation of this observer it is, from 0"),
        T,
        Column("duration_s", pa.float64(), "how long the eye rests; NULL: unknown", "s"),
        Column("x", pa.float64(), "share of the width, from the left"),
        Column("y", pa.float64(), "share of the height, from the top"),
    ),
    ("media_id", "observer", "position"),
)

SCANPATHS = Table(
    "scanpaths",
    "Which object each fixation was on: in order of position they are the observer's path over objects.",
    (
        Column("observer", pa.string(), "who looked"),
        Column("position", pa.int64(), "the fixation"),
        T,
        Column("object_id", pa.string(), "the object that was looked at; NULL: none"),
        Column("label", pa.string(), "what it is; NULL: none"),
        Column("track_id", pa.string(), "its track; NULL: none"),
        Column("how", pa.string(), "mask, box, none (beside all objects) or unknown (no boxes at this time)"),
        Column("others", pa.int64(), "further objects whose box holds the point"),
        Column(
            "step",
            pa.int64(),
            "place in the path over objects, from 0: fixations on one object in turn share it; NULL: none",
        ),
    ),
    ("media_id", "observer", "position"),
)

SIGNAL_TABLES = (GEO_CELLS, NARRATIONS, RELEVANCE, FIXATIONS, SCANPATHS)
