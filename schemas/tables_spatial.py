"""Tables about space: where the camera stood, how far things are, where they stand in a room, and how real the metres are.

All of it is in one world frame per scene: metres, right-handed, z up; cameras look along their z axis (x right, y down), poses
are camera to world. Whether the metres are real and the z axis is vertical is said by the scene's row, never assumed.
An object has one identity (`object_id`) in `boxes3d`, `points` and, through `tracks`, in the boxes and masks of the picture.
"""

from __future__ import annotations

import pyarrow as pa

from .table import Column, Table
from .tables_annotation import T

OBJECT = Column("object_id", pa.string(), "the object; the same in boxes3d, points and tracks; derived from content")
SCENE = Column("scene_id", pa.string(), "the space with one world frame; several media may show one")
_WIDTH = Column("width", pa.int64(), "width of the picture that the numbers are of", "px")
_HEIGHT = Column("height", pa.int64(), "height of that picture", "px")

SCENES = Table(
    "scenes",
    "A space with one world frame, as one medium shows it, and what its numbers may be used for.",
    (
        SCENE,
        Column("source", pa.string(), "what it comes from: rooms, scannet, colmap, vggt ..."),
        Column("world_up", pa.string(), "z (gravity aligned) or unknown"),
        Column("up_error_deg", pa.float64(), "how far the z axis may be from vertical; NULL: unknown", "deg"),
        Column("scale_status", pa.string(), "sensor, anchored, predicted or unit (up to scale)"),
        Column("scale_sigma", pa.float64(), "standard deviation of the logarithm of the scale; NULL for unit"),
        Column("scale_source", pa.string(), "what the scale was fitted to; NULL: the source gives metres"),
        Column("room_area_m2", pa.float64(), "area of the floor as the source states it; NULL: to be computed", "m2"),
        Column("polygon", pa.list_(pa.float64()), "floor, as x y x y ...; NULL: unknown", "m"),
        Column("floor_z", pa.float64(), "height of the floor in the world frame; NULL: unknown", "m"),
        Column("rooms", pa.int64(), "rooms that it has; NULL: unknown"),
        Column("all_labelled", pa.bool_(), "whether every object of the labels that occur has a row of boxes3d"),
        Column("checks_json", pa.string(), "self-checks of the geometry: name -> {passed, value, limit}"),
    ),
    ("media_id", "scene_id"),
)

CAMERAS = Table(
    "cameras",
    "Intrinsics and pose at a time.",
    (
        SCENE,
        T,
        _WIDTH,
        _HEIGHT,
        Column("fx", pa.float64(), "focal length", "px"),
        Column("fy", pa.float64(), "focal length", "px"),
        Column("cx", pa.float64(), "principal point; the centre of the top left pixel is 0.5", "px"),
        Column("cy", pa.float64(), "principal point", "px"),
        Column("distortion", pa.list_(pa.float64()), "OpenCV's k1 k2 p1 p2 k3 ...; empty: none"),
        Column("pose", pa.list_(pa.float64()), "camera to world, 4x4 row by row, OpenCV axes; NULL: lost", "m"),
        Column("confidence", pa.float64(), "certainty of the pose, 0..1; NULL: unknown"),
        Column("observed", pa.bool_(), "whether every object seen at this time has a row of boxes"),
        Column("frame_name", pa.string(), "the frame as its source calls it; NULL: none"),
    ),
    ("media_id", "t_s"),
)

DEPTHS = Table(
    "depths",
    "A depth map: distance along the camera's z axis, not along the ray.",
    (
        T,
        _WIDTH,
        _HEIGHT,
        Column("png", pa.binary(), "16-bit grey PNG; 0 is unknown"),
        Column("unit_m", pa.float64(), "metres (or units of the scene) per step", "m"),
        Column("origin", pa.string(), "rendered, sensor, predicted or reconstructed"),
        Column("model", pa.string(), "model that predicted it; '' for none"),
        Column("metric", pa.bool_(), "whether its metres are claimed to be real"),
    ),
    ("media_id", "t_s", "model"),
)

