"""Clip values pooled from rows keyed by time: the building blocks of `clip_view`, one view per source table.

Clips and rows meet through time buckets of ten seconds, so a join costs (rows x clips around them), not (rows x clips of
the medium). A row with one time belongs to the clips with `start_s <= t_s < end_s`. A row with a span may share several
buckets with a clip; the pair counts in the first bucket that they share. Pooling is a pure function of stored rows.

Where several producers write one table, numbers per frame are pooled over all their rows; counts and areas are taken
per producer, and the largest counts, so that two recognisers of the same thing do not add up. Speech values use
recognised speech only (`origin = 'recognised'`), never subtitles.
"""

from __future__ import annotations

from .view import View

BUCKET_S = 10.0


def _bucket(expression: str) -> str:
    return f"CAST(floor({expression} / {BUCKET_S}) AS BIGINT)"


def _spread(source: str, columns: str, start: str = "start_s", end: str = "end_s", where: str = "true") -> str:
    """`source` with one row per bucket that its span touches."""
    return (
        f"SELECT {columns}, {_bucket(start)} AS first_bucket, "
        f"unnest(range({_bucket(start)}, {_bucket(f'greatest({start}, {end})')} + 1)) AS bucket "
        f"FROM {source} WHERE {where}"
    )


def _at(table: str, time: str = "t_s") -> str:
    """Join of clips with rows that have one time."""
    return (
        f"clip_buckets c JOIN {table} r ON r.media_id = c.media_id AND {_bucket(f'r.{time}')} = c.bucket "
        f"AND r.{time} >= c.start_s AND r.{time} < c.end_s"
    )


def _over(spread: str) -> str:
    """Join of clips with rows that have a span (`spread` is a subquery from `_spread`): pairs that overlap."""
    return (
        f"clip_buckets c JOIN ({spread}) r ON r.media_id = c.media_id AND r.bucket = c.bucket "
        "AND c.bucket = greatest(c.first_bucket, r.first_bucket) AND r.start_s < c.end_s AND r.end_s > c.start_s"
    )


OVERLAP = "(least(r.end_s, c.end_s) - greatest(r.start_s, c.start_s))"

CLIP_SPANS = View(
    "clip_spans",
    "Clips, one row per clip_id even when two policies made the same clip (the smallest policy and producer is kept).",
    (),
    "SELECT * FROM clips QUALIFY row_number() OVER (PARTITION BY media_id, clip_id ORDER BY policy, producer) = 1",
)

CLIP_BUCKETS = View(
    "clip_buckets",
    "A clip and a ten-second bucket that it touches.",
    (),
    _spread("clip_spans", "clip_id, media_id, start_s, end_s"),
)

LOOKED_AT = View(
    "looked_at",
    "Media and tables that were looked at: the table has rows about the medium, or a producer that writes the table has "
    "a ledger row 'done' for the medium. Counts are 0 for these and NULL for all others.",
    (),
    "SELECT l.media_id, p.table_name FROM ledger l JOIN producers p ON p.producer = l.producer "
    "WHERE l.status = 'done' AND l.grain = 'medium' AND l.media_id IS NOT NULL "
    + "".join(f"UNION SELECT media_id, '{t}' FROM {t} " for t in ("shots", "words", "text_regions", "captions"))
    + "UNION SELECT media_id, 'speech' FROM speech WHERE origin = 'recognised'",
)

POOLED_SIGNALS = View(
    "pooled_signals",
    "Frame numbers per clip.",
    (),
    f"""SELECT c.media_id, c.clip_id, count(*) AS signals,
    avg(r.luma) AS luma_mean, avg(r.contrast) AS contrast_mean,
    quantile_cont(r.sharpness, 0.1) AS sharpness_p10, avg(r.sharpness) AS sharpness_mean,
    avg(CAST(r.black AS INTEGER)) AS black_share, avg(r.letterbox) AS letterbox_mean,
    avg(r.motion) AS motion_mean, max(r.motion) AS motion_max,
    avg(r.pan) AS pan_mean, avg(r.tilt) AS tilt_mean, avg(r.zoom) AS zoom_mean, avg(r.roll) AS roll_mean,
    avg(r.inlier_share) AS inlier_share_mean,
    avg(CASE WHEN r.camera <> 'unknown' THEN CAST(r.camera = 'static' AS INTEGER) END) AS camera_static_share,
    avg(r.residual) AS residual_mean, avg(r.residual_area) AS residual_area_mean
FROM {_at("signals")} GROUP BY c.media_id, c.clip_id""",
)

