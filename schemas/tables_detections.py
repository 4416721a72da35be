"""Tables about finding things: what a detector sees, crops and vectors of objects, prompts for masks, features of several experts.

A detection is of one picture; `tracks` and `boxes` are made of them. How well a query fits a picture at best is kept even where
nothing was found, so that absence can be claimed. Features are keyed by the hash of the picture and the digest of the weights:
a picture that comes again in a medium is not encoded again, and never taken for one of another revision.
"""

from __future__ import annotations

import pyarrow as pa

from .table import Column, Table
from .tables_annotation import BOX, T
from .tables_objects import TRACK

_QUERY = Column("query", pa.string(), "what was looked for")
_MODEL = Column("model", pa.string(), "detector and weights")
_DIMENSION = Column("dimension", pa.int64(), "length of the vector")

DETECTIONS = Table(
    "detections",
    "What a detector sees in one picture.",
    (
        T,
        _QUERY,
        Column("number", pa.int64(), "0, 1, ... best first, of this query in this picture"),
        Column("label", pa.string(), "the common noun that the query stands for, lower case"),
        *BOX,
        Column("score", pa.float64(), "the detector's own certainty, 0..1; not calibrated"),
        _MODEL,
    ),
    ("media_id", "model", "t_s", "query", "number"),
)

DETECTION_SCORES = Table(
    "detection_scores",
    "How well a query fits a picture at best, also where that is below the detector's threshold: what absence rests on.",
    (
        T,
        _QUERY,
        Column("label", pa.string(), "the common noun that the query stands for, lower case"),
        Column("best", pa.float64(), "highest score of any region; 0: no region was scored"),
        Column("found", pa.int64(), "detections that were kept"),
        _MODEL,
    ),
    ("media_id", "model", "t_s", "query"),
)

OBJECT_CROPS = Table(
    "object_crops",
    "A picture of an object, cut out of a frame where it is clearest.",
    (
        TRACK,
        T,
        Column("crop_set", pa.string(), "which set: margin, size and quality"),
        Column("object_id", pa.string(), "the object that the track shows"),
        *BOX,
        Column("width", pa.int64(), "width of the crop", "px"),
        Column("height", pa.int64(), "height of the crop", "px"),
        Column("jpeg", pa.binary(), "JPEG bytes"),
    ),
    ("media_id", "crop_set", "track_id", "t_s"),
)

OBJECT_EMBEDDINGS = Table(
    "object_embeddings",
    "What a track looks like: the mean vector of its crops, L2-normalised.",
    (
        TRACK,
        Column("object_id", pa.string(), "the object that the track shows"),
        Column("label", pa.string(), "of the track; '' where it is not known"),
        Column("model", pa.string(), "model and weights"),
        _DIMENSION,
        Column("vector", pa.list_(pa.float32()), "the vector"),
        Column("crops", pa.int64(), "crops that it is the mean of"),
        Column("agreement", pa.float64(), "length of the mean before it was normalised: 1 when all crops look alike"),
    ),
    ("media_id", "model", "track_id"),
)

MASK_PROMPTS = Table(
    "mask_prompts",
    "Prompts for one object of a short clip, with the masks that they ask for (promptable video segmentation).",
    (
        TRACK,
        Column("object_id", pa.string(), "the object"),
        Column("clip", pa.int64(), "0, 1, ... of this track"),
        Column("obj", pa.int64(), "number of the object in its clip, from 1"),
        Column("kind", pa.string(), "how it is pointed at first: mask, box or point"),
        Column("times", pa.list_(pa.float64()), "times of the masks, in order", "s"),
        Column("masks", pa.list_(pa.string()), "a COCO mask per time; an empty one where the object is not seen"),
        Column("hidden", pa.int64(), "how many of them are empty"),
        Column(
            "prompts_json",
            pa.string(),
            "prompts in order: {frame, type, mask | box | point, positive}; boxes and points in pixels of the masks",
        ),
        Column("clicks", pa.int64(), "correction clicks among them"),
        Column("line_json", pa.string(), "all of it as a line of the export: video_id, obj_id, frames, masks, prompts"),
    ),
    ("media_id", "track_id", "clip"),
)

FRAME_FEATURES = Table(
    "frame_features",
    "What a frozen encoder makes of a picture; equal pictures of a medium share one hash, and are encoded once.",
    (
        T,
        Column("frame_hash", pa.string(), "hash of the picture's bytes"),
        Column("encoder", pa.string(), "name of the encoder"),
        Column("revision", pa.string(), "digest of weights and preparation"),
        Column("tokens", pa.int64(), "vectors per picture"),
        _DIMENSION,
        Column("vector", pa.list_(pa.float32()), "tokens x dimension, one token after the other"),
    ),
    ("media_id", "encoder", "revision", "t_s"),
)

EXPERT_PLANS = Table(
    "expert_plans",
    "Which positions of a language model's context the features of an expert take, over the one index of frames that all share.",
    (
        Column("expert", pa.string(), "the expert: producer of its features"),
        Column("encoder", pa.string(), "its encoder"),
        Column("revision", pa.string(), "digest of weights and preparation"),
        Column("frame_index", pa.string(), "hash of the times and pictures; the same for all experts of a medium"),
        Column("frames", pa.int64(), "pictures"),
        Column("tokens", pa.int64(), "vectors per picture"),
        _DIMENSION,
        Column("scheme", pa.string(), "own: a position per token; row: per row of the grid; one: per picture"),
        Column("positions", pa.int64(), "positions per picture"),
        Column("first_position", pa.int64(), "where its positions begin"),
        Column("budget", pa.int64(), "positions that it takes in all"),
        Column("saved", pa.int64(), "positions that a position per token would take more"),
    ),
    ("media_id", "expert"),
)

DETECTION_TABLES = (
    DETECTIONS,
    DETECTION_SCORES,
    OBJECT_CROPS,
    OBJECT_EMBEDDINGS,
    MASK_PROMPTS,
    FRAME_FEATURES,
    EXPERT_PLANS,
)
