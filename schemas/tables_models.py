"""Tables about language models: every call, every proposal and what became of it, claims, and checks of samples as rows."""

from __future__ import annotations

import pyarrow as pa

from .table import Column, Table
from .tables_sample import EVIDENCE
from .tables_trust import SAMPLE, TASK

REQUEST = Column("request_hash", pa.string(), "the call that it came from")

LLM_CALLS = Table(
    "llm_calls",
    "One request to a model and what came back: the record of costs, and the cache from which nothing is asked twice. A request "
    "that is asked again (after an error, or with `--retry-failed`) has a further row, each with its own cost.",
    (
        REQUEST,
        Column("asked_by", pa.string(), "producer that asked first"),
        Column("about", pa.string(), "unit, clip or sample that it was about"),
        Column("role", pa.string(), "role in the recipe"),
        Column("model", pa.string(), "model and revision"),
        Column("endpoint", pa.string(), "scheme, host and port; never a key"),
        Column("prompt", pa.string(), "prompt and version"),
        Column("schema_name", pa.string(), "what the reply must be"),
        Column("sample", pa.int64(), "which of several independent replies"),
        Column("status", pa.string(), "ok, repaired, truncated, refused, empty, malformed, wrong_schema or error"),
        Column("reason", pa.string(), "why it is not ok"),
        Column("reply", pa.string(), "the reply as it came"),
        Column("first_reply", pa.string(), "of a repair round: the reply that was handed back"),
        Column("tries", pa.int64(), "requests sent, retries and the repair round included", volatile=True),
        Column("structured", pa.string(), "how the structure was asked for", volatile=True),
        Column("batch", pa.string(), "identifier of the batch; NULL when live", volatile=True),
        Column("predicted_tokens", pa.int64(), "prompt tokens as estimated before asking"),
        Column("prompt_tokens", pa.int64(), "prompt tokens as the endpoint counted them, all tries", volatile=True),
        Column("reply_tokens", pa.int64(), "tokens of the replies, all tries", volatile=True),
        Column("cached_tokens", pa.int64(), "prompt tokens that the endpoint had cached", volatile=True),
        Column("cost", pa.float64(), "money, all tries", volatile=True),
        Column("currency", pa.string(), "its currency", volatile=True),
        Column("latency_s", pa.float64(), "from sending to the whole reply, the last try", "s", volatile=True),
        Column("asked_at", pa.string(), "UTC", volatile=True),
        Column("run_id", pa.string(), "the run that asked", volatile=True),
    ),
    ("request_hash",),
)

PROPOSALS = Table(
    "proposals",
    "One thing that a model proposed for a task, with its slots unfilled, and what became of it.",
    (
        TASK,
        REQUEST,
        Column("item", pa.int64(), "which item of the reply, from 0; -1: the whole reply could not be used"),
        Column("clip_id", pa.string(), "the clip that was asked about"),
        Column("model", pa.string(), "model and revision"),
        Column("prompt", pa.string(), "prompt and version"),
        Column("proposal_json", pa.string(), "the item as the model wrote it, slots unfilled"),
        Column("evidence", pa.list_(EVIDENCE), "the numbered list that it was shown: e1, e2 ... in order"),
        Column("outcome", pa.string(), "landed or rejected"),
        Column("rule", pa.string(), "the rule that rejected it: unknown_evidence, literal_time, wrong_schema ..."),
        Column("reason", pa.string(), "what exactly"),
        Column("sample_id", pa.string(), "the sample that it became"),
    ),
    ("media_id", "task", "request_hash", "item"),
)

CLAIMS = Table(
    "claims",
    "One atomic claim of a caption and what speaks for or against it.",
    (
        Column(
            "caption_id", pa.string(), "row of `captions` that says it; of a spatial caption the row of `proposals`"
        ),
        Column("sentence", pa.int64(), "which sentence of the caption, from 0"),
        Column("position", pa.int64(), "which claim of the caption, from 0"),
        Column("start_s", pa.float64(), "start of the span that it is about", "s"),
        Column("end_s", pa.float64(), "its end", "s"),
        Column("kind", pa.string(), "object, attribute, action, count, relation, order or text"),
        Column("claim", pa.string(), "the claim, a sentence of its own"),
        Column("quote", pa.string(), "the words of the caption that say it"),
        Column("arguments_json", pa.string(), "its arguments by name"),
        Column("status", pa.string(), "supported, contradicted or unchecked"),
        Column("checked_by", pa.list_(pa.string()), "who spoke: text, speech, tracks, second_captioner, similarity"),
        Column("reason", pa.string(), "what was found"),
        Column("model", pa.string(), "model that wrote the caption"),
    ),
    ("media_id", "caption_id", "position"),
)

SAMPLE_CHECKS = Table(
    "sample_checks",
    "One check of one sample beyond its verdict: leak, key, blind reader, ablation, judge, agreement ...",
    (
        SAMPLE,
        TASK,
        Column("check_name", pa.string(), "slots, claims, key, leak, blind, ablation, judge or agreement"),
        Column("variant", pa.string(), "what exactly: a rubric, what was taken away; '' where there is one only"),
        Column("passed", pa.bool_(), "whether nothing speaks against the sample; NULL when it could not be said"),
        Column("score", pa.float64(), "0..1, the better the higher"),
        Column("model", pa.string(), "model that was asked; NULL for rules"),
        Column("detail", pa.string(), "what was found, in words"),
        REQUEST,
    ),
    ("sample_id", "check_name", "variant"),
)

MODEL_TABLES = (LLM_CALLS, PROPOSALS, CLAIMS, SAMPLE_CHECKS)
