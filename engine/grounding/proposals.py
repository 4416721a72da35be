"""A proposal is a span where a localiser believes that a description holds, with its own score; the best few are kept apart.

Scores lie in 0..1 and compare only within one localiser; `calibration.py` turns them into probabilities. All spans are on
the medium's clock and inside the medium.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from ...schemas.ids import derive_id
from ...schemas.metrics import normalise_words
from ...schemas.span import Span, from_us, span_or_none, tiou, to_us

Family = Literal["speech", "pixels", "captions", "sound", "text"]
FAMILIES: tuple[Family, ...] = get_args(Family)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A span, how sure the localiser is (0..1), and the row_ids that it was made from."""

    span: Span
    score: float
    rows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A proposal as it is stored: whose it is, and its rank among that localiser's for the same description."""

    span: Span
    score: float
    localiser: str
    family: str
    rank: int
    row_id: str = ""

    @classmethod
    def from_row(cls, row: Any) -> Candidate | None:
        """A row of `candidates`; None for one that is no span."""
        span = span_or_none(from_us(to_us(row["start_s"])), from_us(to_us(row["end_s"])))
        if span is None:
            return None
        return cls(span, row["score"], row["localiser"], row["family"], row["rank"], str(row.get("row_id") or ""))


def query_id(text: str) -> str:
    """Identifier of a description: the same for the same words, whatever their case and punctuation."""
    return derive_id("query", " ".join(normalise_words(text)) or text)


def best_apart(proposals: Iterable[Proposal], most: int, tiou_max: float = 0.7) -> list[Proposal]:
    """The best `most` proposals, best first, none with a tIoU above `tiou_max` with a better one."""
    taken: list[Proposal] = []
    for one in sorted(proposals, key=lambda p: (-p.score, p.span)):
        if len(taken) == most:
            break
        if one.score > 0 and all(tiou(one.span, other.span) <= tiou_max for other in taken):
            taken.append(one)
    return taken


def candidate_rows(
    text: str, localiser: str, family: Family, proposals: Sequence[Proposal], duration_s: float
) -> list[tuple[str, dict[str, Any]]]:
    """Rows of `candidates` for one description, best first, cut to the medium."""
    found: list[tuple[str, dict[str, Any]]] = []
    for proposal in proposals:
        span = span_or_none(max(0.0, proposal.span.start_s), min(proposal.span.end_s, duration_s))
        if span is None or to_us(span.end_s) <= to_us(span.start_s):
            continue
        row = {
            "start_s": from_us(to_us(span.start_s)),
            "end_s": from_us(to_us(span.end_s)),
            "text": text,
            "query_id": query_id(text),
            "localiser": localiser,
            "family": family,
            "score": round(min(1.0, max(0.0, proposal.score)), 6),
            "rank": len(found) + 1,
            "source_rows": sorted(set(proposal.rows)),
        }
        if not any((row["start_s"], row["end_s"]) == (o["start_s"], o["end_s"]) for _, o in found):
            found.append(("candidates", row))
    return found
