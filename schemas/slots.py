"""Slots, not numbers: a model writes `{e3}` and code fills in the time, the place or the quotation, or says what is wrong.

`resolve` is the one way in which a model's words become neutral markup. Its rules: `malformed_slot` (braces or markup that
are no slot, a fact's bare name), `unknown_evidence`, `no_such_field`, `literal_time` and `literal_place` (written out instead
of cited), `outside_window`, `contradiction` (of an order that the text states). Numbers that neither a cited fact nor an
idiom explains come out as `numbers`: claims that somebody has to check. A text in quotation marks that stands in a fact's
text becomes a quotation of that fact; other quotation marks become plain ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from .facts import Fact, FactKind, Facts, SlotProblem
from .literals import literals_in
from .markup import BoxAt, BoxMark, Moment, SpanMark, escape, quote, render, validate
from .metrics import normalise_words
from .number_words import numbers_in, value_of
from .slot_text import FIELDS, NoSlot, Piece, Slot, Words, names_in, pieces_of, slots_in
from .span import Span, seconds_text, to_us
from .time_claims import TimeClaim, claim_problems, stated_problems

__all__ = [
    "Fact", "FactKind", "Facts", "Resolved", "SlotProblem", "TimeClaim", "claim_problems", "names_in", "resolve", "slots_in",
]  # fmt: skip

_QUOTATION = re.compile(r"“([^“”]+)”|\"([^\"]+)\"|„([^“”„]+)[“”]|«([^«»]+)»|‘([^‘’]+)’(?!\w)")
_MARKUP = re.compile(
    r"</?\s*[A-Za-z|!?][^<>]{0,80}>|<\|[^<>]{0,40}\|?>?|\[/?INST\]|&(?:lt|gt|#\d+|#x[0-9a-f]+);", re.IGNORECASE
)
_OPEN_QUOTE = re.compile(r"[“\"„«‘]\s*$")
_CLOSE_QUOTE = re.compile(r"^\s*[”\"“»’]")
_ARTICLE = re.compile(r"^(?:an?|the)\s+", re.IGNORECASE)
_KIND_OF_COMPLAINT = re.compile(r"is a number of (time|place)")


@dataclass(frozen=True)
class Resolved:
    """A text with its slots filled in; usable when `problems` is empty."""

    text: str
    """Neutral markup."""
    cited: tuple[str, ...]
    """Names of the facts that it rests on, in order of first use."""
    problems: tuple[SlotProblem, ...]
    numbers: tuple[str, ...]
    """Numbers that no cited fact has: unchecked claims."""

    @property
    def reason(self) -> str:
        """All problems in one line, for a repair round."""
        return "; ".join(map(str, self.problems))


@dataclass(frozen=True, slots=True)
class _Quotation:
    """Words in quotation marks that stand in a fact's text."""

    text: str
    name: str


def resolve(text: str, facts: Facts, window: Span) -> Resolved:
    """`text` as neutral markup, with what it cites and what is wrong with it. `window` is the shown span, seconds."""
    problems: list[SlotProblem] = []
    pieces = list(_quotations(_unquoted(pieces_of(text), facts), facts))
    cited = _cited(pieces, facts)
    known = " \n ".join(facts[name].text or "" for name in cited)
    filled = [_filled(piece, facts, window, problems) for piece in pieces]
    plain = "".join(
        p.text.translate(_MARKS) if isinstance(p, Words) else "\x02" if isinstance(p, _Quotation) else "\x01"
        for p in pieces
    )
    problems += _written_out(plain, known)
    problems += _bare(plain, facts)
    problems += stated_problems(text, facts, window)
    whole = "".join(filled)
    if not problems:
        problems += [_complaint(c) for c in validate(whole, media=1, windows=[window])]
    return Resolved(whole, cited, tuple(dict.fromkeys(problems)), _unexplained(plain, known))


_MARKS = {1: " ", 2: " ", 3: " "}


def _unquoted(pieces: Sequence[Piece], facts: Facts) -> list[Piece]:
    """The pieces without quotation marks around `{e3.text}`, which brings its own."""
    found = list(pieces)
    for i in range(1, len(found) - 1):
        before, slot, behind = found[i - 1 : i + 2]
        if isinstance(slot, Slot) and slot.field == "text" and isinstance(before, Words) and isinstance(behind, Words):
            opened, closed = _OPEN_QUOTE.search(before.text), _CLOSE_QUOTE.search(behind.text)
            if opened and closed:
                found[i - 1] = Words(before.text[: opened.start()])
                found[i + 1] = Words(behind.text[closed.end() :])
    return found


def _quotations(pieces: Iterable[Piece], facts: Facts) -> Iterable[Piece | _Quotation]:
    """The pieces, with words in quotation marks that stand in a fact's text as pieces of their own."""
    pieces = list(pieces)
    first = [name for piece in pieces if isinstance(piece, Slot) for name in piece.names if name in facts]
    texts = {name: facts[name].text or "" for name in dict.fromkeys((*first, *facts))}
    for piece in pieces:
        if not isinstance(piece, Words):
            yield piece
            continue
        at = 0
        for match in _QUOTATION.finditer(piece.text):
            said = next(part for part in match.groups() if part is not None)
            name = _source(_words(said), texts)
            if name is None or _MARKUP.search(said):
                continue
            yield Words(piece.text[at : match.start()])
            yield _Quotation(said.strip(), name)
            at = match.end()
        yield Words(piece.text[at:])


def _source(words: tuple[str, ...], texts: dict[str, str]) -> str | None:
    """The first fact in whose text the words stand in a row."""
    n = len(words)
    if not n:
        return None
    for name, text in texts.items():
        told = _words(text)
        if any(told[i : i + n] == words for i in range(len(told) - n + 1)):
            return name
    return None


