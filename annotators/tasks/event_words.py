"""Described events as tasks use them: their words, the forms that wordings fill in, and why a description may be true of a span.

A description is proven false of a span by what is described then: it overlaps it nowhere itself, and nothing that is described
during the span is like it. What nobody described is not ruled out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated

from pydantic import AfterValidator, Field

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Rows
from ...engine.described import LEAST_P
from ...schemas.clauses import event_of
from ...schemas.markup import escape, quote, validate
from ...schemas.matching import alike_descriptions, quoted_parts
from ...schemas.sample import Need
from ...schemas.span import Span, overlap_s
from .common import RowDict, Withheld, span_of
from .sight import captions_of

SLOT_OF = {"quoted": "quote", "shown": "gerund", "asked": "does"}
"""The slot that each kind of question about an event needs."""


def _several(events: tuple[int, int]) -> tuple[int, int]:
    if not 2 <= events[0] <= events[1] <= 8:
        raise ValueError("events is [fewest, most], between 2 and 8")
    return events


SeveralEvents = Annotated[tuple[int, int], AfterValidator(_several)]
"""Fewest and most events of one question, from two to eight."""


class EventParams(BaseParams):
    """Parameters of tasks about described events."""

    per_medium: int = Field(6, ge=1, description="Events or groups of events that are asked about per medium, at most.")
    min_event_s: float = Field(0.5, gt=0, description="Shorter events are not asked about.")
    max_words: int = Field(30, ge=1, description="Longer descriptions are not asked about.")
    different: float = Field(0.6, gt=0, le=1, description="Share of common words below which events are others.")
    least_p: float = Field(
        LEAST_P, ge=0, le=1, description="Least calibrated probability of fused events; 0 takes uncalibrated ones too."
    )

    def askable(self, row: RowDict) -> bool:
        """Whether an event is long enough and its description short enough."""
        return span_of(row).length_s >= self.min_event_s and 1 <= len(words_of(row).split()) <= self.max_words

    def require_askable(self, rows: Iterable[RowDict]) -> None:
        """Raises `Withheld` for an event that is not."""
        for row in rows:
            if not self.askable(row):
                raise Withheld(f"{words_of(row)!r} is too long, or its event too short")


def events_of(rows: Rows, params: EventParams) -> list[RowDict]:
    """All described spans of one producer, in order of time."""
    return captions_of(rows, least_p=params.least_p)


def words_of(row: RowDict) -> str:
    """A description as one line, without its full stop."""
    return " ".join(str(row["text"]).split()).rstrip(".")


def plain(text: str) -> str:
    """A description as markup that is no quotation. Raises `Withheld` where it names a time or breaks off a quotation."""
    found = escape(text)
    if validate(found, media=1):
        raise Withheld(f"{text!r} can only be quoted")
    return found


def forms_of(text: str) -> dict[str, str]:
    """The slots that a description fills: quote always, gerund and does where its grammar allows.

    Numbers of time and lone quotation marks may only stand in a quotation.
    """
    event = event_of(text)
    forms = {"gerund": event.gerund, "does": event.question} if event is not None else {}
    safe = {name: escape(form) for name, form in forms.items() if form is not None}
    return {"quote": quote(text)} | {name: form for name, form in safe.items() if not validate(form, media=1)}


def kinds_of(text: str, kinds: Sequence[str] = tuple(SLOT_OF)) -> list[str]:
    """The kinds of question that a description can be asked for with."""
    return [kind for kind in kinds if SLOT_OF[kind] in forms_of(text)]


def needs_of(texts: Iterable[str]) -> tuple[Need, ...]:
    """What one must see to tell these events."""
    return ("vision", "on_screen_text") if any(quoted_parts(text) for text in texts) else ("vision",)


def why_true(text: str, span: Span, rows: Iterable[RowDict], different: float) -> str:
    """Why `text` may be true of `span`: something like it is described then; empty when nothing speaks for it."""
    for row in rows:
        if overlap_s(span_of(row), span) > 0 and alike_descriptions(text, str(row["text"])) >= different:
            return f"{row['text']!r}, which is alike, is described from {row['start_s']:g} to {row['end_s']:g} s"
    return ""
