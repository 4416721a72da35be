"""Which descriptions localisers look for in a medium: those of the recipe, and texts of descriptions whose spans stay hidden.

Whoever localises gets only the words: what people, importers or composers said about a medium (for measuring against them, or
to find their moment when they gave none), or what models said about its clips.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from ...engine.annotator import Params, Rows
from ...engine.captions import TOLD_LEVELS, model_rows, sentences_of, told_rows
from ...engine.grounding.proposals import query_id
from ...engine.llm.evidence import plain

QUERY_TABLES = ("captions", "claims", "events")
"""`claims` are read only because captions of models are given to no one else."""
ModelLevel = Literal["brief", "dense", "objects", "chapter"]


class QueryParams(Params):
    """Parameters of all localisers: what is looked for."""

    queries: tuple[str, ...] = Field((), description="descriptions that are looked for in every medium")
    queries_from: tuple[Literal["told", "models"], ...] = Field(
        ("told",),
        description="told: texts of described events of people, importers and composers, without their spans; models: "
        "sentences of captions that models wrote",
    )
    levels: tuple[str, ...] = Field(
        ("clip", "event"), description=f"levels of told captions that are looked for: {', '.join(TOLD_LEVELS)}"
    )
    model_levels: tuple[ModelLevel, ...] = Field(("brief", "dense"), description="levels of captions of models")
    max_words: int = Field(30, ge=1, description="longer descriptions are not looked for")
    most_queries: int = Field(
        300, ge=1, description="descriptions of one medium, at most; evenly spread where there are more"
    )
    most: int = Field(5, ge=1, description="proposals of one localiser for one description")


@dataclass(frozen=True)
class Wanted:
    """A description, and the row_ids that it comes from: what they say of its time is no evidence."""

    text: str
    rows: frozenset[str] = frozenset()


def wanted_in(params: QueryParams, rows: Rows) -> list[Wanted]:
    """The descriptions to look for, each once, in the order in which they come."""
    found: dict[str, tuple[str, set[str]]] = {}

    def add(text: str, row_id: str | None) -> None:
        said = " ".join(plain(text).split()).rstrip(".!")
        if said and len(said.split()) <= params.max_words:
            found.setdefault(query_id(said), (said, set()))[1].update([row_id] if row_id else [])

    for text in params.queries:
        add(text, None)
    if "told" in params.queries_from:
        for row in told_rows(rows["captions"]):
            if row["level"] in params.levels:
                add(row["text"], row["row_id"])
        for row in rows["events"]:
            if row["localiser"] is None:
                add(row["text"], row["row_id"])
    if "models" in params.queries_from:
        for row in model_rows(rows["captions"], params.model_levels):
            for sentence in sentences_of(row):
                add(str(sentence["text"]), row["row_id"])
    all_wanted = [Wanted(text, frozenset(ids)) for text, ids in found.values()]
    if len(all_wanted) <= params.most_queries:
        return all_wanted
    return [all_wanted[i * len(all_wanted) // params.most_queries] for i in range(params.most_queries)]
