"""Tables that annotators write: rows keyed by time on the presentation clock of their medium."""

from __future__ import annotations

import pyarrow as pa

from .table import Column, Table

T = Column("t_s", pa.float64(), "presentation time of the frame", "s")
START = Column("start_s", pa.float64(), "start", "s")
END = Column("end_s", pa.float64(), "end, half-open", "s")
BOX = (
    Column("x1", pa.float64(), "left edge", "share of the width"),
    Column("y1", pa.float64(), "top edge", "share of the height"),
    Column("x2", pa.float64(), "right edge", "share of the width"),
    Column("y2", pa.float64(), "bottom edge", "share of the height"),
)

SHOTS = Table(
    "shots",
    "An uncut span.",
    (
        START,
        END,
        Column("transition", pa.string(), "what begins it: start, cut or gradual"),
        Column("score", pa.float64(), "the detector's score of the transition that begins it"),
    ),
    ("media_id", "start_s"),
)

FRAMES = Table(
    "frames",
    "A sampled picture.",
    (
        T,
        Column("until_s", pa.float64(), "time until which it stands: the next picture's, or the end", "s"),
        Column("frame_set", pa.string(), "which set: rate, size and quality"),
        Column("width", pa.int64(), "width of the stored picture", "px"),
        Column("height", pa.int64(), "height of the stored picture", "px"),
        Column("jpeg", pa.binary(), "JPEG bytes, display orientation"),
    ),
    ("media_id", "frame_set", "t_s"),
)

SIGNALS = Table(
    "signals",
    "A frame's numbers. Motion is measured against the previous row of the same shot; NULL where there is none.",
    (
        T,
        Column("luma", pa.float64(), "mean luma", "0..255"),
        Column("contrast", pa.float64(), "standard deviation of luma", "0..255"),
        Column("sharpness", pa.float64(), "variance of the Laplacian at the analysis size"),
        Column("black", pa.bool_(), "almost no light"),
        Column("letterbox", pa.float64(), "share of the picture that black bars cover"),
        Column("phash", pa.int64(), "64-bit DCT perceptual hash, as a signed integer"),
        Column("motion", pa.float64(), "mean length of the optical flow", "frame widths/s"),
        Column("pan", pa.float64(), "camera turning right (content moves left) is positive", "frame widths/s"),
        Column("tilt", pa.float64(), "camera turning up (content moves down) is positive", "frame heights/s"),
        Column("zoom", pa.float64(), "relative growth of the content: zooming in is positive", "1/s"),
        Column(
            "roll",
            pa.float64(),
            "content turning clockwise is positive (the camera then turns counter-clockwise: roll_ccw)",
            "degrees/s",
        ),
        Column("inlier_share", pa.float64(), "share of flow vectors that the global fit explains"),
        Column(
            "camera",
            pa.string(),
            "static, pan_left, pan_right, tilt_up, tilt_down, zoom_in, zoom_out, roll_cw, roll_ccw, mixed or unknown",
        ),
        Column(
            "residual",
            pa.float64(),
            "mean length of the flow left after the camera's part, where it moves",
            "frame widths/s",
        ),
        Column("residual_area", pa.float64(), "share of the picture that moves by itself"),
        Column(
            "residual_dx",
            pa.float64(),
            "mean residual flow to the right inside that region",
            "frame widths/s",
        ),
        Column("residual_dy", pa.float64(), "mean residual flow downwards inside that region", "frame heights/s"),
        *(Column(f"residual_{c.name}", c.type, f"{c.doc} of the region that moves by itself", c.unit) for c in BOX),
    ),
    ("media_id", "t_s"),
)

PIXEL_STATS = Table(
    "pixel_stats",
    "Spatio-temporal statistics of a short window (labels of spec section 14), with the margins behind them.",
    (
        START,
        END,
        Column(
            "motion",
            pa.list_(pa.int64()),
            "14 labels: for 3 patterns u_loc, u_ang, v_loc, v_ang; then u_frame, v_frame",
        ),
        Column(
            "appearance",
            pa.list_(pa.int64()),
            "13 labels: for 3 patterns div_loc, div_col, stab_loc, stab_col; then global_col",
        ),
        Column(
            "motion_margin",
            pa.list_(pa.float64()),
            "per motion label: relative lead of the winner over the runner-up",
        ),
        Column("appearance_margin", pa.list_(pa.float64()), "per appearance label: the same"),
        Column("flow_version", pa.string(), "method behind the flow"),
    ),
    ("media_id", "start_s"),
)

EMBEDDINGS = Table(
    "embeddings",
    "A picture's vector, L2-normalised.",
    (
        T,
        Column("until_s", pa.float64(), "time until which the picture stands", "s"),
        Column("model", pa.string(), "model and weights"),
        Column("dimension", pa.int64(), "length of the vector"),
        Column("vector", pa.list_(pa.float32()), "the vector"),
    ),
    ("media_id", "model", "t_s"),
)

