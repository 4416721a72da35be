"""What a sample claims, in terms that another method can look for: words or letters, when they are there, and when not.

Read from what a model is shown and taught (question, options, typed answer), not from the evidence, so that a question
that was edited is caught too. A quotation is what stands in curly quotes; a choice between times claims its right span
and denies the others, a choice between texts claims the right text and denies the others in the span that is asked about.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ...schemas.markup import MarkupError, Moment, SpanMark, Text, parse
from ...schemas.sample import (
    AbsentAnswer,
    BoxAnswer,
    ChoiceAnswer,
    OrderAnswer,
    Sample,
    SpanAnswer,
    SpanBoxAnswer,
    SpansAnswer,
)
from ...schemas.span import Span

_QUOTED = re.compile("“([^“”]+)”")
_INNER = re.compile("‘([^‘’]+)’")


@dataclass(frozen=True)
class Claim:
    """That `text` is there in each of `spans` (source clock) and nowhere else in the window; never, when there is none.

    `at_s` and `box`: that it stands in this place at this time (or throughout the span, when `at_s` is None).
    `order`: instead of a text, that these texts come in this order.
    """

    text: str = ""
    spans: tuple[Span, ...] = ()
    denied: tuple[Span, ...] = ()
    """Spans of wrong options, in which it must not be."""
    others: tuple[str, ...] = ()
    """Texts of wrong options, which must not be in the span."""
    at_s: float | None = None
    box: tuple[float, float, float, float] | None = None
    order: tuple[str, ...] = ()


def claim_of(sample: Sample) -> Claim | None:
    """The claim of a sample about quoted words or letters; None when it makes none."""
    question = " ".join(t.text for t in sample.turns if t.role == "user")
    quoted = quotations(question)
    if quoted and "on_screen_text" in sample.needs and (inner := _INNER.search(quoted[0])):
        quoted = [inner[1]]  # a description that quotes writing
    answer = sample.answer
    match answer:
        case SpanAnswer():
            return Claim(quoted[0], (Span(answer.start_s, answer.end_s),)) if quoted else None
        case SpanBoxAnswer():
            return Claim(quoted[0], (Span(answer.start_s, answer.end_s),), box=answer.box) if quoted else None
        case SpansAnswer():
            return Claim(quoted[0], tuple(Span(a, b) for a, b in answer.spans)) if quoted else None
        case BoxAnswer():
            return Claim(quoted[0], at_s=answer.t_s, box=answer.box) if quoted else None
        case AbsentAnswer():
            return Claim(quoted[0]) if quoted else None
        case OrderAnswer():
            return Claim(order=tuple(plain(sample.options[i].text) for i in answer.order))
        case ChoiceAnswer():
            return _choice(sample, answer.index, question, quoted)
    return None


def _choice(sample: Sample, index: int, question: str, quoted: list[str]) -> Claim | None:
    texts = [o.text for o in sample.options]
    spans = [spans_in(text) for text in texts]
    if quoted and all(len(s) == 1 for s in spans):
        return Claim(quoted[0], (spans[index][0],), denied=tuple(s[0] for i, s in enumerate(spans) if i != index))
    asked = spans_in(question)
    if len(asked) == 1 and not any(spans):
        said = [(quotations(text) or [plain(text)])[0] for text in texts]
        return Claim(said[index], (asked[0],), others=tuple(t for i, t in enumerate(said) if i != index))
    return None


def quotations(text: str) -> list[str]:
    """Texts in curly quotes, in order."""
    return _QUOTED.findall(plain(text))


def plain(text: str) -> str:
    """Markup without its tags."""
    try:
        return "".join(t.text for t in parse(text) if isinstance(t, Text)).strip()
    except MarkupError:
        return text


def spans_in(text: str) -> list[Span]:
    """Spans that a text names: span marks, or two moments."""
    try:
        tokens = parse(text)
    except MarkupError:
        return []
    found = [t.span for t in tokens if isinstance(t, SpanMark) and t.start_s < t.end_s]
    moments = [t.t_s for t in tokens if isinstance(t, Moment)]
    if not found and len(moments) == 2 and moments[0] < moments[1]:
        found = [Span(*moments)]
    return found
