"""Described events whose thing is tracked: what happens, when, and where the thing is meanwhile.

An event belongs to the one track that its description names first, and that is in the picture all the time that is asked
for: nothing of a tube is guessed. Two tracks that could be called the same during the event make it ambiguous, and it is
left out. Shared by the tasks that ask for tubes; everything follows from cited rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.described import cite_described
from ...engine.kept import kept_clips, medium_row, split_of
from ...schemas.matching import alike_descriptions
from ...schemas.objects import phrase_of
from ...schemas.relation_phrases import Mention, mentions_of
from ...schemas.sample import Evidence, Sample, TubeAnswer
from ...schemas.span import Span, overlap_s
from ...schemas.tubes import Place, around_times, rhythm, tube_of
from .common import CLIP_COLUMNS, MEDIA_COLUMNS, RowDict, Withheld, cite, shuffled, span_of
from .event_words import words_of
from .named_objects import BOX_COLUMNS, TRACK_COLUMNS, Objects, objects_in, rivals
from .sight import captions_of

_ARTICLE = re.compile(r"(?:\b(?:an?|the|some)\s+)$", re.IGNORECASE)
SOMETHING = "something"


class TubeParams(BaseParams):
    """Parameters of tasks about events with a tracked thing."""

    per_medium: int = Field(6, ge=1, description="Events that are asked about per medium, at most.")
    window_s: tuple[float, float] = Field((8.0, 60.0), description="Shortest and longest window, drawn log-uniformly.")
    evidence_share_max: float = Field(0.6, gt=0, le=1, description="Greatest share of the window that the event fills.")
    step_s: float = Field(0.5, gt=0, description="Time between two boxes of a tube, counted from the window's start.")
    boxes: tuple[int, int] = Field((2, 40), description="Fewest and most boxes of a tube.")
    max_gap_s: float = Field(1.0, gt=0, description="Longest time between two stored boxes that is interpolated.")
    max_words: int = Field(30, ge=1, description="Longer descriptions are not asked about.")
    different: float = Field(0.6, gt=0, le=1, description="Share of common words below which events are others.")

    @property
    def rhythm_words(self) -> str:
        """How a question says how often a box is asked for."""
        words = {
            0.25: "every quarter of a second",
            0.5: "every half second",
            1.0: "every second",
            2.0: "every other second",
        }
        return words.get(self.step_s, "every sampled moment")


@dataclass(frozen=True)
class EventTube:
    """An event in a window, its thing and where that is meanwhile."""

    event: RowDict
    text: str
    """The description in one line, without a full stop."""
    span: Span
    track: RowDict
    mention: Mention
    """Where the description names the thing."""
    places: tuple[Place, ...]
    boxes: tuple[RowDict, ...]
    """The rows that the places are made of."""

    @property
    def name(self) -> str:
        return phrase_of(self.track)

    @property
    def masked(self) -> str:
        """The description with `something` instead of its thing."""
        return masked(self.text, [self.mention])

    def answer(self, said: str = "both") -> TubeAnswer:
        return TubeAnswer(start_s=self.span.start_s, end_s=self.span.end_s, boxes=self.places, said=said)


def tube_in(event: RowDict, objects: Objects, window: Span, params: TubeParams) -> EventTube:
    """The tube of a described event. Raises `Withheld`."""
    text, span = words_of(event), span_of(event)
    if not 1 <= len(text.split()) <= params.max_words:
        raise Withheld("the description is too long")
    there = [t for t in objects.tracks if overlap_s(span_of(t), span) > 0]
    placed = [objects.placed[str(t["track_id"])] for t in there if str(t["track_id"]) in objects.placed]
    mentions = mentions_of(text, placed)
    if not mentions:
        raise Withheld("the description names no tracked thing that is there, or one of two of the same name")
    track = next(t for t in there if str(t["track_id"]) == mentions[0].name)
    if rivals(track, there):
        raise Withheld(f"two things could be called {phrase_of(track)!r} during the event")
    times = rhythm(window, span, params.step_s)
    if not params.boxes[0] <= len(times) <= params.boxes[1]:
        raise Withheld(f"{len(times)} moments of the rhythm lie in the event")
    places = tube_of(objects.placed[str(track["track_id"])], times, params.max_gap_s)
    if places is None:
        raise Withheld("the place of the thing is not known all the time")
    rows = around_times(objects.boxes[str(track["track_id"])], times)
    return EventTube(event, text, span, track, mentions[0], places, tuple(rows))


def require_alone(text: str, others: Sequence[RowDict], window: Span, different: float) -> None:
    """Raises `Withheld` where another described event of the window is much like it, or lies outside."""
    for other in others:
        if overlap_s(span_of(other), window) <= 0:
            raise Withheld("a cited description lies outside the window")
        if alike_descriptions(text, words_of(other)) >= different:
            raise Withheld(f"{words_of(other)!r} in the window is much like it")


def evidence_of(
    media: RowDict,
    clips: Sequence[RowDict],
    events: Sequence[RowDict],
    tracks: Sequence[RowDict],
    boxes: Sequence[RowDict],
) -> tuple[Evidence, ...]:
    """What a sample about a tube rests on; the asked event, its track and its boxes come first of their kind."""
    return (
        cite("media", media, MEDIA_COLUMNS),
        *(cite("clips", c, CLIP_COLUMNS) for c in clips),
        *(cite_described(e) for e in events),
        *(cite("tracks", t, TRACK_COLUMNS) for t in tracks),
        *(cite("boxes", b, BOX_COLUMNS) for b in boxes),
    )


def masked(text: str, mentions: Sequence[Mention]) -> str:
    """A text with `something` in the place of each mention and of the article before it."""
    for mention in sorted(mentions, key=lambda m: -m.first):
        head = _ARTICLE.sub("", text[: mention.first])
        text = f"{head}{SOMETHING}{text[mention.last :]}"
    return text


@dataclass(frozen=True)
class Told:
    """The described events and tracked things of a medium, ready to be asked about."""

    media: RowDict
    clips: tuple[RowDict, ...]
    objects: Objects
    events: tuple[RowDict, ...]
    split: str


def asked_in_turn(
    unit: Unit, rows: Rows, task: str, most: int, ask: Callable[[Told, RowDict], Iterable[Sample]]
) -> Iterator[Row]:
    """`samples` rows of at most `most` events of a medium, in a seeded order; events of which `ask` makes none do not count.

    Raises `SkipUnit` without events or without tracks that have boxes.
    """
    assert unit.medium is not None
    media_id = unit.medium.media_id
    media, objects, events = medium_row(rows, media_id), objects_in(rows), captions_of(rows)
    if not events or not objects.placed:
        raise SkipUnit("no described events, or no tracks with boxes")
    told = Told(media, tuple(kept_clips(rows, media_id)), objects, tuple(events), split_of(rows, media_id))
    made = 0
    for event in shuffled(events, unit.seed, task, key=lambda e: e["row_id"]):
        if made == most:
            return
        samples = list(ask(told, event))
        made += bool(samples)
        yield from (("samples", s.to_row()) for s in samples)
