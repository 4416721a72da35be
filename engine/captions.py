"""What a caption row says and who wrote it: sentences, the levels of people and of models, and the text that may be used.

Captions of people and composers describe clips, events and media and are taken as they are. Captions of models carry their
sentences; a sentence with a contradicted claim is cut wherever the caption is used. `caption_view` gives the same in SQL.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypeVar, get_args

ClipLevel = Literal["brief", "dense", "objects"]
MediumLevel = Literal["summary", "chapter"]
TOLD_LEVELS: tuple[str, ...] = ("clip", "event", "medium")
"""Levels of captions that people or composers wrote."""
MODEL_LEVELS: tuple[str, ...] = (*get_args(ClipLevel), *get_args(MediumLevel))
"""Levels of captions that models wrote."""
_Row = TypeVar("_Row", bound=Mapping[str, Any])


def told_rows(rows: Iterable[_Row]) -> list[_Row]:
    """Captions of people or composers."""
    return [row for row in rows if row["level"] in TOLD_LEVELS]


def model_rows(rows: Iterable[_Row], levels: Sequence[str] = MODEL_LEVELS) -> list[_Row]:
    """Captions of models at some levels, in order of time and level."""
    found = [row for row in rows if row["level"] in levels and row["level"] in MODEL_LEVELS]
    return sorted(found, key=lambda r: (r["start_s"], r["end_s"], levels.index(r["level"]), r["row_id"]))


def sentences_of(row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Sentences of a caption (`text`, `slot_text`, `facts`, `start_s`, `end_s`); one without sentences is one as a whole."""
    if row.get("sentences"):
        return list(row["sentences"])
    whole = {"text": row["text"], "slot_text": row["text"], "facts": []}
    return [{**whole, "start_s": row["start_s"], "end_s": row["end_s"]}]


def kept_sentences(row: Mapping[str, Any], claims: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The sentences of a caption without a contradicted claim. `claims` may hold those of other captions too."""
    cut = {c["sentence"] for c in claims if c["caption_id"] == row["row_id"] and c["status"] == "contradicted"}
    return [sentence for i, sentence in enumerate(sentences_of(row)) if i not in cut]


def kept_text(row: Mapping[str, Any], claims: Iterable[Mapping[str, Any]]) -> str:
    """The caption without its sentences that hold a contradicted claim, in neutral markup; "" when nothing is left."""
    return " ".join(str(sentence["text"]) for sentence in kept_sentences(row, claims))
