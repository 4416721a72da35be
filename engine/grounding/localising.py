"""Unique, repeated, absent or undecided: a query is looked for by every localiser at hand before it becomes a sample.

A localiser scores a query over footage and returns where it is found. `decide` asks three kinds of them. The primary one
looks for what the question is about and gives the answer's spans. A rival looks for what a reader of the question could
take for it: what it finds elsewhere in the window makes the sample undecided. A witness is only asked whether something is
really absent. Between a localiser's thresholds nothing is decided, and undecided queries are withheld.

Who plays which part, by the kind of query:

| query | primary | rivals | witnesses |
|---|---|---|---|
| words that are said | spoken words | writing, descriptions: "the line X" may be read or described too | |
| a text on screen | writing | | spoken words, descriptions: what is said need not be shown, but may hint at writing that was not read |
| an event | descriptions, similarity curve of that very query | what it quotes: spoken words, writing | |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

from ...schemas.matching import alike_descriptions, alike_lines, alike_runs
from ...schemas.metrics import normalise_words
from ...schemas.span import Span, from_us, merge, overlap_s, to_us

OVERLAP_SHARE = 0.5
"""A rival agrees with the answer when this share of the shorter of the two spans overlaps."""


@dataclass(frozen=True, slots=True)
class Found:
    """A place that is like the query: its span on the medium's clock, how like (0..1), the text and its rows."""

    span: Span
    score: float
    text: str
    rows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """A text that holds for a span: a word, a sentence, a sign, a description."""

    span: Span
    text: str
    rows: tuple[str, ...] = ()


class Localiser(Protocol):
    """Finds a query in footage. From `high` on it is there, below `low` it is not, between them nobody knows."""

    @property
    def name(self) -> str:
        """What it looks at, for reasons in words."""

    @property
    def high(self) -> float:
        """The score from which the query is there."""

    @property
    def low(self) -> float:
        """The score below which it is not."""

    def find(self, query: str, window: Span) -> list[Found]:
        """Places that overlap the window with a score of at least `low`, in order; the best one when there is none."""


@dataclass(frozen=True)
class Spoken:
    """Runs of spoken words by normalised edit distance; lines are words or segments, in the order of speech.

    The span of a find is that of all lines that it touches: exact for words, coarse for segments.
    """

    lines: Sequence[Line]
    high: float = 0.92
    low: float = 0.65
    name: str = "speech"

    def find(self, query: str, window: Span) -> list[Found]:
        """Runs within the lines that touch the window."""
        near = [line for line in self.lines if overlap_s(line.span, window) > 0]
        tokens = [(word, i) for i, line in enumerate(near) for word in normalise_words(line.text)]
        found = []
        for run in alike_runs(normalise_words(query), [word for word, _ in tokens], self.low):
            held = near[tokens[run.first][1] : tokens[run.last - 1][1] + 1]
            found.append(_joined(held, run.score))
        return found


@dataclass(frozen=True)
class Written:
    """Texts on screen (one line per appearance), by edit distance of letters; a text that holds the query is alike."""

    lines: Sequence[Line]
    high: float = 0.95
    low: float = 0.6
    name: str = "writing"

    def find(self, query: str, window: Span) -> list[Found]:
        """Appearances that touch the window."""
        return _scored(self.lines, window, self.low, lambda text: alike_lines(query, text))


@dataclass(frozen=True)
class ReadAloud:
    """Runs of words within what is written, for a query that is spoken: each appearance is read by itself."""

    lines: Sequence[Line]
    high: float = 0.92
    low: float = 0.65
    name: str = "writing"

    def find(self, query: str, window: Span) -> list[Found]:
        """Appearances that touch the window and hold a run like the query."""
        words = normalise_words(query)

        def score(text: str) -> float:
            return max((run.score for run in alike_runs(words, normalise_words(text), self.low)), default=0.0)

        return _scored(self.lines, window, self.low, score)


@dataclass(frozen=True)
class Described:
    """Descriptions of events, by their content words; see `alike_descriptions`."""

    lines: Sequence[Line]
    high: float = 0.999
    low: float = 0.6
    name: str = "descriptions"

    def find(self, query: str, window: Span) -> list[Found]:
        """Descriptions whose span touches the window."""
        return _scored(self.lines, window, self.low, lambda text: alike_descriptions(query, text))


class Quoting:
    """Looks for what a query quotes instead of the query: `a sign reads “OPEN”` is where OPEN stands."""

    def __init__(self, quoted: str, localiser: Localiser) -> None:
        self.quoted, self.localiser = quoted, localiser
        self.name, self.high, self.low = localiser.name, localiser.high, localiser.low

    def find(self, query: str, window: Span) -> list[Found]:
        """Places of the quoted words."""
        return self.localiser.find(self.quoted, window)