@lru_cache(maxsize=8192)
def _words(text: str) -> tuple[str, ...]:
    return tuple(normalise_words(text))


def _cited(pieces: Iterable[Piece | _Quotation], facts: Facts) -> tuple[str, ...]:
    named: list[str] = []
    for piece in pieces:
        named += piece.names if isinstance(piece, Slot) else [piece.name] if isinstance(piece, _Quotation) else []
    return tuple(dict.fromkeys(name for name in named if name in facts))


def _filled(piece: Piece | _Quotation, facts: Facts, window: Span, problems: list[SlotProblem]) -> str:
    """The piece in neutral markup; adds to `problems`."""
    if isinstance(piece, Words):
        for tag in _MARKUP.findall(piece.text):
            problems.append(
                SlotProblem("malformed_slot", f"{tag!r} is markup, which code writes; use slots such as {{e1}}")
            )
        return escape(piece.text.replace("“", '"').replace("”", '"'))
    if isinstance(piece, _Quotation):
        return quote(piece.text)
    if isinstance(piece, NoSlot):
        problems.append(
            SlotProblem(
                "malformed_slot", f"{piece.raw!r} is no slot; write {{e1}}, {{e1.start}}, {{e1.text}} or {{e1..e3}}"
            )
        )
        return escape(piece.raw)
    for name in piece.names:
        if name not in facts:
            known = ", ".join(list(facts)[:20]) or "nothing"
            problems.append(SlotProblem("unknown_evidence", f"{piece.raw} names {name}; the evidence is {known}"))
            return escape(piece.raw)
    if piece.field is not None and piece.field not in FIELDS:
        problems.append(SlotProblem("no_such_field", f"{piece.raw}: fields are {', '.join(FIELDS)}"))
        return escape(piece.raw)
    return _value(piece, facts, window, problems)


def _value(slot: Slot, facts: Facts, window: Span, problems: list[SlotProblem]) -> str:
    fact = facts[slot.name]
    if slot.field == "text":
        if not fact.text:
            problems.append(SlotProblem("no_such_field", f"{slot.raw}: {fact.name} ({fact.kind}) has no text"))
            return escape(slot.raw)
        return quote(" ".join(fact.text.split()))
    if slot.field == "label":
        if fact.kind != "object" or not fact.text:
            problems.append(
                SlotProblem("no_such_field", f"{slot.raw}: {fact.name} ({fact.kind}) is no object with a label")
            )
            return escape(slot.raw)
        return escape(_ARTICLE.sub("", fact.text))
    if slot.field == "box":
        return _place(slot, fact, window, problems)
    last = facts[slot.last or slot.name]
    if fact.times is None or last.times is None:
        without = fact if fact.times is None else last
        problems.append(SlotProblem("no_such_field", f"{slot.raw}: {without.name} ({without.kind}) has no time"))
        return escape(slot.raw)
    start_s, end_s = fact.times[0], last.times[1]
    if slot.field is not None:
        start_s = end_s = fact.times[0 if slot.field == "start" else 1]
    if slot.last is not None and to_us(start_s) >= to_us(end_s):
        problems.append(SlotProblem("contradiction", f"{slot.raw} runs backwards: {fact.line()}; {last.line()}"))
        return escape(slot.raw)
    _require_inside(slot, start_s, end_s, window, problems)
    return render([Moment(start_s) if start_s == end_s else SpanMark(start_s, end_s)])


def _place(slot: Slot, fact: Fact, window: Span, problems: list[SlotProblem]) -> str:
    if fact.box is None:
        problems.append(SlotProblem("no_such_field", f"{slot.raw}: {fact.name} ({fact.kind}) has no box"))
        return escape(slot.raw)
    if fact.t_s is None:
        return render([BoxMark(*fact.box.edges)])
    _require_inside(slot, fact.t_s, fact.t_s, window, problems)
    return render([BoxAt(fact.t_s, *fact.box.edges)])


def _require_inside(slot: Slot, start_s: float, end_s: float, window: Span, problems: list[SlotProblem]) -> None:
    if to_us(start_s) < to_us(window.start_s) or to_us(end_s) > to_us(window.end_s):
        shown = f"{seconds_text(window.start_s)} to {seconds_text(window.end_s)} s"
        problems.append(
            SlotProblem(
                "outside_window", f"{slot.raw} is {seconds_text(start_s)} to {seconds_text(end_s)} s, outside {shown}"
            )
        )


def _written_out(plain: str, known: str) -> list[SlotProblem]:
    return [
        SlotProblem(
            f"literal_{found.kind}",
            f"{found.words!r} is a {found.kind} written out; use a slot, or {{e1.text}} to quote",
        )
        for found in literals_in(plain, known)
    ]


def _bare(plain: str, facts: Facts) -> list[SlotProblem]:
    words = dict.fromkeys(re.findall(r"(?<![\w{])[a-z]{1,8}\d{1,5}(?!\w)", plain))
    return [SlotProblem("malformed_slot", f"{w} stands without braces; write {{{w}}}") for w in words if w in facts]


def _unexplained(plain: str, known: str) -> tuple[str, ...]:
    """Numbers that do not stand in the text of a cited fact, by value."""
    told = {value_of(n) for n in numbers_in(known)} - {None}
    return tuple(n for n in numbers_in(plain) if (value := value_of(n)) is None or value not in told)


def _complaint(problem: str) -> SlotProblem:
    """A complaint of `markup.validate` that no rule above foresaw."""
    kind = _KIND_OF_COMPLAINT.search(problem)
    rule = f"literal_{kind[1]}" if kind else "outside_window" if "outside the window" in problem else "malformed_slot"
    return SlotProblem(rule, problem)
