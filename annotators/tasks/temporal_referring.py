"""What happens then? A span of the footage is given, and what is described of it is the answer: chosen, or in words.

Options are descriptions of other times of the same medium that look alike and are proven false of the span (nothing like them
is described then); the same options are asked about twice, so that blind guessing gets at most one of a pair. The open kind
answers with the description itself, where no other one holds for much of the span (ST-Align's temporal referring, and the
span-to-description half of AVicuna). What nobody described cannot be ruled out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import Field

from ...engine.annotator import Row, Rows, SkipUnit, Unit
from ...engine.described import DESCRIBED_TABLES, cite_described, described_of
from ...engine.distractors.style import may_stand_beside, style_problem
from ...engine.distractors.texts import gap_s
from ...engine.distractors.vocabulary import ELSEWHERE, NEAR_IN_TIME
from ...engine.grounding.windows import NoWindow, choose_window, window_problems
from ...engine.kept import kept_clips, medium_row, split_of
from ...engine.task import EvidenceRow, Solver, Task
from ...schemas.chain import Step
from ...schemas.chain_building import Trail
from ...schemas.ids import derive_id
from ...schemas.markup import quote
from ...schemas.matching import alike_descriptions
from ...schemas.sample import Evidence, MediumRef, Option, Sample, TextAnswer
from ...schemas.span import Span, overlap_s
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
    dialogue,
    only_row,
    placement,
    rebuilt,
    rows_of,
    shuffled,
    span_mark,
    span_of,
    wordings_of,
)
from .descriptions import sentence
from .event_words import EventParams, events_of, needs_of, plain, why_true, words_of
from .told_choice import listed

Kind = Literal["choice", "open"]


class Params(EventParams):
    """Parameters of temporal_referring."""

    kinds: tuple[Kind, ...] = Field(("choice", "open"), min_length=1, description="Choose a description, or write it.")
    options: tuple[int, int] = Field((3, 4), description="Fewest and most options of a choice.")
    window_s: tuple[float, float] = Field((6.0, 120.0), description="Shortest and longest window, drawn log-uniformly.")
    gap_s: tuple[float, float] = Field((0.2, 60.0), description="Least and greatest time between a pair's two events.")
    evidence_share_max: float = Field(0.9, gt=0, le=1, description="Greatest share of the window that is asked about.")
    others_share_max: float = Field(
        0.5, ge=0, le=1, description="Open kind: share of the span for which another description may hold."
    )


@dataclass(frozen=True)
class _Ground:
    """What a sample rests on: the asked event, the other options (a pair's other event first), and what else is then."""

    asked: RowDict
    others: tuple[RowDict, ...]
    witnesses: tuple[RowDict, ...]

    @property
    def span(self) -> Span:
        return span_of(self.asked)


class TemporalReferring(Task[Params]):
    """Samples from `captions` or `events` with spans of one medium."""

    name = "temporal_referring"
    version = 1
    Params = Params
    reads = ("media", "clips", "selection", "captions", "events", "footage_groups")
    optional_reads = ("selection", "captions", "events", "footage_groups")
    must_hurt: ClassVar[tuple[Solver, ...]] = ("prior", "options_only", "question_only", "middle_frame", "first_frame")

    def code_digest(self) -> str:
        """Digest of the wordings."""
        return wordings_of(self.name).digest

    def annotate(self, unit: Unit, rows: Rows) -> Iterable[Row]:
        """At most `per_medium` pairs of choices, each event in one of them, and as many open questions."""
        assert unit.medium is not None
        events = events_of(rows, self.params)
        if not events:
            raise SkipUnit("no descriptions with spans")
        for kind in self.params.kinds:
            used: set[str] = set()
            made = 0
            for asked in shuffled(events, unit.seed, self.name, kind, key=lambda r: r["row_id"]):
                if made == self.params.per_medium:
                    break
                if asked["row_id"] in used or not self.params.askable(asked):
                    continue
                samples = (
                    self._pair(unit, rows, events, asked, used)
                    if kind == "choice"
                    else self._open(unit, rows, events, asked)
                )
                made += bool(samples)
                yield from (("samples", s.to_row()) for s in samples)

    def recompute(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> Check:
        """Rebuild options and answer from the cited descriptions, with every test that a wrong option passed."""
        return rebuilt(sample, lambda: self._rebuild(sample, evidence))

    def trace(self, sample: Sample, evidence: Sequence[EvidenceRow]) -> tuple[Step, ...]:
        """What is described then, when the other options are, and that nothing like them is described then."""
        trail = Trail()
        self._rebuild(sample, evidence, trail)
        return trail.steps

    # -- choosing ---------------------------------------------------------------------------------------------------

    def _pair(
        self, unit: Unit, rows: Rows, events: Sequence[RowDict], asked: RowDict, used: set[str]
    ) -> tuple[Sample, ...]:
        """Samples about an event and the nearest one that can be asked about with the same options; none when there is none."""
        for other in sorted(events, key=lambda r: (gap_s(span_of(r), span_of(asked)), r["row_id"])):
            if other["row_id"] in used or not self._apart(asked, other):
                continue
            if gap_s(span_of(asked), span_of(other)) > self.params.gap_s[1]:
                break
            for samples in self._both(unit, rows, events, asked, other):
                used.update((asked["row_id"], other["row_id"]))
                return samples
        return ()

    def _both(
        self, unit: Unit, rows: Rows, events: Sequence[RowDict], asked: RowDict, other: RowDict
    ) -> Iterator[tuple[Sample, ...]]:
        spans = [span_of(asked), span_of(other)]
        media, window, clips = self._place(unit, rows, spans, asked)
        if window is None or not clips:
            return
        near = sorted(events, key=lambda r: (min(gap_s(span_of(r), s) for s in spans), r["row_id"]))
        more: list[RowDict] = []
        for inside in (True, False):  # descriptions of what is shown first
            for row in near:
                group = [asked, other, *more]
                if len(group) == self.params.options[1] or window.contains_span(span_of(row)) is not inside:
                    continue
                apart = row not in group and all(self._apart(row, r) for r in group)
                if apart and not any(why_true(words_of(row), s, events, self.params.different) for s in spans):
                    more.append(row)
        made = []
        for first, second in ((asked, other), (other, asked)):
            ground = _Ground(first, (second, *more), self._witnesses(events, first, (second, *more)))
            question, form = wordings_of(self.name).choose(
                "choice", unit.seed, first["row_id"], split=split_of(rows, str(media["media_id"]))
            )
            try:
                made.append(
                    self._build(unit.recipe, media, clips, ground, window, "choice", question.id, form.id, paired=True)
                )
            except Withheld:
                return
        yield tuple(made)

    def _open(self, unit: Unit, rows: Rows, events: Sequence[RowDict], asked: RowDict) -> tuple[Sample, ...]:
        media, window, clips = self._place(unit, rows, [span_of(asked)], asked)
        if window is None or not clips:
            return ()
        split = split_of(rows, str(media["media_id"]))
        question, form = wordings_of(self.name).choose("open", unit.seed, asked["row_id"], split=split)
        ground = _Ground(asked, (), self._witnesses(events, asked, ()))
        try:
            return (self._build(unit.recipe, media, clips, ground, window, "open", question.id, form.id, paired=False),)
        except Withheld:
            return ()

    def _place(
        self, unit: Unit, rows: Rows, spans: Sequence[Span], asked: RowDict
    ) -> tuple[RowDict, Span | None, list[RowDict] | None]:
        assert unit.medium is not None
        media = medium_row(rows, unit.medium.media_id)
        hull = Span(min(s.start_s for s in spans), max(s.end_s for s in spans))
        window = choose_window(
            hull, media["duration_s"], self.params.window_s, unit.seed, self.name, asked["row_id"], len(spans),
            evidence_share_max=self.params.evidence_share_max,
        )  # fmt: skip
        clips = covering(kept_clips(rows, unit.medium.media_id), spans)
        return media, None if isinstance(window, NoWindow) else window, clips

    def _apart(self, a: RowDict, b: RowDict) -> bool:
        """Whether two descriptions are of other events at other times, and none is told from the other by its looks."""
        return (
            self.params.askable(b)
            and overlap_s(span_of(a), span_of(b)) <= 0
            and gap_s(span_of(a), span_of(b)) >= self.params.gap_s[0]
            and alike_descriptions(words_of(a), words_of(b)) < self.params.different
            and may_stand_beside(words_of(a), words_of(b))
        )

    @staticmethod
    def _witnesses(events: Sequence[RowDict], asked: RowDict, others: Sequence[RowDict]) -> tuple[RowDict, ...]:
        """What else is described during the asked span."""
        own = {asked["row_id"], *(r["row_id"] for r in others)}
        return tuple(r for r in events if r["row_id"] not in own and overlap_s(span_of(r), span_of(asked)) > 0)

    # -- building ---------------------------------------------------------------------------------------------------

    def _rebuild(self, sample: Sample, evidence: Sequence[EvidenceRow], trail: Trail | None = None) -> Sample:
        found = described_of(evidence, least_p=self.params.least_p)
        n = int(sample.difficulty.get("option_rows", 1))
        kind = wordings_of(self.name).kind_of(sample.wording)
        if kind is None or not 1 <= n <= len(found):
            raise Withheld("unknown wording, or fewer descriptions than options")
        ground = _Ground(found[0], tuple(found[1:n]), tuple(found[n:]))
        return self._build(
            sample.recipe, only_row(evidence, "media"), rows_of(evidence, "clips"), ground, sample.window, kind,
            sample.wording, sample.answer_form, paired=sample.pair_id is not None, trail=trail,
        )  # fmt: skip

    def _build(
        self,
        recipe: str,
        media: RowDict,
        clips: Sequence[RowDict],
        ground: _Ground,
        window: Span,
        kind: str,
        wording: str,
        form: str,
        *,
        paired: bool,
        trail: Trail | None = None,
    ) -> Sample:
        """The sample: a pure function of its evidence. Raises `Withheld`."""
        pair = [ground.asked, *ground.others[:1]]
        spans = sorted(span_of(r) for r in pair)
        for problem in window_problems(
            window, [Span(spans[0].start_s, max(s.end_s for s in spans))], media["duration_s"], self.params.window_s,
            evidence_share_max=self.params.evidence_share_max,
        ):  # fmt: skip
            raise Withheld(problem)
        if not clips or covering(clips, spans) != list(clips):
            raise Withheld("what is asked about is not inside kept clips")
        self.params.require_askable([ground.asked, *ground.others])
        if any(overlap_s(span_of(w), ground.span) <= 0 for w in ground.witnesses):
            raise Withheld("a cited description is of another time")
        evidence = (
            cite("media", media, MEDIA_COLUMNS),
            *(cite("clips", c, CLIP_COLUMNS) for c in clips),
            *(cite_described(r) for r in (ground.asked, *ground.others, *ground.witnesses)),
        )
        if kind == "open":
            return self._worded(recipe, media, clips, ground, window, wording, form, evidence, trail)
        pair_id = derive_id("pair", self.name, sorted(r["row_id"] for r in pair), window.start_s, window.end_s)
        return choice_sample(
            self.name, self.version, recipe, media, clips[0]["clip_id"], window, evidence,
            self._choice(ground, window, trail), wording, form, pair_id if paired else None,
        )  # fmt: skip

    def _choice(self, ground: _Ground, window: Span, trail: Trail | None) -> Choice:
        rows = [ground.asked, *ground.others]
        if not self.params.options[0] <= len(rows) <= self.params.options[1]:
            raise Withheld(f"{len(rows)} options")
        texts = [words_of(r) for r in rows]
        problem = style_problem(texts)
        if problem:
            raise Withheld(problem)
        right, wrong = Option(text=plain(texts[0])), []
        steps = [f"In {span_mark(ground.span)}, this happens: {quote(texts[0])}."]
        for row, text in zip(rows[1:], texts[1:], strict=True):
            if not all(self._apart(row, r) for r in rows if r is not row):
                raise Withheld(f"{text!r} is like another option, or overlaps it")
            reason = why_true(text, ground.span, [ground.asked, *ground.witnesses], self.params.different)
            if reason:
                raise Withheld(f"option {text!r}: {reason}")
            inside = window.contains_span(span_of(row))
            away = gap_s(span_of(row), ground.span)
            wrong.append(Option(text=plain(text), distractor_kind=NEAR_IN_TIME if inside else ELSEWHERE, margin=away))
            when = f"happens in {span_mark(span_of(row))}, not then" if inside else "does not happen then"
            steps.append(f"{quote(text)} {when}.")
        ordered, index = listed(self.name, [right, *wrong], right)
        if trail is not None:
            _choice_chain(
                trail, ground, ordered, {plain(t): r for t, r in zip(texts, rows, strict=True)}, self.params.different
            )
        factors = self._factors(ground, window) | {"options": float(len(rows))}
        return Choice(
            ordered, index, tuple(steps), factors, needs_of(texts), "choice", {"span": span_mark(ground.span)}
        )

    def _worded(
        self,
        recipe: str,
        media: RowDict,
        clips: Sequence[RowDict],
        ground: _Ground,
        window: Span,
        wording: str,
        form: str,
        evidence: tuple[Evidence, ...],
        trail: Trail | None,
    ) -> Sample:
        text = words_of(ground.asked)
        for row in ground.witnesses:
            same = alike_descriptions(text, words_of(row)) == 1
            if not same and overlap_s(span_of(row), ground.span) > self.params.others_share_max * ground.span.length_s:
                raise Withheld(f"{row['text']!r} holds for much of the span, too")
        question, answer = wordings_of(self.name).question("open", wording), wordings_of(self.name).answer("open", form)
        if question is None or answer is None:
            raise Withheld(f"unknown wording {wording} or answer form {form}")
        if trail is not None:
            _open_chain(trail, ground, window)
        said = plain(text)
        return Sample(
            task=self.name,
            recipe=recipe,
            clip_id=clips[0]["clip_id"],
            media=(MediumRef(media_id=media["media_id"], start_s=window.start_s, end_s=window.end_s),),
            turns=dialogue("<video>", question.fill({"span": span_mark(ground.span)}), answer.fill({"text": sentence(said)})),
            answer=TextAnswer(text=said),
            rationale=(f"I look at {span_mark(ground.span)}.", f"What happens there is {quote(text)}."),
            evidence=evidence,
            needs=needs_of([text]),
            origin=media["origin"] or "real",
            wording=wording,
            answer_form=form,
            difficulty=self._factors(ground, window),
            generator=f"{self.name}@{self.version}",
        )  # fmt: skip

    @staticmethod
    def _factors(ground: _Ground, window: Span) -> dict[str, float]:
        n = 1.0 + len(ground.others)
        return placement(window, ground.span) | {"option_rows": n, "others_then": float(len(ground.witnesses))}


def _asked_chain(trail: Trail, ground: _Ground) -> tuple[str, str]:
    """Results that are the asked description, and its span, which is the one in question."""
    table = ground.asked["table"]
    text = trail.read(table, [ground.asked], "text", note="What is described then is {@.text}.")
    span = trail.locate(table, [ground.asked])
    trail.require(span, "same_span", window_of(ground.span), note=f"It happens in {{{span}}}, which is asked about.")
    return text, span


def _choice_chain(
    trail: Trail, ground: _Ground, options: Sequence[Option], rows: dict[str, RowDict], different: float
) -> None:
    text, span = _asked_chain(trail, ground)
    for row in ground.others:
        when = trail.locate(row["table"], [row])
        trail.require(when, "apart", right=span, note=f"Another option happens in {{{when}}}, not then.")
    for table in DESCRIBED_TABLES:
        then = [r for r in ground.witnesses if r["table"] == table]
        if then:
            told = trail.read(table, then, "text")
            for row in ground.others:
                found = trail.compute("times_told", told, query=words_of(row), like="description", least=different)
                trail.require(found, "equal", 0)
    right = trail.compute("index_of", text, options=[rows[o.text]["text"] for o in options])
    trail.conclude("choice", right, note=f"So the answer is {{{text}.text}}.")


def _open_chain(trail: Trail, ground: _Ground, window: Span) -> None:
    text, span = _asked_chain(trail, ground)
    trail.require(span, "within", window_of(window))
    said = trail.compute("described", text)
    trail.conclude("text", said, note="So that is the answer.")


ANNOTATOR = TemporalReferring
