"""A conversation from samples of one medium: order of turns, what each is about, and its text. Pure functions.

Each member keeps its question, its answer and the span that it was made for: a turn names that span, or refers back to
it, so that what the member claims ("said once in what is shown") stays claimed of exactly that span, whatever more the
conversation shows. Only a thing that happens once may be looked for in a smaller span that ends where "that", the answer
before, begins or begins where it ends. A streaming turn is asked when all of its evidence has been shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...schemas.markup import AnswerMark, Media, OptionsMark, Token, parse, render
from ...schemas.sample import (
    Evidence,
    MediumRef,
    Need,
    PartAnswer,
    Sample,
    SpanAnswer,
    SpanBoxAnswer,
    Turn,
    TurnPart,
    TurnsAnswer,
)
from ...schemas.span import Span, to_us
from .common import Withheld, cite, grid, moment, span_mark, wordings_of
from .leaks import Said

TASK = "conversation"
NEEDS: tuple[Need, ...] = ("vision", "audio", "speech_text", "on_screen_text", "motion", "3d")
SAMPLE_COLUMNS = ("sample_id", "task", "window_start_s", "window_end_s", "answer_json")
NOT_OBSERVED = ("media", "clips", "edits", "samples")
"""Tables whose rows are no observation at a time."""
REFERENCES = ("same", "after", "before")
"""Kinds of turns that refer back to the one before."""
APART_S = 1.0
"""Two answers are this far apart at least where one is said to come after the other."""


@dataclass(frozen=True)
class Member:
    """A sample that becomes a turn, with its row of table `samples`."""

    row: Mapping[str, Any]
    sample: Sample

    @property
    def scope(self) -> Span:
        """The span that its question is about."""
        return self.sample.window

    @property
    def seen_by_s(self) -> float:
        """When all that it needs has been shown: the end of its scope and of every observation that it cites, or of the
        footage.
        """
        ends = [self.scope.end_s]
        lasts = [
            e.values["duration_s"] for e in self.sample.evidence if e.table == "media" and "duration_s" in e.values
        ]
        for e in self.sample.evidence:
            if e.table not in NOT_OBSERVED:
                ends += [float(e.values[c]) for c in ("end_s", "t_s") if isinstance(e.values.get(c), int | float)]
        return grid(max(self.scope.end_s, min([max(ends), *lasts])))


@dataclass(frozen=True)
class Link:
    """How a turn is tied to what was said before: the kind of wording, its slots, and what the question is about."""

    kind: str
    scope: Span
    slots: Mapping[str, str]


def member_of(row: Mapping[str, Any]) -> Member | None:
    """The sample of a row as a member; None for what cannot be a turn (stills, several media, conversations)."""
    if row["answer_kind"] == "turns":
        return None
    sample = Sample.from_row(row)
    if len(sample.media) != 1 or sample.media[0].frame_times or sample.media[0].kind in ("image", "text"):
        return None
    return Member(row, sample) if [t.role for t in sample.turns] == ["user", "assistant"] else None


def arranged(members: Sequence[Member], streaming: bool) -> list[Member]:
    """In the order of turns: coarse to fine and from left to right, where a turn that can refer back to the one before
    comes next; or, when streaming, as their evidence is complete.
    """

    def coarse_to_fine(m: Member) -> tuple[Any, ...]:
        return (-to_us(m.scope.length_s), to_us(m.scope.start_s), placed_at(m), m.sample.sample_id)

    def as_shown(m: Member) -> tuple[Any, ...]:
        return (to_us(m.seen_by_s), to_us(m.scope.start_s), m.sample.sample_id)

    if streaming:
        return sorted(members, key=as_shown)
    window = window_of(members, streaming)
    waiting = sorted(members, key=coarse_to_fine)
    ordered, scope = [waiting[0]], waiting[0].scope
    del waiting[0]
    while waiting:
        before = (scope, ordered[-1])
        following = next((m for m in waiting if _linked(m, before, window).kind in REFERENCES), waiting[0])
        scope = _linked(following, before, window).scope
        ordered.append(following)
        waiting.remove(following)
    return ordered


def placed_at(member: Member) -> int:
    """Where its answer begins, microseconds; the start of its scope for an answer without a place in time."""
    span = happens_once(member.sample.answer)
    return to_us(span.start_s if span else member.scope.start_s)


def window_of(members: Sequence[Member], streaming: bool) -> Span:
    """The footage that the conversation shows: all scopes, and when streaming all that was cited."""
    end = max(m.seen_by_s if streaming else m.scope.end_s for m in members)
    return Span(min(m.scope.start_s for m in members), end)


def links(members: Sequence[Member], window: Span, streaming: bool) -> list[Link]:
    """How each turn is tied to the one before it."""
    found: list[Link] = []
    for i, member in enumerate(members):
        before = (found[-1].scope, members[i - 1]) if found else None
        found.append(_streamed(member, before) if streaming else _linked(member, before, window))
    return found


def _streamed(member: Member, before: tuple[Span, Member] | None) -> Link:
    if before and before[0] == member.scope and before[1].seen_by_s == member.seen_by_s:
        return Link("same", member.scope, {})
    return Link("now", member.scope, {"now": moment(member.seen_by_s), "scope": span_mark(member.scope)})


def _linked(member: Member, before: tuple[Span, Member] | None, window: Span) -> Link:
    scope = member.scope
    if before is None:
        return Link("whole", scope, {}) if scope == window else Link("part", scope, {"scope": span_mark(scope)})
    if before[0] == scope:
        return Link("same", scope, {})
    that, asked = happens_once(before[1].sample.answer), happens_once(member.sample.answer)
    if that and asked and member.sample.difficulty.get("occurrences", 1.0) == 1.0:
        if scope.start_s <= that.end_s and that.end_s + APART_S < asked.start_s:
            after = Span(that.end_s, scope.end_s)
            if 2 * asked.length_s <= after.length_s:
                return Link("after", after, {"end": moment(scope.end_s)})
        if that.start_s <= scope.end_s and asked.end_s + APART_S < that.start_s:
            earlier = Span(scope.start_s, that.start_s)
            if 2 * asked.length_s <= earlier.length_s:
                return Link("before", earlier, {"start": moment(scope.start_s)})
    return Link("part", scope, {"scope": span_mark(scope)})


def happens_once(answer: Any) -> Span | None:
    """The one span of an answer."""
    return Span(answer.start_s, answer.end_s) if isinstance(answer, SpanAnswer | SpanBoxAnswer) else None


def conversation(
    recipe: str,
    generator: str,
    members: Sequence[Member],
    worded: Sequence[tuple[str, str]],
    *,
    streaming: bool,
    train: str,
) -> Sample:
    """The conversation of members in the order of turns; `worded` has the wordings (lead, form) of each turn.

    Raises `Withheld` for members of several media, in the wrong order, or with wordings that do not fit their place.
    """
    if len({m.sample.media[0].media_id for m in members}) != 1:
        raise Withheld("the members are about several media")
    if list(members) != arranged(members, streaming):
        raise Withheld("the turns are not in their order")
    window = window_of(members, streaming)
    wordings = wordings_of(TASK)
    turns: list[Turn] = []
    parts: list[TurnPart] = []
    used = 0
    for k, (member, link, (lead, form)) in enumerate(
        zip(members, links(members, window, streaming), worded, strict=True), start=1
    ):
        question, answer = wordings.question(link.kind, lead), wordings.answer(link.kind, form)
        if question is None or answer is None:
            raise Withheld(f"turn {k}: wording {lead} or {form} is not one of the kind {link.kind}")
        sample = member.sample
        asked = question.fill({**link.slots, "question": _asked(sample.turns[0].text)})
        mark = "\n" + render([OptionsMark(k)]) if _has_options(sample.turns[0].text) else ""
        shown = f"<{sample.media[0].kind}>\n" if k == 1 else ""
        turns.append(Turn(role="user", text=shown + asked + mark))
        turns.append(Turn(role="assistant", text=answer.fill({"answer": _answered(sample.turns[1].text, k)})))
        n = len(sample.options)
        parts.append(
            TurnPart(
                task=sample.task,
                turn=2 * k - 1,
                answer=_part_answer(sample),
                options=(used, used + n),
                scope=(link.scope.start_s, link.scope.end_s),
                at_s=member.seen_by_s if streaming else None,
                trained=train == "all" or k == len(members),
                lead=lead,
                form=form,
            )
        )
        used += n
    first = members[0].sample
    clips = {m.sample.clip_id for m in members}
    needs = {need for m in members for need in m.sample.needs}
    references = sum(link.kind in REFERENCES for link in links(members, window, streaming))
    tasks = {m.sample.task for m in members}
    return Sample(
        task=TASK,
        recipe=recipe,
        clip_id=clips.pop() if len(clips) == 1 else None,
        media=(
            MediumRef(
                media_id=first.media[0].media_id, kind=first.media[0].kind, start_s=window.start_s, end_s=window.end_s
            ),
        ),
        turns=tuple(turns),
        answer=TurnsAnswer(parts=tuple(parts)),
        options=tuple(o for m in members for o in m.sample.options),
        evidence=_evidence(members),
        needs=tuple(need for need in NEEDS if need in needs),
        origin=first.origin,
        wording=parts[0].lead,
        answer_form=parts[0].form,
        difficulty={"turns": float(len(parts)), "tasks": float(len(tasks)), "references": float(references)},
        generator=generator,
    )


def said_in(sample: Sample) -> list[Said]:
    """The parts of a conversation as its stored text has them. Raises `Withheld` when it is none."""
    if not isinstance(sample.answer, TurnsAnswer):
        raise Withheld(f"a conversation has turns for an answer, not {sample.answer.kind}")
    return [
        Said(
            sample.turns[p.turn - 1].text,
            sample.turns[p.turn].text,
            p.answer,
            tuple(o.text for o in sample.options[slice(*p.options)]),
        )
        for p in sample.answer.parts
    ]


def too_early(sample: Sample, members: Sequence[Member]) -> str:
    """Which streaming turn needs evidence later than it is asked, or is asked before an earlier one; empty when none."""
    assert isinstance(sample.answer, TurnsAnswer)
    before = 0.0
    for k, (part, member) in enumerate(zip(sample.answer.parts, members, strict=False), start=1):
        if part.at_s is None:
            return f"turn {k} of a streaming conversation has no time"
        if to_us(part.at_s) < to_us(member.seen_by_s):
            return f"turn {k} is asked at {part.at_s:g} s, but its evidence lasts until {member.seen_by_s:g} s"
        if part.at_s < before:
            return f"turn {k} is asked at {part.at_s:g} s, before the turn at {before:g} s"
        before = part.at_s
    return ""


def _part_answer(sample: Sample) -> PartAnswer:
    if isinstance(sample.answer, TurnsAnswer):
        raise Withheld("a conversation cannot be a turn of another")
    return sample.answer


def _asked(text: str) -> str:
    """A member's question without its media and the place of its options."""
    kept: list[Token] = [t for t in parse(text) if not isinstance(t, Media | OptionsMark)]
    return render(kept).strip()


def _has_options(text: str) -> bool:
    return any(isinstance(t, OptionsMark) for t in parse(text))


def _answered(text: str, part: int) -> str:
    return render(AnswerMark(part) if isinstance(t, AnswerMark) else t for t in parse(text))


def _evidence(members: Sequence[Member]) -> tuple[Evidence, ...]:
    """The members themselves, and all rows that they rest on, each once with all values used."""
    cited: dict[tuple[str, str], Evidence] = {}
    for e in (e for m in members for e in m.sample.evidence):
        known = cited.get((e.table, e.row_id))
        values = {**known.values, **e.values} if known else e.values
        cited[e.table, e.row_id] = Evidence(table=e.table, row_id=e.row_id, values=values)
    return (*(cite("samples", m.row, SAMPLE_COLUMNS) for m in members), *cited.values())