@dataclass(frozen=True)
class Curve:
    """A stored similarity curve of pictures and one prompt; it speaks only about that very prompt.

    `scale` are the cosine similarities that stand for 0 and 1; they depend on the model.
    """

    prompt: str
    pictures: Sequence[tuple[Span, float]]
    scale: tuple[float, float] = (0.15, 0.35)
    high: float = 0.75
    low: float = 0.6
    name: str = "similarity"

    def find(self, query: str, window: Span) -> list[Found]:
        """Stretches of pictures above `low`; nothing for another query."""
        if normalise_words(query) != normalise_words(self.prompt):
            return []
        least, most = self.scale
        lines = [(span, min(1.0, max(0.0, (value - least) / (most - least)))) for span, value in self.pictures]
        seen = [Found(span, score, query) for span, score in lines if overlap_s(span, window) > 0]
        above = [f for f in seen if f.score >= self.low]
        if not above:
            return sorted(seen, key=lambda f: -f.score)[:1]
        return [
            Found(span, max(f.score for f in above if overlap_s(f.span, span) > 0), query)
            for span in merge(f.span for f in above)
        ]


@dataclass(frozen=True)
class Unique:
    """It happens once."""

    place: Found


@dataclass(frozen=True)
class Repeated:
    """It happens several times, in order."""

    places: tuple[Found, ...]


@dataclass(frozen=True)
class Absent:
    """It does not happen; `nearest` is what came closest."""

    nearest: Found | None


@dataclass(frozen=True)
class Undecided:
    """Nobody can tell; `reason` says who found what."""

    reason: str


Decision = Unique | Repeated | Absent | Undecided


def decide(
    query: str,
    window: Span,
    primary: Localiser,
    rivals: Sequence[Localiser] = (),
    witnesses: Sequence[Localiser] = (),
    *,
    min_apart_s: float = 0.0,
) -> Decision:
    """How often `query` happens in `window`, as far as all localisers agree.

    Undecided: a score between the thresholds of the primary localiser, a place that the window cuts, two places that
    overlap or lie less than `min_apart_s` apart, a rival that finds it where the primary does not, and anything that
    anybody finds when the primary finds nothing.
    """
    found = [f for f in primary.find(query, window) if overlap_s(f.span, window) > 0]
    for f in found:
        if primary.low <= f.score < primary.high:
            return Undecided(f"{primary.name}: {f.text!r} is much alike ({f.score:.2f})")
    sure = sorted((f for f in found if f.score >= primary.high), key=lambda f: f.span)
    if not sure:
        for other in (*rivals, *witnesses):
            for f in above_low(other, query, window):
                return Undecided(f"{other.name}: {f.text!r} is alike ({f.score:.2f}), but not found by {primary.name}")
        return Absent(max(found, key=lambda f: f.score, default=None))
    for f in sure:
        if not window.contains_span(f.span):
            return Undecided(f"{primary.name}: the window cuts {f.text!r}")
    for a, b in pairwise(sure):
        if b.span.start_s - a.span.end_s < min_apart_s or overlap_s(a.span, b.span) > 0:
            return Undecided(f"{primary.name}: {a.text!r} is found twice at about the same time")
    for rival in rivals:
        for f in above_low(rival, query, window):
            if not any(_same_time(f.span, s.span) for s in sure):
                return Undecided(f"{rival.name}: {f.text!r} is alike ({f.score:.2f}) at another time")
    return Unique(sure[0]) if len(sure) == 1 else Repeated(tuple(sure))


def line(row: Mapping[str, Any], text: str) -> Line:
    """A row with `start_s`, `end_s` and an identifier as a line; one without length lasts a microsecond."""
    start = to_us(row["start_s"])
    span = Span(from_us(start), from_us(max(to_us(row["end_s"]), start + 1)))
    return Line(span, text, (str(row["row_id"]),))


def _scored(lines: Sequence[Line], window: Span, low: float, score: Callable[[str], float]) -> list[Found]:
    found = [Found(one.span, score(one.text), one.text, one.rows) for one in lines if overlap_s(one.span, window) > 0]
    above = [f for f in found if f.score >= low]
    return sorted(above, key=lambda f: f.span) if above else sorted(found, key=lambda f: -f.score)[:1]


def _joined(lines: Sequence[Line], score: float) -> Found:
    span = Span(min(one.span.start_s for one in lines), max(one.span.end_s for one in lines))
    return Found(span, score, " ".join(one.text for one in lines), tuple(r for one in lines for r in one.rows))


def above_low(localiser: Localiser, query: str, window: Span) -> list[Found]:
    """Places in the window where a localiser does not rule the query out."""
    found = localiser.find(query, window)
    return [f for f in found if f.score >= localiser.low and overlap_s(f.span, window) > 0]


def _same_time(a: Span, b: Span) -> bool:
    return overlap_s(a, b) >= OVERLAP_SHARE * min(a.length_s, b.length_s)
