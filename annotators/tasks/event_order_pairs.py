"""Which order matches the footage? The events of a window in their true order, and the same clauses shuffled (as CAR does).

Both options hold the same clauses with the same words between them, so whoever does not read order cannot tell them apart:
a bag of words ties. The events are distinct and do not overlap; a clause that is described again in the window would make the
order ambiguous and withholds the sample. The permutation is drawn among all but the identity, from the events alone, and its
rank is stored as `difficulty.permutation`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations, pairwise
from math import factorial
from typing import ClassVar

from pydantic import Field

from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.described import cite_described, described_of
from ...engine.distractors.texts import gap_s
from ...engine.distractors.vocabulary import OTHER_ORDER
from ...engine.grounding.windows import NoWindow, choose_window, window_problems
from ...engine.kept import kept_clips, medium_row, split_of
from ...engine.task import EvidenceRow, Solver, Task
from ...schemas.chain import Step
from ...schemas.chain_building import Trail
from ...schemas.ids import seeded_fraction
from ...schemas.markup import quote
from ...schemas.matching import alike_descriptions
from ...schemas.metrics import normalise_words
from ...schemas.permutations import permutation_of, swapped_pairs
from ...schemas.sample import Option, Sample
from ...schemas.span import Span, overlap_s, to_us
from ...schemas.verifying import Check
from .chain_of_grounding import window_of
from .choosing import Choice, choice_sample
from .common import (
    CLIP_COLUMNS,
    MEDIA_COLUMNS,
    RowDict,
    Withheld,
    cite,
    covering,
    only_row,
    placement,
    rebuilt,
    rows_of,
    shuffled,
    span_mark,
    span_of,
    wordings_of,
)
from .event_words import EventParams, SeveralEvents, events_of, needs_of, words_of
from .told_choice import listed

KIND = "match"


class Params(EventParams):
    """Parameters of event_order_pairs."""

    events: SeveralEvents = Field((2, 5), description="Fewest and most events of a list; as many as drawn, if found.")
    min_gap_s: float = Field(0.0, ge=0, description="Least time from the end of an event to the start of the next.")
    max_gap_s: float = Field(30.0, gt=0, description="Greatest time between neighbours of a list.")
    window_s: tuple[float, float] = Field((2.0, 120.0), description="Shortest and longest window, drawn log-uniformly.")


class EventOrderPairs(Task[Params]):
    """Samples from `captions` or `events` with spans of one medium."""

    name = "event_order_pairs"
    version = 1
    Params = Params
    reads = ("media", "clips", "selection", "captions", "events", "footage_groups")
    optional_reads = ("selection", "captions", "events", "footage_groups")
    must_hurt: ClassVar[tuple[Solver, ...]] = (
        "prior", "options_only", "question_only", "middle_frame", "first_frame", "shuffled_frames",
    )  # fmt: skip

    def code_digest(self) -> str:
        """Digest of the wordings."""
        return wordings_of(self.name).digest

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """At most `per_medium` samples, each beginning with another event."""
        assert unit.medium is not None
        media_id = unit.medium.media_id
        media, clips, split = medium_row(rows, media_id), kept_clips(rows, media_id), split_of(rows, media_id)
        events = events_of(rows, self.params)
        if len(events) < self.params.events[0]:
            raise SkipUnit(f"fewer than {self.params.events[0]} descriptions with spans")
        made = 0
        least, most = self.params.events
        for first in shuffled(events, unit.seed, self.name, key=lambda r: r["row_id"]):
            if made == self.params.per_medium:
                return
            wanted = least + int(seeded_fraction(unit.seed, self.name, "events", first["row_id"]) * (most - least + 1))
            group = self._group(first, events, wanted, unit.seed)
            spans = [span_of(r) for r in group]
            held = covering(clips, spans)
            if len(group) < least or not held:
                continue
            window = choose_window(
                _hull(spans), media["duration_s"], self.params.window_s, unit.seed, self.name, first["row_id"],
                evidence_share_max=1.0,
            )  # fmt: skip
            if isinstance(window, NoWindow):
                continue
            others = _others(events, group, window)
            question, form = wordings_of(self.name).choose(KIND, unit.seed, first["row_id"], split=split)
            try:
                sample = self._build(unit.recipe, media, held, group, others, window, question.id, form.id)
            except Withheld:
                continue
            made += 1
            yield "samples", sample.to_row()

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Order the cited events again by their times, shuffle them again, rebuild the sample."""
        return rebuilt(sample, lambda: self._rebuild(sample, evidence))

    def trace(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> tuple[Step, ...]:
        """When each event happens, and which list has that order."""
        trail = Trail()
        self._rebuild(sample, evidence, trail)
        return trail.steps

    def _group(self, first: RowDict, events: Sequence[RowDict], wanted: int, seed: int) -> list[RowDict]:
        """`first` and events near it that are unlike it and each other and do not overlap, in order of time.

        They are drawn without regard to before and after: whoever always took what follows next would have brief events
        first more often than last, and the order could be guessed.
        """
        if not self.params.askable(first):
            return []
        reach = self.params.max_gap_s * (wanted - 1)
        near = [r for r in events if r is not first and gap_s(span_of(r), span_of(first)) <= reach]
        near.sort(key=lambda r: (gap_s(span_of(r), span_of(first)), r["row_id"]))
        group = [first]
        for row in shuffled(near[: 3 * wanted], seed, self.name, first["row_id"], key=lambda r: r["row_id"]):
            apart = all(overlap_s(span_of(row), span_of(r)) <= 0 and self._unlike(row, r) for r in group)
            clear = all(to_us(gap_s(span_of(row), span_of(r))) >= to_us(self.params.min_gap_s) for r in group)
            if len(group) < wanted and apart and clear and self.params.askable(row):
                group.append(row)
        return sorted(group, key=lambda r: r["start_s"])

    def _unlike(self, a: RowDict, b: RowDict) -> bool:
        """Whether two clauses are of different events, in whatever direction they are compared."""
        x, y = words_of(a), words_of(b)
        return normalise_words(x) != normalise_words(y) and alike_descriptions(x, y) < self.params.different

    def _rebuild(self, sample: Sample, evidence: Sequence[EvidenceRow], trail: Trail | None = None) -> Sample:
        found = described_of(evidence, least_p=self.params.least_p)
        n = int(sample.difficulty.get("events", 0))
        return self._build(
            sample.recipe, only_row(evidence, "media"), rows_of(evidence, "clips"), found[:n], found[n:], sample.window,
            sample.wording, sample.answer_form, trail,
        )  # fmt: skip

    def _build(
        self,
        recipe: str,
        media: RowDict,
        clips: Sequence[RowDict],
        group: Sequence[RowDict],
        others: Sequence[RowDict],
        window: Span,
        wording: str,
        form: str,
        trail: Trail | None = None,
    ) -> Sample:
        """The sample about a group of events, `others` being all other descriptions in the window. Raises `Withheld`."""
        spans = [span_of(r) for r in group]
        if not self.params.events[0] <= len(group) <= self.params.events[1]:
            raise Withheld(f"{len(group)} events")
        for problem in window_problems(window, spans, media["duration_s"], self.params.window_s):
            raise Withheld(problem)
        if not clips or covering(clips, spans) != list(clips):
            raise Withheld("the events are not inside kept clips")
        self.params.require_askable(group)
        self._require_order(spans)
        for a, b in combinations(group, 2):
            if not self._unlike(a, b):
                raise Withheld(f"{a['text']!r} and {b['text']!r} may be one event")
        for row in others:
            if overlap_s(span_of(row), window) <= 0:
                raise Withheld("a cited description lies outside the window")
            again = next(
                (r for r in group if alike_descriptions(words_of(r), words_of(row)) >= self.params.different), None
            )
            if again is not None:
                raise Withheld(f"{again['text']!r} is described again from {row['start_s']:g} s")
        choice = self._choice(group, others, window, trail)
        evidence = (
            cite("media", media, MEDIA_COLUMNS),
            *(cite("clips", c, CLIP_COLUMNS) for c in clips),
            *(cite_described(r) for r in (*group, *others)),
        )
        return choice_sample(
            self.name, self.version, recipe, media, clips[0]["clip_id"], window, evidence, choice, wording, form
        )

    def _require_order(self, spans: Sequence[Span]) -> None:
        """Raises `Withheld` unless each event begins after the one before has ended, and not too long after."""
        for a, b in pairwise(spans):
            if to_us(b.start_s) - to_us(a.end_s) < to_us(self.params.min_gap_s) or b.start_s < a.end_s:
                raise Withheld("the events overlap, or are not in order")
            if gap_s(a, b) > self.params.max_gap_s:
                raise Withheld("the events are too far apart")

    def _choice(self, group: Sequence[RowDict], others: Sequence[RowDict], window: Span, trail: Trail | None) -> Choice:
        texts = [words_of(r) for r in group]
        rank = shuffle_rank(texts)
        perm = permutation_of(rank, len(texts))
        right = Option(text=told_in_order(texts))
        swaps = swapped_pairs(perm)
        wrong = Option(text=told_in_order([texts[i] for i in perm]), distractor_kind=OTHER_ORDER, margin=float(swaps))
        ordered, index = listed(self.name, [right, wrong], right)
        if trail is not None:
            raw = [r["text"] for r in group]
            lists = [raw if o is right else [raw[i] for i in perm] for o in ordered]
            _chain(trail, group, window, lists)
        steps = [f"{quote(t)} happens in {span_mark(span_of(r))}." for t, r in zip(texts, group, strict=True)]
        factors = placement(window, _hull([span_of(r) for r in group])) | {
            "events": float(len(texts)),
            "permutation": float(rank),
            "swapped_pairs": float(swaps),
            "other_events": float(len(others)),
        }
        return Choice(
            ordered, index, (*steps, "The times give the order."), factors, (*needs_of(texts), "motion"), KIND
        )


def shuffle_rank(texts: Sequence[str]) -> int:
    """The rank of the permutation that the wrong list has: any but the identity, drawn by the texts."""
    return 1 + int(seeded_fraction("event order", list(texts)) * (factorial(len(texts)) - 1))


def told_in_order(texts: Sequence[str]) -> str:
    """Clauses as one text: the same words whatever their order."""
    return ", then ".join(quote(text) for text in texts)


def _hull(spans: Sequence[Span]) -> Span:
    return Span(min(s.start_s for s in spans), max(s.end_s for s in spans))


def _others(events: Sequence[RowDict], group: Sequence[RowDict], window: Span) -> list[RowDict]:
    own = {r["row_id"] for r in group}
    return [r for r in events if r["row_id"] not in own and overlap_s(span_of(r), window) > 0]


def _chain(trail: Trail, group: Sequence[RowDict], window: Span, lists: Sequence[Sequence[str]]) -> None:
    """What happens when, the order of that, and the list that has it."""
    texts, places = [], []
    for row in group:
        text = trail.read(row["table"], [row], "text")
        place = trail.locate(row["table"], [row], note=f"{{{text}.text}} happens in {{@}}.")
        trail.require(place, "within", window_of(window))
        texts.append(text)
        places.append(place)
    for before, after in pairwise(places):
        trail.require(before, "before", right=after)
    order = trail.compute("in_time_order", *texts, *places, count=len(group))
    index = trail.compute("index_of", order, options=[list(one) for one in lists])
    trail.conclude("choice", index, note="So the list with this order is the answer.")


ANNOTATOR = EventOrderPairs
