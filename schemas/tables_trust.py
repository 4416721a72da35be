"""Tables that measure how far samples can be trusted: second opinions, people's verdicts, baselines, frame plans, contamination."""

from __future__ import annotations

import pyarrow as pa

from .table import Column, Table

SAMPLE = Column("sample_id", pa.string(), "the sample")
TASK = Column("task", pa.string(), "its task")

FOOTAGE_GROUPS = Table(
    "footage_groups",
    "Media that must stay in one split, known before any sample is written, and that split.",
    (
        Column("group_id", pa.string(), "smallest media_id of the group"),
        Column("split", pa.string(), "train, validation or test"),
    ),
    ("media_id",),
)

DRAWN_FRAME = pa.struct(
    [
        pa.field("medium", pa.int64()),
        pa.field("t_s", pa.float64()),
        pa.field("role", pa.string()),
        pa.field("width", pa.int64()),
        pa.field("height", pa.int64()),
        pa.field("tokens", pa.int64()),
    ]
)

FRAME_PLANS = Table(
    "frame_plans",
    "What a trainer profile shows of a sample, and whether the sample can be answered from that.",
    (
        SAMPLE,
        Column("profile", pa.string(), "trainer profile: sampler, frame budget and resizing"),
        Column(
            "frames",
            pa.list_(DRAWN_FRAME),
            "drawn frames: which medium (from 1), time on its clock, role (evidence or context), size in px, visual tokens",
        ),
        Column("tokens", pa.int64(), "visual tokens of all frames"),
        Column(
            "frames_in_evidence",
            pa.int64(),
            "drawn frames inside the span that is asked about (the one with the fewest); NULL when none is",
        ),
        Column(
            "coverage",
            pa.float64(),
            "share of the evidence that lies within the profile's reach (0.5 s) of a drawn frame",
        ),
        Column(
            "object_px",
            pa.float64(),
            "shorter side of the smallest box or text that must be seen, after resizing; NULL without one",
            "px",
        ),
        Column(
            "codec_error_s",
            pa.float64(),
            "largest error of a time as the trainer's language can say it, at this length",
            "s",
        ),
        Column("evidence_s", pa.float64(), "length of the shortest span that is asked about; NULL without one", "s"),
        Column("answerable", pa.bool_(), "whether nothing stands in the way"),
        Column("rule", pa.string(), "what stands in the way; NULL when answerable"),
        Column("detail", pa.string(), "by how much"),
    ),
    ("sample_id", "profile"),
)

NEED_CHECKS = Table(
    "need_checks",
    "Whether what a sample says it needs is needed: is its answer also heard, or also readable, at the same time?",
    (
        SAMPLE,
        TASK,
        Column("need", pa.string(), "the declared need that was doubted: audio, on_screen_text ..."),
        Column("other_way", pa.string(), "the other modality that could give the answer: vision or audio"),
        Column("needed", pa.bool_(), "false: the other modality gives the answer, so the need is refuted"),
        Column(
            "score",
            pa.float64(),
            "how well the other modality gives it, 0..1: tIoU with the answer, or 1 when it decides",
        ),
        Column("why", pa.string(), "what was found there, or what was looked for in vain"),
    ),
    ("sample_id", "need", "other_way"),
)

