"""Tables about things in the picture: a track is one object over time, a box is its place at a time, a triple says what
it does or how it stands to another one.

Whatever finds objects (a detector, a tracker, a composer, a person) fills the same two tables, so that relations,
recaptions and triples do not care where boxes come from. A track ends where the object is lost: the same thing seen again
after a cut is another track.
"""

from __future__ import annotations

import pyarrow as pa

from .table import Column, Table
from .tables_annotation import BOX, END, START, T

TRACK = Column("track_id", pa.string(), "the track; derived from content, so that equal input gives equal tracks")

TRACKS = Table(
    "tracks",
    "An object over time.",
    (
        TRACK,
        START,
        END,
        Column("label", pa.string(), "what it is: a common noun in lower case, singular, such as circle"),
        Column("phrase", pa.string(), "how a sentence calls it, without an article: red circle; NULL: the label"),
        Column("attributes_json", pa.string(), "what it is like, by name, such as colour"),
        Column("score", pa.float64(), "certainty that it is one and the same thing of that label, 0..1"),
        Column("object_id", pa.string(), "the object that it shows, shared by tracks of one thing; NULL: its track_id"),
    ),
    ("media_id", "track_id"),
)

BOXES = Table(
    "boxes",
    "Where a tracked object is at a time. Between two boxes of a track that follow closely its place is interpolated.",
    (
        TRACK,
        T,
        *BOX,
        Column("mask", pa.string(), "COCO run-length encoding as JSON with its size; NULL: box alone"),
        Column("visibility", pa.float64(), "share of the object that is in the picture and not hidden; NULL: unknown"),
        Column("area", pa.float64(), "share of the picture's pixels that show it; NULL: unknown"),
        Column(
            "depth_m", pa.float64(), "median distance of these pixels along the camera's z axis; NULL: unknown", "m"
        ),
        Column("truncated", pa.int64(), "sides of the picture that cut it off, 0 to 4; NULL: unknown"),
    ),
    ("media_id", "track_id", "t_s"),
)

TRIPLES = Table(
    "triples",
    "A timed statement: subject, predicate, object. Subject and object are tracks; the status says what boxes say to it.",
    (
        START,
        END,
        Column("subject", pa.string(), "what it is about, as the track is called"),
        Column("predicate", pa.string(), "left of, above, inside, moves left, appears ..., or a model's own words"),
        Column("object_text", pa.string(), "the other thing, as its track is called; '' for a predicate without one"),
        Column("subject_track", pa.string(), "track_id of the subject"),
        Column("object_track", pa.string(), "track_id of the object; '' for a predicate without one"),
        Column("status", pa.string(), "supported, contradicted or unchecked"),
        Column("checked_by", pa.list_(pa.string()), "who spoke: boxes, camera"),
        Column("reason", pa.string(), "what was found"),
        Column("clip_id", pa.string(), "the clip that it was made for"),
        Column("caption_id", pa.string(), "row of `captions` that says it; NULL when none does"),
        Column("request_hash", pa.string(), "the call that proposed it; NULL when it follows from rows alone"),
        Column("model", pa.string(), "model that proposed it; '' when it follows from rows alone"),
    ),
    ("media_id", "clip_id", "start_s", "subject", "subject_track", "predicate", "object_text", "object_track", "model"),
)

OBJECT_TABLES = (TRACKS, BOXES, TRIPLES)
