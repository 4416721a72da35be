"""Tables about reasoning: typed chains that were run again, and paths of reasoning that models wrote and rules graded."""

from __future__ import annotations

import pyarrow as pa

from .table import Column, Table
from .tables_models import REQUEST
from .tables_trust import SAMPLE, TASK

CHAINS = Table(
    "chains",
    "The way to a sample's answer as typed steps over its evidence, recorded by its task, and what running it again showed.",
    (
        SAMPLE,
        TASK,
        Column(
            "steps_json", pa.string(), "the steps: locate, read, compare, compute, conclude; NULL when there is none"
        ),
        Column("answer_json", pa.string(), "the typed answer that running them gives; NULL when a step fails"),
        Column("step_count", pa.int64(), "steps"),
        Column("cited_rows", pa.int64(), "rows that the steps look up"),
        Column("uncited_rows", pa.int64(), "further rows that the sample cites, without which the answer is the same"),
        Column("cited_values", pa.int64(), "values that were changed in turn; those of a mean count once"),
        Column("idle_values", pa.int64(), "values whose change changed nothing"),
        Column("replayed", pa.bool_(), "whether running the steps gives the sample's answer"),
        Column("faithful", pa.bool_(), "whether the answer rests on every cited value, and on nothing else"),
        Column("shown", pa.bool_(), "whether all that is cited can be perceived in what the sample shows"),
        Column("reason", pa.string(), "the first thing that is wrong; NULL when nothing is"),
    ),
    ("sample_id",),
)

PATHS = Table(
    "paths",
    "One path of reasoning that a model wrote for a question without its key, and how rules and a judge graded it.",
    (
        SAMPLE,
        Column("question_id", pa.string(), "the question, hardened, whether it became a sample or not"),
        Column("question", pa.string(), "its words, in neutral markup"),
        Column("hardened", pa.string(), "what was done to it: open, merged or as it was"),
        Column("from_samples", pa.list_(pa.string()), "samples that it was made of"),
        REQUEST,
        Column("role", pa.string(), "role of the model that wrote it"),
        Column("model", pa.string(), "model and revision"),
        Column("path_number", pa.int64(), "which of the independent paths, from 0"),
        Column("steps", pa.list_(pa.string()), "its steps, with slots as the model wrote them"),
        Column("answer_json", pa.string(), "its answer, typed; NULL when it cannot be read"),
        Column("confidence", pa.float64(), "confidence that it states, 0..1"),
        Column("answer_ok", pa.bool_(), "whether the answer is right by the sample's verifier"),
        Column("process_ok", pa.bool_(), "whether all steps cite evidence and what they claim holds by rule"),
        Column("judge_score", pa.float64(), "how sound a judge found the steps, 0..1; NULL without one"),
        Column("repaired", pa.bool_(), "whether the steps are those of a repair"),
        Column("tier", pa.string(), "A: right and sound, B: right, but weak steps, C: wrong"),
        Column("score", pa.int64(), "1 to 5: how often it should be seen in training; NULL for tier C"),
        Column("chosen", pa.bool_(), "whether the sample carries this path"),
        Column("rule", pa.string(), "the rule behind tier B or C; NULL for A"),
        Column("reason", pa.string(), "what exactly"),
        Column("hint_concept", pa.string(), "what must be understood"),
        Column("hint_strategy", pa.string(), "how to go about it"),
        Column("hint_tool", pa.string(), "what to look at or listen to"),
        Column("hint_key_step", pa.string(), "the step that decides"),
        Column("hint_solution", pa.string(), "all steps and the answer"),
    ),
    ("media_id", "question_id", "role", "path_number"),
)

CHAIN_TABLES = (CHAINS, PATHS)
