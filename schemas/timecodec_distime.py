"""Time codec `distime`: one placeholder per interval, its two times in seconds in a list beside the text.

`tgt` is flat, `[s1, e1, s2, e2, ...]`, in reading order over questions and answers. Times are continuous: nothing is lost but
what lies below a microsecond. The source's loader cuts times to one second before the end of the video, so an event of
the last second loses its end there: `shortened` finds those, the list keeps the truth.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .span import Span, from_us, to_us
from .timecodec import TimeCodecError

PLACEHOLDER = "<TIME_STAMP>"
LOADER_MARGIN_S = 1.0
MAX_ERROR_S = 0.5e-6


def flat(spans: Iterable[Span]) -> list[float]:
    """The list beside the text."""
    return [from_us(to_us(t)) for span in spans for t in (span.start_s, span.end_s)]


def spans_of(text: str, tgt: Sequence[float]) -> list[Span]:
    """Intervals of a text with its list. Raises `TimeCodecError` when their numbers differ or one is no interval."""
    places = text.count(PLACEHOLDER)
    if len(tgt) != 2 * places:
        raise TimeCodecError(f"{places} placeholders {PLACEHOLDER} and {len(tgt)} times; each needs two")
    try:
        return [Span(tgt[i], tgt[i + 1]) for i in range(0, len(tgt), 2)]
    except ValueError as error:
        raise TimeCodecError(str(error)) from None


def shortened(spans: Iterable[Span], duration_s: float) -> list[Span]:
    """Intervals that the source's loader cuts: they reach into the last second."""
    return [span for span in spans if to_us(span.end_s) > to_us(duration_s - LOADER_MARGIN_S)]
