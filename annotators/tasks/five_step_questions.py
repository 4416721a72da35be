"""Questions of `five_step`: verified samples of other tasks, as they are, opened (options taken away), or two merged into one.

A choice among texts becomes "what is said then?", a choice among spans "when is it said?", two things that are each looked for
become "which begins first?". The key follows from the members by rule, and so does what must be looked up on the way. A
question is only asked when the facts of its window can answer it: else no path could be right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ...engine.llm.evidence import plain
from ...schemas.facts import Facts
from ...schemas.ids import derive_id
from ...schemas.markup import Moment, SpanMark, Text, Token, parse, quote, replace
from ...schemas.paths import LIKE, Asked, Decisive, like, verified
from ...schemas.sample import ChoiceAnswer, Option, PartAnswer, Sample, SpanAnswer, TextAnswer, Turn
from ...schemas.span import Span, overlap_s, seconds_text, to_us
from .common import RowDict, Withheld, dialogue, kind_of, moment, span_mark, wordings_of

Kind = Literal["as_is", "open_said", "open_shown", "when_said", "when_shown", "which_first"]
TASK = "five_step"
GROUNDING = ("speech_grounding", "text_grounding", "temporal_grounding")
HARDENED: dict[Kind, str] = {"as_is": "as it was", "which_first": "merged"}
APART_S = 1.0
"""Two things of which one is to come first begin this far apart at least."""
_QUOTED = re.compile(r"“([^”]*)”")


@dataclass(frozen=True)
class Question:
    """A question with its key and what decides it."""

    kind: Kind
    members: tuple[tuple[RowDict, Sample], ...]
    window: Span
    asked: Asked
    options: tuple[Option, ...] = ()
    slots: Mapping[str, str] | None = None
    """Slots of the wordings; None: the member's own turns are kept."""

    @property
    def question_id(self) -> str:
        """Derived from kind and members."""
        return derive_id("question", self.kind, [s.sample_id for _, s in self.members])

    @property
    def hardened(self) -> str:
        """What was done to it, as table `paths` says it."""
        return HARDENED.get(self.kind, "open")

    def turns(self, wording: str, form: str, media: RowDict) -> tuple[Turn, ...]:
        """Question and answer in neutral markup. Raises `Withheld` for wordings that are not its own."""
        first = self.members[0][1]
        if self.slots is None:
            if (wording, form) != (first.wording, first.answer_form):
                raise Withheld(f"wording {wording} or answer form {form} is not the member's")
            return first.turns
        wordings = wordings_of(TASK)
        question, answer = wordings.question(self.kind, wording), wordings.answer(self.kind, form)
        if question is None or answer is None:
            raise Withheld(f"unknown wording {wording} or answer form {form}")
        shown = f"<{kind_of(media)}>"
        slots = {**self.slots, "answer": "<answer>"}
        return dialogue(shown, question.fill(slots), answer.fill(slots), options=bool(self.options))


def questions_of(rows: Sequence[RowDict], tasks: Sequence[str]) -> Iterator[tuple[Kind, tuple[RowDict, ...]]]:
    """Ways to ask about the samples of one medium, hardest first: pairs to merge, then each sample opened and as it is."""
    mine = [row for row in rows if row["task"] in tasks]
    located = [row for row in mine if row["task"] in GROUNDING and row["answer_kind"] == "span"]
    located.sort(key=lambda r: (r["window_start_s"], r["row_id"]))
    for i, a in enumerate(located):
        for b in located[i + 1 : i + 4]:
            yield "which_first", (a, b)
    for row in mine:
        said = "audio" in row["needs"]
        if row["task"] == "moment_choice":
            yield ("open_said" if said else "open_shown"), (row,)
        if row["task"] == "span_choice":
            yield ("when_said" if said else "when_shown"), (row,)
        yield "as_is", (row,)


def question_of(kind: Kind, rows: Sequence[RowDict], *, min_tiou: float, longest_s: float) -> Question:
    """The question that these samples give. Raises `Withheld` when they give none of this kind."""
    members = tuple((row, Sample.from_row(row)) for row in rows)
    first = members[0][1]
    if kind == "which_first":
        return _merged(members, longest_s)
    if len(members) != 1:
        raise Withheld(f"{len(members)} samples for a question of the kind {kind}")
    window, key, needed = first.window, first.answer, _decisive(first)
    if kind in ("open_said", "open_shown"):
        if first.task != "moment_choice" or not isinstance(key, ChoiceAnswer):
            raise Withheld("only choices among texts are opened so")
        text = plain(first.options[key.index].text)
        slots = {"span": span_mark(needed.span), "text": quote(text)}
        return Question(kind, members, window, Asked(TextAnswer(text=text), window, (needed,)), slots=slots)
    if kind in ("when_said", "when_shown"):
        if first.task != "span_choice":
            raise Withheld("only choices among spans are opened so")
        at = needed.span
        slots = {
            "quote": quote(needed.text),
            "span": span_mark(at),
            "start": moment(at.start_s),
            "end": moment(at.end_s),
        }
        asked = Asked(SpanAnswer(start_s=at.start_s, end_s=at.end_s), window, (needed,), min_tiou)
        return Question(kind, members, window, asked, slots=slots)
    if not isinstance(key, ChoiceAnswer | SpanAnswer):
        raise Withheld(f"an answer of the kind {key.kind} is not asked for")
    return Question("as_is", members, window, Asked(key, window, (needed,), min_tiou), first.options)