POINTS = Table(
    "points",
    "Surface points of an object, or of what belongs to none.",
    (
        Column("object_id", pa.string(), "the object; '' for the rest of the scene"),
        Column("part", pa.int64(), "0, 1, ... where they are more than one row should hold"),
        Column("count", pa.int64(), "points"),
        Column("xyz", pa.list_(pa.float32()), "x y z x y z ... in the world frame", "m"),
        Column("rgb", pa.binary(), "red green blue, a byte each; NULL: unknown"),
    ),
    ("media_id", "object_id", "part"),
)

BOXES3D = Table(
    "boxes3d",
    "An oriented box around an object. One that stays still has one row, one that moves a row per time.",
    (
        OBJECT,
        T,
        Column("moving", pa.bool_(), "whether it moves; the one row of an object that stays still has t_s 0"),
        Column("label", pa.string(), "what it is: a common noun in lower case, singular, after mapping"),
        Column("label_raw", pa.string(), "as the source calls it; NULL: the same"),
        Column("phrase", pa.string(), "how a sentence calls it, without an article; NULL: the label"),
        Column("attributes_json", pa.string(), "what it is like, by name, such as colour"),
        Column("x", pa.float64(), "centre", "m"),
        Column("y", pa.float64(), "centre", "m"),
        Column("z", pa.float64(), "centre", "m"),
        Column("axes", pa.list_(pa.float64()), "three unit vectors of the box in the world frame, one after the other"),
        Column("size", pa.list_(pa.float64()), "full lengths along the three axes", "m"),
        Column("gravity_aligned", pa.bool_(), "whether the third axis is vertical"),
        Column(
            "source_box_json", pa.string(), "the box as its source gives it, where another one was fitted; else NULL"
        ),
        Column("score", pa.float64(), "certainty, 0..1"),
        Column("points", pa.int64(), "surface points that it was fitted to; NULL: given by the source"),
        Column("views", pa.int64(), "frames that it was seen in; NULL: unknown"),
    ),
    ("media_id", "object_id", "t_s"),
)

SPATIAL_CHECKS = Table(
    "spatial_checks",
    "How an answer about space was verified: from two sources, and how far it is from being another answer.",
    (
        Column("sample_id", pa.string(), "the sample"),
        Column("kind", pa.string(), "kind of question"),
        Column("scale_status", pa.string(), "of the scene: sensor, anchored, predicted or unit"),
        Column("scale_sigma", pa.float64(), "of the scene; NULL for unit"),
        Column("margin", pa.float64(), "distance to the nearest other answer, in `margin_unit`; NULL: none applies"),
        Column("margin_unit", pa.string(), "m, deg, s, frames, share ..."),
        Column("confidence", pa.float64(), "product of what each contributing step is certain of, 0..1"),
        Column("tier", pa.string(), "exact, two_source, model or judge"),
        Column("first_source", pa.string(), "what the answer was made of: boxes3d, cameras ..."),
        Column("first_answer", pa.string(), "what it says, unrounded"),
        Column("second_source", pa.string(), "another representation: points, depths ...; NULL: there is none"),
        Column("second_answer", pa.string(), "what that one says; NULL: there is none"),
        Column("agree", pa.bool_(), "whether they agree within the kind's tolerance; NULL: there is no second one"),
    ),
    ("media_id", "sample_id"),
)

WITHHELD = Table(
    "withheld",
    "Candidates that a task did not ask about, counted by the reason, so that what its filters cost can be audited.",
    (
        Column("task", pa.string(), "the task"),
        Column("kind", pa.string(), "kind of question"),
        Column(
            "reason",
            pa.string(),
            "why: too close, not gravity aligned, unit scale, not visible ...; '' for those asked",
        ),
        Column("candidates", pa.int64(), "how many"),
    ),
    ("media_id", "task", "kind", "reason"),
)

SPATIAL_TABLES = (SCENES, CAMERAS, DEPTHS, POINTS, BOXES3D, SPATIAL_CHECKS, WITHHELD)
