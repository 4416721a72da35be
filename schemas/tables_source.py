"""Tables about footage itself: where bytes lie, what they contain, which clips of them are looked at, how they were edited."""

from __future__ import annotations

import pyarrow as pa

from .table import Column, Table

SOURCES = Table(
    name="sources",
    doc="A place where bytes lie. Its unit is the uri.",
    columns=(
        Column("uri", pa.string(), "local path or object-store URI"),
        Column("size", pa.int64(), "file size", "bytes"),
        Column("etag", pa.string(), "modification time in ns (local) or entity tag (object store)", volatile=True),
        Column("licence", pa.string(), "as the manifest gives it"),
        Column("group_id", pa.string(), "footage that must stay in one split, as the manifest gives it"),
        Column("official_split", pa.string(), "as the manifest gives it"),
        Column("origin", pa.string(), "real, edited, composed or rendered"),
        Column(
            "entries_json",
            pa.string(),
            "manifest rows about this uri: list of {start_s, end_s, caption, user}",
        ),
        Column("sidecars_json", pa.string(), "subtitle and truth files beside it: list of {uri, size, digest}"),
        Column("last_seen", pa.string(), "UTC time of the last build that found it", volatile=True),
    ),
    key=("uri",),
)

MEDIA = Table(
    name="media",
    doc="A content: one row however many copies of it are around.",
    columns=(
        Column("kind", pa.string(), "video, image, audio or text"),
        Column("container", pa.string(), "container format"),
        Column("duration_s", pa.float64(), "from the first presented frame to the end of the last", "s"),
        Column("fps", pa.float64(), "average frame rate; NULL for sound", "1/s"),
        Column("variable_fps", pa.bool_(), "whether frame durations differ by more than a tenth"),
        Column("frames", pa.int64(), "presented video frames"),
        Column("width", pa.int64(), "display width: rotation and sample aspect applied", "px"),
        Column("height", pa.int64(), "display height", "px"),
        Column("rotation", pa.int64(), "clockwise rotation that the container asks for", "degrees"),
        Column("codec", pa.string(), "video codec"),
        Column("pixel_format", pa.string(), "as stored"),
        Column("start_pts_s", pa.float64(), "container time of the first presented frame: t_s = pts - this", "s"),
        Column("key_frames", pa.int64(), "number of key frames"),
        Column("audio_codec", pa.string(), "NULL without sound"),
        Column("audio_rate", pa.int64(), "sample rate", "Hz"),
        Column("audio_channels", pa.int64(), "channels"),
        Column("audio_start_s", pa.float64(), "start of the sound on the presentation clock", "s"),
        Column("audio_end_s", pa.float64(), "end of the sound on the presentation clock", "s"),
        Column("subtitle_streams", pa.int64(), "embedded text subtitle streams"),
        Column("captured_at", pa.string(), "capture time as the container gives it"),
        Column("gps_lat", pa.float64(), "latitude", "degrees"),
        Column("gps_lon", pa.float64(), "longitude", "degrees"),
        Column("title", pa.string(), "file name without its folder, of the smallest uri"),
        Column("licence", pa.string(), "copied from sources"),
        Column("group_id", pa.string(), "copied from sources; the medium itself when none was given"),
        Column("official_split", pa.string(), "copied from sources"),
        Column("origin", pa.string(), "real, edited, composed or rendered"),
        Column("user_json", pa.string(), "user columns of a whole-file manifest row"),
    ),
    key=("media_id",),
)

CLIPS = Table(
    name="clips",
    doc="A unit of selection: the span that is selected, annotated and packaged.",
    columns=(
        Column("clip_id", pa.string(), "hash of medium and span"),
        Column("start_s", pa.float64(), "start", "s"),
        Column("end_s", pa.float64(), "end, half-open", "s"),
        Column("policy", pa.string(), "whole, shot, merged, window or manifest"),
        Column("user_json", pa.string(), "columns of the manifest row that made it"),
    ),
    key=("clip_id",),
)

EDITS = Table(
    name="edits",
    doc="One piece that a composed medium was made of, with its mapping of times and boxes.",
    columns=(
        Column("step", pa.int64(), "0 for the first piece"),
        Column("operation", pa.string(), "mirror, reverse, cut, speed, stack, insert ..."),
        Column(
            "source_media_id", pa.string(), "the medium that it was made from; NULL for what a composer drew itself"
        ),
        Column("source_clip_id", pa.string(), "the clip that it was made from"),
        Column("start_s", pa.float64(), "start of the used span on the source clock", "s"),
        Column("end_s", pa.float64(), "end of the used span on the source clock", "s"),
        Column("parameters_json", pa.string(), "parameters of the operation"),
        Column("target_start_s", pa.float64(), "start of what it became on the new clock; NULL: all of it", "s"),
        Column("target_end_s", pa.float64(), "its end on the new clock", "s"),
        Column("time_scale", pa.float64(), "t_new = time_scale * t_source + time_offset_s"),
        Column("time_offset_s", pa.float64(), "see time_scale", "s"),
        Column(
            "box_affine",
            pa.list_(pa.float64()),
            "a, b, c, d, e, f: x_new = a x + b y + c; y_new = d x + e y + f",
        ),
    ),
    key=("media_id", "step"),
)

SOURCE_TABLES = (SOURCES, MEDIA, CLIPS, EDITS)
