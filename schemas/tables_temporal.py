"""Tables of *when*: grounded events and the proposals behind them, sounds, imported questions, episodes, phrases, and plans of
which frames are shown."""

from __future__ import annotations

import pyarrow as pa

from .table import Column, Table
from .tables_annotation import END, START

CANDIDATES = Table(
    "candidates",
    "Where one localiser places a described event. All proposals are kept; `events` holds what they agree on.",
    (
        START,
        END,
        Column("text", pa.string(), "the description that was looked for"),
        Column("query_id", pa.string(), "hash of the description: proposals for one description share it"),
        Column("localiser", pa.string(), "which localiser: its name and the settings that tell it from others"),
        Column("family", pa.string(), "what it looks at: speech, pixels, captions, sound or text"),
        Column("score", pa.float64(), "its own score, 0..1, comparable within this localiser only"),
        Column("rank", pa.int64(), "1 for its best proposal for this description"),
        Column("source_rows", pa.list_(pa.string()), "row_ids that the proposal was made from"),
    ),
    ("media_id", "query_id", "localiser", "start_s", "end_s"),
)

EVENTS = Table(
    "events",
    "A described span: what happens, and when. Of people, importers and composers (exact), or fused from `candidates`.",
    (
        START,
        END,
        Column("text", pa.string(), "what happens, as a sentence without a full stop, or the query that asks for it"),
        Column(
            "kind",
            pa.string(),
            "event, query (a question's moment), narration, step (of a procedure), action (with its classes), needle (put in by "
            "a composer), sound or speech",
        ),
        Column("query_id", pa.string(), "hash of the description; NULL where nothing was looked for"),
        Column("score", pa.float64(), "score of the localiser whose boundaries were taken; NULL for exact events"),
        Column("localiser", pa.string(), "that localiser; NULL for exact events"),
        Column("families", pa.list_(pa.string()), "families of localisers that agree on the span, sorted"),
        Column("agreement", pa.int64(), "how many families agree; NULL for exact events"),
        Column(
            "p_correct",
            pa.float64(),
            "calibrated probability that tIoU with the truth is at least 0.5; NULL: not calibrated",
        ),
        Column("calibration", pa.string(), "the calibration set behind p_correct, with its digest"),
        Column("snapped", pa.string(), "what the boundaries were moved to: shot, word, or none"),
        Column(
            "attributes_json", pa.string(), "what else is known, by name: verb and noun classes, depth of a needle ..."
        ),
    ),
    ("media_id", "start_s", "end_s", "kind", "text"),
)

SOUNDS = Table(
    "sounds",
    "A sound event or a property of the sound during a span: silence, onset, tone, loud passage, instrument, tag of a model.",
    (
        START,
        END,
        Column("label", pa.string(), "silence, onset, tone, loud, an instrument, or the tag of a model"),
        Column("confidence", pa.float64(), "certainty, 0..1; NULL: known, not recognised"),
        Column("level_db", pa.float64(), "mean level relative to full scale", "dBFS"),
        Column("pitch_hz", pa.float64(), "fundamental frequency; NULL without one", "Hz"),
        Column("attributes_json", pa.string(), "what else is known, by name: note, loudness, brightness ..."),
    ),
    ("media_id", "start_s", "end_s", "label"),
)

QUESTIONS = Table(
    "questions",
    "A question that people (or the generator of a scene) asked about a medium, with its answer and, where known, its moment.",
    (
        Column("question_id", pa.string(), "identifier, unique in the medium"),
        Column("question", pa.string(), "the question"),
        Column("options", pa.list_(pa.string()), "choices in their original order; empty: open question"),
        Column("answer_index", pa.int64(), "index of the right choice, from 0; NULL for open questions"),
        Column("answer_text", pa.string(), "the answer in words"),
        Column("kind", pa.string(), "what kind of question it is, as its source calls it"),
        Column("start_s", pa.float64(), "start of the moment that answers it; NULL: not given", "s"),
        Column("end_s", pa.float64(), "its end", "s"),
        Column(
            "needs", pa.list_(pa.string()), "vision, audio, speech_text ...: what answering takes; empty: not given"
        ),
        Column("turns_json", pa.string(), "of conversations: [{role, text}]"),
        Column("program_json", pa.string(), "of generated questions: the functional program that gives the answer"),
        Column("attributes_json", pa.string(), "what else the source says, by name"),
    ),
    ("media_id", "question_id"),
)

ASPECTS = Table(
    "aspects",
    "What is true of a medium in one respect, by construction: the direction, order, speed ... that a conflicting twin has not.",
    (
        Column("aspect", pa.string(), "action, speed, direction, attribute_change, order or relation"),
        Column("kind", pa.string(), "finer type, such as relative_speed or object_motion"),
        Column("subject", pa.string(), "of what it is true, as a noun phrase"),
        Column("value", pa.string(), "what is true"),
        Column(
            "wrong",
            pa.list_(pa.string()),
            "what is not true, though it could be: values of the conflicting media first",
        ),
        Column("pair_id", pa.string(), "shared by the media that conflict in this respect"),
        Column("start_s", pa.float64(), "start of the span that shows it", "s"),
        Column("end_s", pa.float64(), "its end", "s"),
        Column("attributes_json", pa.string(), "facts behind the value, by name: factor, events, operation ..."),
    ),
    ("media_id", "aspect", "kind", "subject"),
)

