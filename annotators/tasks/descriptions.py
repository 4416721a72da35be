"""What is described of a stretch of footage, in order of time: people's descriptions first, kept sentences of models beside.

A sentence of a model is left out where a person's description of the same time contradicts it (a red star is no blue
star) or says the same already. Order is that of time, never that of rows (VideoGPT+ read frame captions in directory
order). Alikeness looks at words only, so a contradiction in quite other words stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ...engine.annotator import Rows
from ...engine.captions import kept_sentences, model_rows
from ...engine.described import COLUMNS, DESCRIBED_TABLES, LEAST_P, described_of, described_rows
from ...engine.kept import one_producer
from ...engine.task import EvidenceRow
from ...schemas.markup import Text, escape, parse, quote, validate
from ...schemas.matching import alike_descriptions, common_words
from ...schemas.sample import Evidence
from ...schemas.span import Span, overlap_s, span_or_none, to_us
from .common import RowDict, cite, inside, span_of

CAPTION_COLUMNS = ("start_s", "end_s", "level", "text", "sentences")
CLAIM_COLUMNS = ("caption_id", "sentence", "status")
CONTRADICTS = 0.3
"""Share of common content words from which two descriptions that exclude each other are of the same thing."""
SAME = 0.8
"""Likeness from which two descriptions of the same time say the same."""


@dataclass(frozen=True)
class Description:
    """One sentence about a span, in neutral markup, and the row that says it."""

    span: Span
    text: str
    row: RowDict
    told: bool
    """Whether a person (or a composer) says it."""

    @property
    def words(self) -> str:
        """Its text without markup."""
        return " ".join(t.text for t in parse(self.text) if isinstance(t, Text))


def descriptions(
    captions: Sequence[RowDict], claims: Iterable[RowDict], window: Span, levels: Sequence[str] = ("dense",)
) -> list[Description]:
    """The descriptions that lie in the window, merged; rows carry their `table`, `levels` are those of models' captions."""
    written = [row for row in captions if row["table"] == "captions"]
    told = [_told(row) for row in _timed(captions) if row["table"] == "events" or row["level"] in ("clip", "event")]
    known = list(claims)
    said = [s for row in model_rows(written, levels) for s in _sentences(row, known)]
    own = inside([*told, *said], window, lambda d: d.span.start_s, lambda d: d.span.end_s)
    people = [d for d in own if d.told]
    merged = people + [d for d in own if not d.told and not any(_yields(d, p) for p in people)]
    return sorted(merged, key=lambda d: (to_us(d.span.start_s), to_us(d.span.end_s), not d.told, d.text))


def sources_of(rows: Rows, *, least_p: float = LEAST_P) -> tuple[Sequence[RowDict], Sequence[RowDict]]:
    """Descriptions of one producer among people's and captions of one among models', each row with its `table`, and the
    contradicted claims about the latter.
    """
    said = [{**row, "table": "captions"} for row in one_producer(model_rows(rows["captions"]))]
    captions = [*described_rows(rows, least_p=least_p), *said]
    ids = {row["row_id"] for row in captions}
    claims = [c for c in rows["claims"] if c["status"] == "contradicted" and c["caption_id"] in ids]
    return captions, claims


def cited_sources(evidence: Sequence[EvidenceRow], *, least_p: float = LEAST_P) -> list[RowDict]:
    """The cited rows that describe something, each with its `table`."""
    models = [{**e.row, "table": e.table} for e in evidence if e.table == "captions" and model_rows([e.row])]
    return [*described_of(evidence, least_p=least_p), *models]


def cited_captions(found: Iterable[Description], claims: Iterable[RowDict]) -> tuple[Evidence, ...]:
    """Citations of the descriptions' rows, and of the contradicted claims that cut sentences from them."""
    rows: dict[str, RowDict] = {d.row["row_id"]: d.row for d in found}
    cut = [c for c in claims if c["caption_id"] in rows and c["status"] == "contradicted"]
    return (
        *(
            cite(table, row, CAPTION_COLUMNS if table == "captions" else COLUMNS[table])
            for table in DESCRIBED_TABLES
            for row in rows.values()
            if row["table"] == table
        ),
        *(cite("claims", c, CLAIM_COLUMNS) for c in cut),
    )


def stretches(
    clips: Sequence[RowDict], longest_s: float, enough: Callable[[Span], bool] = lambda span: True
) -> list[tuple[Span, list[RowDict]]]:
    """Kept footage as spans with the clips that they are made of: clips that touch or overlap are joined, up to `longest_s`.

    A clip that is longer stands alone. `enough(span)` may say that a span would hold too much: a new one then begins.
    """
    found: list[tuple[Span, list[RowDict]]] = []
    for clip in sorted(clips, key=lambda c: (c["start_s"], c["end_s"])):
        span = span_of(clip)
        if found:
            last, members = found[-1]
            joined = Span(last.start_s, max(last.end_s, span.end_s))
            if to_us(span.start_s) <= to_us(last.end_s) and joined.length_s <= longest_s and enough(joined):
                found[-1] = joined, [*members, clip]
                continue
        found.append((span, [clip]))
    return found


def contradicts(a: str, b: str) -> bool:
    """Whether two descriptions are of the same thing and exclude each other: same words but for left and right, red and blue."""
    return alike_descriptions(a, b) == 0 and common_words(a, b) >= CONTRADICTS


def sentence(text: str) -> str:
    """A description as a sentence of its own: a capital at its beginning, a full stop at its end."""
    text = text.strip()
    head = text[:1].upper() + text[1:]
    return head if head.endswith((".", "!", "?", ".”", "!”", "?”")) else f"{head}."


def in_order(found: Sequence[Description]) -> bool:
    """Whether the descriptions stand in order of time."""
    return all(to_us(a.span.start_s) <= to_us(b.span.start_s) for a, b in pairwise(found))


def _timed(rows: Iterable[RowDict]) -> list[RowDict]:
    return [row for row in rows if span_or_none(row["start_s"], row["end_s"])]


def _told(row: RowDict) -> Description:
    text = " ".join(str(row["text"]).split())
    plain = escape(text)
    return Description(span_of(row), plain if not validate(plain, media=1) else quote(text), row, True)


def _sentences(row: RowDict, claims: Sequence[RowDict]) -> list[Description]:
    found = []
    for said in kept_sentences(row, claims):
        span = span_or_none(said["start_s"], said["end_s"])
        if span is not None and str(said["text"]).strip():
            found.append(Description(span.quantised(), " ".join(str(said["text"]).split()), row, False))
    return found


def _yields(said: Description, told: Description) -> bool:
    """Whether a model's sentence gives way to a person's description."""
    if overlap_s(said.span, told.span) <= 0:
        return False
    return contradicts(said.words, told.words) or alike_descriptions(said.words, told.words) >= SAME
