"""Tables about samples: the immutable sample, the facts about it that change, and why clips were kept."""

from __future__ import annotations

import pyarrow as pa

from .table import Column, Table

SELECTION = Table(
    "selection",
    "Why a clip was kept or not. Its unit is the clip.",
    (
        Column("clip_id", pa.string(), "the clip"),
        Column("recipe", pa.string(), "the recipe"),
        Column("kept", pa.bool_(), "whether every rule was true"),
        Column("rule", pa.string(), "the first rule that was not true; NULL when kept"),
        Column("reason", pa.string(), "'false' or 'missing' (the rule met NULL); NULL when kept"),
        Column("values_json", pa.string(), "values that the rules looked at"),
    ),
    ("clip_id",),
)

MEDIUM_REF = pa.struct(
    [
        pa.field("media_id", pa.string()),
        pa.field("kind", pa.string()),
        pa.field("start_s", pa.float64()),
        pa.field("end_s", pa.float64()),
        pa.field("frame_times", pa.list_(pa.float64())),
    ]
)
TURN = pa.struct([pa.field("role", pa.string()), pa.field("text", pa.string())])
OPTION = pa.struct(
    [
        pa.field("text", pa.string()),
        pa.field("distractor_kind", pa.string()),
        pa.field("margin", pa.float64()),
    ]
)
EVIDENCE = pa.struct(
    [
        pa.field("source_table", pa.string()),
        pa.field("row_id", pa.string()),
        pa.field("values_json", pa.string()),
    ]
)

SAMPLES = Table(
    "samples",
    "One instruction example; immutable. Times and places are neutral markup, options have no letters.",
    (
        Column("sample_id", pa.string(), "hash of task, media, question and answer"),
        Column("task", pa.string(), "the task"),
        Column("recipe", pa.string(), "the recipe"),
        Column("clip_id", pa.string(), "the clip that it was made for"),
        Column(
            "media",
            pa.list_(MEDIUM_REF),
            "the media that it shows, in order: a span, or stills at frame_times; kind text: told in words only",
        ),
        Column("window_start_s", pa.float64(), "start of the shown window of the first medium", "s"),
        Column("window_end_s", pa.float64(), "end of the shown window", "s"),
        Column("turns", pa.list_(TURN), "role user or assistant; text in neutral markup"),
        Column(
            "answer_kind", pa.string(), "span, spans, box, span_box, tube, choice, order, number, text, absent or turns"
        ),
        Column("answer_json", pa.string(), "the typed answer"),
        Column("options", pa.list_(OPTION), "choices or items to order, in canonical order"),
        Column("rationale", pa.list_(pa.string()), "steps in neutral markup"),
        Column("evidence", pa.list_(EVIDENCE), "rows that the answer rests on, with the values used"),
        Column("needs", pa.list_(pa.string()), "vision, audio, speech_text, on_screen_text, motion, 3d"),
        Column("origin", pa.string(), "origin of its media: real, edited, composed or rendered"),
        Column("wording", pa.string(), "identifier of the question wording"),
        Column("answer_form", pa.string(), "identifier of the answer form"),
        Column("pair_id", pa.string(), "shared by a minimal pair (a clip and its twin)"),
        Column("difficulty_json", pa.string(), "factors: evidence ratio, margin, position"),
        Column("generator", pa.string(), "task version that wrote it"),
    ),
    ("sample_id",),
)

VERDICTS = Table(
    "verdicts",
    "What checking found out about a sample.",
    (
        Column("sample_id", pa.string(), "the sample"),
        Column("task", pa.string(), "the task"),
        Column("check_status", pa.string(), "recomputed, judged or unchecked"),
        Column("passed", pa.bool_(), "whether the answer follows from the evidence"),
        Column(
            "problem",
            pa.string(),
            "answer wrong, evidence changed, evidence missing or malformed; NULL when passed",
        ),
        Column("reason", pa.string(), "what exactly; NULL when passed"),
        Column("evidence_grade", pa.string(), "exact, two_source, model or judge: the lowest of its evidence"),
        Column("verifier", pa.string(), "verifier and version"),
    ),
    ("sample_id",),
)

GROUPS = Table(
    "groups",
    "Near-duplicate group of a sample and the split that the group falls into.",
    (
        Column("sample_id", pa.string(), "the sample"),
        Column("group_id", pa.string(), "footage that must stay in one split"),
        Column("split", pa.string(), "train, validation or test"),
    ),
    ("sample_id",),
)

SAMPLE_TABLES = (SELECTION, SAMPLES, VERDICTS, GROUPS)
