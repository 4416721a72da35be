"""What grounding tasks share: how a query that happens once, several times or not at all becomes answer and wording.

The answer is a span, all spans in order, or "absent". Difficulty factors are those of one span, taken over all of them;
an absent sample has none of its window as evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import fsum
from typing import Any

from pydantic import Field

from ...engine.annotator import Params
from ...engine.grounding.query_windows import Footage
from ...engine.grounding.windows import WindowPolicy, window_problems
from ...engine.wordings import Outcome, Wording
from ...schemas.sample import AbsentAnswer, Answer, SpanAnswer, SpanBoxAnswer, SpansAnswer
from ...schemas.span import Span, overlap_s
from .common import RowDict, Withheld, covering, moment, placement, span_mark, span_of, wordings_of


class GroundingParams(Params):
    """Parameters of every task that asks when something happens."""

    per_clip: int = Field(2, ge=1, description="Samples per kept clip, at most.")
    per_medium: int = Field(8, ge=1, description="Samples per medium, at most.")
    window: WindowPolicy = Field(WindowPolicy(), description="What a sample shows around its evidence.")
    max_spans: int = Field(4, ge=1, description="Most times that it may happen in the window.")
    repeated_share: float = Field(
        0.5, ge=0, le=1, description="Of what happens again: share that is shown with its nearest repetition."
    )
    absent_share: float = Field(
        0.1, ge=0, lt=1, description="Share of samples that ask for what does not happen in the window, only elsewhere."
    )
    absent_gap_s: float = Field(5.0, ge=0, description="Least time between such a window and where it happens.")

    def footage(self, media: RowDict, held: Sequence[RowDict]) -> Footage:
        """What may be shown of a medium around something in the clips `held`."""
        bounds = Span(held[0]["start_s"], held[-1]["end_s"]) if held and self.window.within == "clip" else None
        return Footage(media["duration_s"], bounds)


@dataclass(frozen=True)
class Shown:
    """What a window shows of a query: its spans in order, none when it is absent, and the difficulty factors of that."""

    spans: tuple[Span, ...]
    factors: dict[str, float]

    @property
    def outcome(self) -> Outcome:
        """Unique, repeated or absent."""
        return "absent" if not self.spans else "unique" if len(self.spans) == 1 else "repeated"


def shown_in(
    window: Span, spans: Sequence[Span], media: RowDict, clips: Sequence[RowDict], params: GroundingParams
) -> Shown:
    """What `window` shows of something that happens in `spans`: all of them, or nothing of the one that lies outside.

    Raises `Withheld` for a window, spans or cited clips that the parameters do not allow.
    """
    policy, absent = params.window, len(spans) == 1 and overlap_s(spans[0], window) <= 0
    seen = () if absent else tuple(spans)
    for problem in window_problems(
        window, seen, media["duration_s"], policy.length_s, evidence_share_max=policy.evidence_share_max
    ):
        raise Withheld(problem)
    require_places(seen, window, policy.evidence_share_max, params.max_spans)
    away = away_from(window, spans[0], params.absent_gap_s) if absent else {}
    if not clips or list(clips) != (clip_shown(clips, window) if absent else covering(clips, spans)):
        raise Withheld("what is asked about is not inside kept clips")
    return Shown(seen, placed(window, seen) | away)


def worded(task: str, kind: str, wording: str, form: str, outcome: Outcome) -> tuple[Wording, Wording]:
    """Question and answer form of those identifiers. Raises `Withheld` when they do not exist or do not fit the outcome."""
    wordings = wordings_of(task)
    question, answer = wordings.question(kind, wording), wordings.answer(kind, form)
    if question is None or answer is None or answer.outcome != outcome:
        raise Withheld(f"unknown wording {wording} or answer form {form}")
    return question, answer


def answer_of(spans: Sequence[Span]) -> SpanAnswer | SpansAnswer | AbsentAnswer:
    """The typed answer for spans in order."""
    if not spans:
        return AbsentAnswer()
    if len(spans) == 1:
        return SpanAnswer(start_s=spans[0].start_s, end_s=spans[0].end_s)
    return SpansAnswer(spans=tuple((s.start_s, s.end_s) for s in spans))


def spans_in(answer: Answer) -> list[Span]:
    """The spans of a typed answer; none for any other kind."""
    if isinstance(answer, SpanAnswer | SpanBoxAnswer):
        return [Span(answer.start_s, answer.end_s)]
    return [Span(*span) for span in answer.spans] if isinstance(answer, SpansAnswer) else []


def slots_of(spans: Sequence[Span]) -> dict[str, str]:
    """The slots span, start and end of one span, spans of several; none when there is none."""
    if len(spans) == 1:
        return {"span": span_mark(spans[0]), "start": moment(spans[0].start_s), "end": moment(spans[0].end_s)}
    return {"spans": listed([span_mark(s) for s in spans])} if spans else {}


def listed(items: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


def placed(window: Span, spans: Sequence[Span]) -> dict[str, float]:
    """Difficulty factors: share of the window that is evidence, where it lies (no position for none), how often."""
    found: dict[str, float] = {"evidence_ratio": 0.0, "occurrences": float(len(spans))}
    if spans:
        each = [placement(window, s) for s in spans]
        found["evidence_ratio"] = round(fsum(e["evidence_ratio"] for e in each), 6)
        found["position"] = round(fsum(e["position"] for e in each) / len(each), 6)
    return found


def require_places(spans: Sequence[Span], window: Span, share_max: float, max_spans: int) -> None:
    """Raises `Withheld` for too many spans, spans out of order, or spans that together fill too much of the window."""
    if len(spans) > max_spans:
        raise Withheld(f"it happens {len(spans)} times in the window")
    if any(b.start_s < a.end_s for a, b in pairwise(spans)):
        raise Withheld("its spans are not in order, or overlap")
    if fsum(s.length_s for s in spans) > share_max * window.length_s + 1e-6:
        raise Withheld(f"it fills more than {share_max:g} of the window")


def away_from(window: Span, source: Span, gap_s: float) -> dict[str, float]:
    """Difficulty factor of an absent sample: how far from the window it does happen, seconds.

    Raises `Withheld` when that is less than `gap_s`.
    """
    away_s = max(source.start_s - window.end_s, window.start_s - source.end_s)
    if away_s < gap_s - 1e-6:
        raise Withheld("the footage shown reaches too near to where it happens")
    return {"away_s": round(away_s, 6)}


def clip_shown(clips: Sequence[RowDict], window: Span) -> list[RowDict]:
    """The clip that most of the window shows (the first of equals), for a sample that is about no place; or none."""
    best: Any = max(clips, key=lambda c: (overlap_s(span_of(c), window), -c["start_s"]), default=None)
    return [best] if best is not None and overlap_s(span_of(best), window) > 0 else []