EPISODES = Table(
    "episodes",
    "A part of a long medium, cut where picture or sound suggests it.",
    (
        START,
        END,
        Column(
            "boundary", pa.string(), "what ends it: sound (silence), picture (a change), limit (longest length) or end"
        ),
        Column("score", pa.float64(), "level of the silence (dBFS) or size of the change that ends it"),
    ),
    ("media_id", "start_s"),
)

PHRASES = Table(
    "phrases",
    "A phrase of time or place, or a named entity, in a transcript.",
    (
        START,
        END,
        Column("speech_row", pa.string(), "row_id of the speech or caption row that it stands in"),
        Column("first", pa.int64(), "offset of its first character in that row's text"),
        Column("past", pa.int64(), "offset after its last character"),
        Column("text", pa.string(), "the characters between them"),
        Column("kind", pa.string(), "TIME_PHRASE, LOC_PHRASE, DATE, TIME, DURATION, PLACE, PERSON or ORG"),
        Column("norm", pa.string(), "normal form: clock, date, duration or offset (ISO 8601); NULL: none"),
        Column("refers_s", pa.float64(), "moment of the medium that it refers to; NULL where it does not", "s"),
        Column("confidence", pa.float64(), "certainty, 0..1"),
    ),
    ("media_id", "speech_row", "first", "past"),
)

PLANNED_FRAME = pa.struct(
    [
        pa.field("t_s", pa.float64()),
        pa.field("role", pa.string()),
        pa.field("segment", pa.int64()),
        pa.field("width", pa.int64()),
        pa.field("height", pa.int64()),
        pa.field("pool", pa.int64()),
        pa.field("tokens", pa.int64()),
    ]
)
PLANNED_SEGMENT = pa.struct(
    [pa.field("start_s", pa.float64()), pa.field("end_s", pa.float64()), pa.field("frames", pa.int64())]
)

SAMPLING_PLANS = Table(
    "sampling_plans",
    "Which frames a policy takes of a medium, a clip or a sample's window: a pure function of its parameters and inputs.",
    (
        Column("plan_id", pa.string(), "hash of policy, parameters, what is planned and the inputs"),
        Column("policy", pa.string(), "name of the policy"),
        Column("scope", pa.string(), "medium, clip or sample"),
        Column("scope_id", pa.string(), "media_id, clip_id or sample_id"),
        START,
        END,
        Column("params_json", pa.string(), "parameters of the policy"),
        Column("params_hash", pa.string(), "hash of policy and parameters"),
        Column("inputs_digest", pa.string(), "digest of the scores or features that it looked at"),
        Column("feature_model", pa.string(), "model of those features; NULL where none is used"),
        Column(
            "frames",
            pa.list_(PLANNED_FRAME),
            "planned frames in order of time: role (static, context, slow, fast, key, carrier, snippet ...), segment (from 0), "
            "size in px, pooling factor, visual tokens",
        ),
        Column(
            "segments",
            pa.list_(PLANNED_SEGMENT),
            "parts of the span, in order, without gap or overlap; empty: undivided",
        ),
        Column("tokens", pa.int64(), "visual tokens of all frames"),
        Column("budget_tokens", pa.int64(), "the budget that it had; NULL: none"),
        Column(
            "coverage",
            pa.float64(),
            "share of evidence spans (or shots) with at least one planned frame; NULL: none known",
        ),
        Column("attributes_json", pa.string(), "what the policy also says, by name"),
    ),
    ("media_id", "policy", "scope_id", "params_hash"),
)

CLIP_PAIRS = Table(
    "clip_pairs",
    "Two spans of one medium that a trainer shows together, with what is done to both.",
    (
        Column("kind", pa.string(), "contrastive, long_short or flow_snippet"),
        Column("number", pa.int64(), "number of the pair in the medium, from 0"),
        Column("first_start_s", pa.float64(), "start of the first span", "s"),
        Column("first_end_s", pa.float64(), "its end", "s"),
        Column("second_start_s", pa.float64(), "start of the second span", "s"),
        Column("second_end_s", pa.float64(), "its end", "s"),
        Column("interval_s", pa.float64(), "from the start of the first to that of the second", "s"),
        Column("augmentation_json", pa.string(), "crop, flip and colour of each span, the same for all its frames"),
    ),
    ("media_id", "kind", "number"),
)

IMPORT_NOTES = Table(
    "import_notes",
    "What an importer did not take as it was written, and descriptions for which no event was kept, with the rule.",
    (
        Column("item", pa.string(), "the item, as its file names it; of grounding: the description"),
        Column(
            "rule",
            pa.string(),
            "past_the_end, reversed, empty, no_time, frame_rate, duration, size, duplicate ...; of grounding: not_found, no_agreement, "
            "low_score, too_short, too_long, few_localisers, improbable",
        ),
        Column("detail", pa.string(), "what exactly"),
        Column("action", pa.string(), "cut (kept in part), left_out or noted (kept as it is)"),
        Column("items", pa.int64(), "how many rows it is about: rows read are rows written and those left_out"),
    ),
    ("media_id", "item", "rule"),
)

TEMPORAL_TABLES = (
    CANDIDATES,
    EVENTS,
    SOUNDS,
    QUESTIONS,
    ASPECTS,
    EPISODES,
    PHRASES,
    SAMPLING_PLANS,
    CLIP_PAIRS,
    IMPORT_NOTES,
)