ATTEMPTS = Table(
    "attempts",
    "A solver's answer to a sample: the baselines of the ladder, which must not see what the sample needs, and models under "
    "test (`rollout`), which must.",
    (
        SAMPLE,
        TASK,
        Column(
            "solver",
            pa.string(),
            "prior, options_only, question_only, fixed_interval, middle_frame ...; model:NAME/PROFILE#n for attempt n of a model",
        ),
        Column("answer_json", pa.string(), "its typed answer; NULL for models, whose words stand in `reply`"),
        Column("reward", pa.float64(), "0..1 by the sample's verifier"),
        Column("correct", pa.bool_(), "whether the verifier calls it right (spans: tIoU >= 0.5)"),
        Column(
            "chance",
            pa.float64(),
            "reward to be expected without looking: of a guess, or of the best constant; NULL for models",
        ),
        Column("fold", pa.int64(), "held-out fold in which it was answered; no group is in two folds; NULL for models"),
        Column("model", pa.string(), "model under test and its revision; NULL for baselines"),
        Column("profile", pa.string(), "trainer profile whose frames the model was shown"),
        Column("attempt", pa.int64(), "which of the model's independent attempts, from 0"),
        Column("shown_frames", pa.int64(), "frames that it was shown"),
        Column("reply", pa.string(), "its answer as it wrote it; of a conversation one line per turn"),
        Column("reason", pa.string(), "what is wrong with it: of the verifier, or why the reply could not be used"),
        Column("request_hash", pa.string(), "the call that it came from; of a conversation the first"),
    ),
    ("sample_id", "solver"),
)

DEEP_CHECKS = Table(
    "deep_checks",
    "A second method's look at the packaged media of a sample, whole or with something taken away.",
    (
        SAMPLE,
        TASK,
        Column("package", pa.string(), "the package whose media were looked at"),
        Column("method", pa.string(), "the second method and its model"),
        Column("removed", pa.string(), "nothing, or what was taken away first: evidence, sound or picture"),
        Column("agrees", pa.bool_(), "whether it finds the sample's answer; NULL when it cannot say"),
        Column("score", pa.float64(), "how nearly, 0..1"),
        Column("found", pa.string(), "what it found"),
    ),
    ("sample_id", "method", "removed"),
)

REVIEWS = Table(
    "reviews",
    "A person's verdict about a sample.",
    (
        SAMPLE,
        TASK,
        Column("reviewer", pa.string(), "who looked"),
        Column("verdict", pa.string(), "right, wrong or unclear"),
        Column("comment", pa.string(), "what they wrote"),
        Column("evidence_grade", pa.string(), "grade of the sample's evidence when it was drawn"),
        Column("audit", pa.string(), "the draw: number, strata and seed"),
        Column("reviewed_at", pa.string(), "UTC", volatile=True),
    ),
    ("sample_id", "reviewer"),
)

BENCHMARKS = Table(
    "benchmarks",
    "A registered benchmark's media and questions, as sketches. Its unit is the benchmark; `media_id` is NULL.",
    (
        Column("benchmark", pa.string(), "its name"),
        Column("item", pa.string(), "identifier, file or question of the benchmark"),
        Column("kind", pa.string(), "id, video, vectors (its embedding sketch) or question"),
        Column("times", pa.list_(pa.float64()), "of a video: times of the pictures that are sketched", "s"),
        Column(
            "variants",
            pa.list_(pa.string()),
            "of a video: whole, mirrored, or what part of the picture was kept; of vectors: the model",
        ),
        Column(
            "hashes",
            pa.binary(),
            "64-bit little-endian integers: perceptual hashes of a video, one row of `times` per variant; signs of 64 "
            "projections of its vectors; or hashes of the 8-grams of a question",
        ),
    ),
    ("benchmark", "item", "kind"),
)

CONTAMINATION = Table(
    "contamination",
    "A sample whose footage or question stands in a registered benchmark.",
    (
        SAMPLE,
        TASK,
        Column("benchmark", pa.string(), "the benchmark"),
        Column("item", pa.string(), "its item"),
        Column("found_by", pa.string(), "id, copy, embedding or question"),
        Column("variant", pa.string(), "of a copy: whole, mirrored or cropped"),
        Column("score", pa.float64(), "share of the window's pictures, or of the question's 8-grams, that match"),
        Column("start_s", pa.float64(), "start of the copied part in our medium", "s"),
        Column("end_s", pa.float64(), "its end", "s"),
    ),
    ("sample_id", "benchmark", "item", "found_by"),
)

TRUST_TABLES = (FOOTAGE_GROUPS, FRAME_PLANS, NEED_CHECKS, ATTEMPTS, DEEP_CHECKS, REVIEWS, BENCHMARKS, CONTAMINATION)