POOLED_SHOTS = View(
    "pooled_shots",
    "Shots per clip.",
    (),
    f"""SELECT media_id, clip_id, max(n) AS shots FROM (
    SELECT c.media_id, c.clip_id, r.producer, count(*) AS n
    FROM {_over(_spread("shots", "media_id, producer, start_s, end_s"))} GROUP BY ALL) GROUP BY media_id, clip_id""",
)

POOLED_WORDS = View(
    "pooled_words",
    "Words per clip.",
    (),
    f"""SELECT media_id, clip_id, max(n) AS words FROM (
    SELECT c.media_id, c.clip_id, r.producer, count(*) AS n FROM {_at("words", "start_s")} GROUP BY ALL) GROUP BY media_id, clip_id""",
)

POOLED_SPEECH = View(
    "pooled_speech",
    "Recognised speech per clip: seconds of the union of its segments, and confidence weighted by time.",
    (),
    f"""SELECT media_id, clip_id, sum(greatest(0, b - greatest(a, before))) AS speech_s,
    sum(confidence * (b - a)) FILTER (confidence IS NOT NULL)
        / nullif(sum(b - a) FILTER (confidence IS NOT NULL), 0) AS speech_confidence
FROM (SELECT *, coalesce(max(b) OVER (
        PARTITION BY media_id, clip_id ORDER BY a, b, row_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), a) AS before
    FROM (SELECT c.media_id, c.clip_id, r.row_id, greatest(r.start_s, c.start_s) AS a, least(r.end_s, c.end_s) AS b, r.confidence
        FROM {_over(_spread("speech", "media_id, row_id, start_s, end_s, confidence", where="origin = 'recognised'"))}))
GROUP BY media_id, clip_id""",
)

POOLED_TEXT = View(
    "pooled_text",
    "Text in the picture per clip: regions, and their area integrated over time.",
    (),
    f"""SELECT media_id, clip_id, max(n) AS text_regions, max(area_s) AS text_area_s FROM (
    SELECT c.media_id, c.clip_id, r.producer, count(*) AS n, sum((r.x2 - r.x1) * (r.y2 - r.y1) * {OVERLAP}) AS area_s
    FROM {_over(_spread("text_regions", "media_id, producer, start_s, end_s, x1, y1, x2, y2"))}
    GROUP BY ALL) GROUP BY media_id, clip_id""",
)

POOLED_CAPTIONS = View(
    "pooled_captions",
    "Captions per clip, of all producers; not those of models, which are written about clips that were kept already.",
    (),
    f"""SELECT c.media_id, c.clip_id, count(*) AS captions
FROM {_over(_spread("captions", "media_id, start_s, end_s", where="level IN ('clip', 'event', 'medium')"))} GROUP BY c.media_id, c.clip_id""",
)

POOLED_SCORES = View(
    "pooled_scores",
    "Prompt similarity per clip: means weighted by the time that a picture stands inside the clip, and maxima.",
    (),
    f"""SELECT media_id, clip_id, map_from_entries(list_sort(list((name, mean)))) AS scores,
    map_from_entries(list_sort(list((name, top)))) AS scores_max
FROM (SELECT c.media_id, c.clip_id, r.name, sum(r.value * {OVERLAP}) / sum({OVERLAP}) AS mean, max(r.value) AS top
    FROM {_over(_spread("clip_scores", "media_id, name, value, t_s AS start_s, until_s AS end_s", "t_s", "until_s"))}
    WHERE r.value IS NOT NULL GROUP BY ALL) GROUP BY media_id, clip_id""",
)

POOLED_MEASUREMENTS = View(
    "pooled_measurements",
    "Measured numbers per clip.",
    (),
    f"""SELECT media_id, clip_id, map_from_entries(list_sort(list((name, mean)))) AS measured
FROM (SELECT c.media_id, c.clip_id, r.name, avg(r.value) AS mean FROM {_at("measurements")}
    WHERE r.value IS NOT NULL GROUP BY ALL) GROUP BY media_id, clip_id""",
)

POOLED_VIEWS = (
    CLIP_SPANS, CLIP_BUCKETS, LOOKED_AT, POOLED_SIGNALS, POOLED_SHOTS, POOLED_WORDS, POOLED_SPEECH, POOLED_TEXT,
    POOLED_CAPTIONS, POOLED_SCORES, POOLED_MEASUREMENTS,
)  # fmt: skip