CLIP_SCORES = Table(
    "clip_scores",
    "Similarity of a picture and a prompt of the recipe (of the model CLIP); pooled per clip by a view.",
    (
        T,
        Column("until_s", pa.float64(), "time until which the picture stands", "s"),
        Column("name", pa.string(), "the prompt's name in the recipe"),
        Column("prompt", pa.string(), "the prompt"),
        Column("model", pa.string(), "model and weights"),
        Column("value", pa.float64(), "cosine similarity"),
    ),
    ("media_id", "name", "t_s"),
)

SPEECH = Table(
    "speech",
    "A speech segment.",
    (
        START,
        END,
        Column("text", pa.string(), "what is said"),
        Column("language", pa.string(), "ISO 639-1"),
        Column("confidence", pa.float64(), "mean token probability; NULL for subtitles"),
        Column("origin", pa.string(), "recognised, sidecar, embedded, composed or imported"),
        Column("track", pa.string(), "subtitle file or stream; NULL when recognised"),
    ),
    ("media_id", "start_s", "end_s", "text"),
)

WORDS = Table(
    "words",
    "A spoken word.",
    (
        START,
        END,
        Column("word", pa.string(), "the word, without surrounding space"),
        Column("confidence", pa.float64(), "probability"),
        Column("position", pa.int64(), "place in the medium's sequence of words"),
    ),
    ("media_id", "position"),
)

TEXT_REGIONS = Table(
    "text_regions",
    "Text read in a picture; it holds for the time that is nearer to this picture than to the one before or after.",
    (
        START,
        END,
        Column("text", pa.string(), "as read"),
        Column("confidence", pa.float64(), "recognition score"),
        *BOX,
    ),
    ("media_id", "start_s", "text", "x1", "y1"),
)

CAPTION_FACT = pa.struct(
    [
        pa.field("name", pa.string()),
        pa.field("kind", pa.string()),
        pa.field("row_id", pa.string()),
        pa.field("start_s", pa.float64()),
        pa.field("end_s", pa.float64()),
        pa.field("text", pa.string()),
    ]
)
CAPTION_SENTENCE = pa.struct(
    [
        pa.field("text", pa.string()),
        pa.field("slot_text", pa.string()),
        pa.field("facts", pa.list_(CAPTION_FACT)),
        pa.field("start_s", pa.float64()),
        pa.field("end_s", pa.float64()),
    ]
)
"""A sentence of a model's caption: in neutral markup, as the model wrote it with its slots, the facts that it names, and the
span from the first of them to the last (the caption's, when none has a time)."""

CAPTIONS = Table(
    "captions",
    "A description of a span: of people or composers (levels clip, event, medium), or of a model (the other levels).",
    (
        START,
        END,
        Column(
            "level",
            pa.string(),
            "clip, event (a part of the footage that is no clip) or medium; of models: brief, dense or objects of a clip, "
            "summary or chapter of a medium",
        ),
        Column("text", pa.string(), "the description; of models: neutral markup, whose times code filled in"),
        Column("model", pa.string(), "the model, 'manifest' or 'composer'"),
        Column("clip_id", pa.string(), "the clip that a model described"),
        Column("title", pa.string(), "title of a chapter"),
        Column(
            "sentences",
            pa.list_(CAPTION_SENTENCE),
            "of models: its sentences, each with the slots as written, the facts that it names and their span",
        ),
        Column("prompt", pa.string(), "prompt and version"),
        Column("request_hash", pa.string(), "the call that it came from"),
    ),
    ("media_id", "start_s", "end_s", "level", "text"),
)

MEASUREMENTS = Table(
    "measurements",
    "A number or label that a plain function or an HTTP endpoint found at a time.",
    (
        T,
        Column("name", pa.string(), "what was measured"),
        Column("value", pa.float64(), "the number"),
        Column("label", pa.string(), "the label"),
    ),
    ("media_id", "name", "t_s"),
)

DUPLICATES = Table(
    "duplicates",
    "Membership of a clip in a group of near duplicates (connected components of matched pairs).",
    (
        Column("clip_id", pa.string(), "the clip"),
        Column("duplicate_group", pa.string(), "smallest clip_id of the group"),
        Column("members", pa.int64(), "size of the group"),
        Column("is_duplicate", pa.bool_(), "true for all but the group's representative (its smallest member)"),
        Column("distance", pa.float64(), "distance to the nearest matched member; NULL when alone"),
    ),
    ("clip_id",),
)

ANNOTATION_TABLES = (
    SHOTS,
    FRAMES,
    SIGNALS,
    PIXEL_STATS,
    EMBEDDINGS,
    CLIP_SCORES,
    SPEECH,
    WORDS,
    TEXT_REGIONS,
    CAPTIONS,
    MEASUREMENTS,
    DUPLICATES,
)