def reachable(question: Question, facts: Facts) -> bool:
    """Whether the facts hold what decides, once each, and whether an answer made of them can be right."""
    for need in question.asked.decisive:
        same = [f for f in facts.values() if f.span is not None and like(need.text, f.text or "") >= LIKE]
        if not any(overlap_s(f.span, need.span) > 0 for f in same if f.span):
            return False
        if question.kind == "which_first" and len(same) != 1:
            return False
    key = question.asked.key
    return _answerable(key, question.asked.min_tiou, facts)


def prompt_text(question: Question, turns: Sequence[Turn]) -> tuple[str, str]:
    """The question, and what kind of answer it wants (options included), as prompts say it: with times in seconds."""
    asked = spoken(turns[0].text)
    if question.options:
        listed = "\n".join(f"{i}. {spoken(o.text)}" for i, o in enumerate(question.options, start=1))
        return asked, f"Answer with the number of an option:\n{listed}"
    if isinstance(question.asked.key, SpanAnswer):
        return asked, "Answer with a span."
    return asked, "Answer with text."


def spoken(markup: str) -> str:
    """Neutral markup with times in seconds, and without media and places of options."""

    def said(token: Token) -> str:
        match token:
            case Text(text):
                return text
            case SpanMark(start_s, end_s):
                return f"{_rounded(start_s)} to {_rounded(end_s)} s"
            case Moment(t_s):
                return f"{_rounded(t_s)} s"
        return ""

    return " ".join(replace(markup, said).split())


def _rounded(t_s: float) -> str:
    return seconds_text(round(to_us(t_s) / 1000) / 1000)


def _merged(members: tuple[tuple[RowDict, Sample], ...], longest_s: float) -> Question:
    """Which of two things begins first. Raises `Withheld` when that is unclear."""
    if len(members) != 2:
        raise Withheld(f"{len(members)} samples to merge, not two")
    (_, a), (_, b) = members
    if a.media[0].media_id != b.media[0].media_id or a.media[0].kind != b.media[0].kind:
        raise Withheld("two samples of different media")
    window = Span(min(a.window.start_s, b.window.start_s), max(a.window.end_s, b.window.end_s))
    if window.length_s > longest_s or overlap_s(a.window, b.window) <= 0:
        raise Withheld(f"the windows lie too far apart for one question ({window.length_s:g} s)")
    needed = (_decisive(a), _decisive(b))
    if like(needed[0].text, needed[1].text) >= LIKE:
        raise Withheld("the two are much alike")
    starts = [need.span.start_s for need in needed]
    if abs(starts[0] - starts[1]) < APART_S:
        raise Withheld("the two begin at nearly the same time")
    texts = sorted((need.text for need in needed), key=lambda t: derive_id("option", TASK, t))
    right = texts.index(needed[0 if starts[0] < starts[1] else 1].text)
    asked = Asked(ChoiceAnswer(index=right), window, needed, compared=True)
    return Question("which_first", members, window, asked, tuple(Option(text=quote(t)) for t in texts), {})


def _decisive(sample: Sample) -> Decisive:
    """What decides a sample: a text and when it is told, shown or described. Raises `Withheld`."""
    if isinstance(sample.answer, ChoiceAnswer) and sample.task == "moment_choice":
        marks = [t for t in parse(sample.turns[0].text) if isinstance(t, SpanMark)]
        if not marks:
            raise Withheld("the question names no span")
        return Decisive(plain(sample.options[sample.answer.index].text), Span(marks[0].start_s, marks[0].end_s))
    quoted = _QUOTED.search(plain(sample.rationale[0])) if sample.rationale else None
    if quoted is None:
        raise Withheld("nothing is quoted")
    if isinstance(sample.answer, SpanAnswer):
        return Decisive(quoted[1], Span(sample.answer.start_s, sample.answer.end_s))
    if isinstance(sample.answer, ChoiceAnswer) and sample.task == "span_choice":
        marks = [t for t in parse(sample.options[sample.answer.index].text) if isinstance(t, SpanMark)]
        return Decisive(quoted[1], Span(marks[0].start_s, marks[0].end_s))
    raise Withheld(f"samples of {sample.task} with an answer of the kind {sample.answer.kind} are not asked about")


def _answerable(key: PartAnswer, min_tiou: float, facts: Facts) -> bool:
    if isinstance(key, SpanAnswer):
        spans = [f.span for f in facts.values() if f.span is not None]
        return any(verified(SpanAnswer(start_s=s.start_s, end_s=s.end_s), key, min_tiou).ok for s in spans)
    if isinstance(key, TextAnswer):
        return any(verified(TextAnswer(text=f.text), key, min_tiou).ok for f in facts.values() if f.text)
    return True
