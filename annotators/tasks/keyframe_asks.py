"""Questions about needles that only certain moments answer, and the test that no other moments do.

A question is asked of what was seen: the same rule answers it from all needles, from the marked ones, and from any others.
Marked moments are enough when they give the answer, and necessary when it is not to be had without any one of them. The
rule looks at needles only: that the haystack has no cards, badges or such words is what makes them needles.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from ...schemas.needles import Needle, words_of
from .common import Withheld
from .occurrences import listed

AskKind = Literal["colour", "word", "order", "count"]
ASKS: tuple[AskKind, ...] = get_args(AskKind)
PLACE = {"picture": "card", "object": "badge"}


@dataclass(frozen=True)
class Ask:
    """A question with its answer and the needles that have to be seen, in order of time."""

    kind: AskKind
    question: str
    answer: str
    marked: tuple[Needle, ...]


def ask_of(kind: AskKind, marked: Sequence[Needle], needles: Sequence[Needle]) -> Ask:
    """The question that the marked needles answer. Raises `Withheld` when they do not, or when others answer it too."""
    if not marked or list(marked) != sorted(marked, key=lambda n: n.span):
        raise Withheld("no moments in order of time are marked")
    answer = answered(kind, marked, marked)
    if answer is None:
        raise Withheld("the marked moments do not answer it")
    if answered(kind, marked, needles) != answer:
        raise Withheld("all moments together give another answer")
    for one in marked:
        if answered(kind, marked, [n for n in needles if n is not one]) == answer:
            raise Withheld(f"it is answered without the moment at {one.span.start_s:g} s too")
    return Ask(kind, _question(kind, marked), answer, tuple(marked))


def answered(kind: AskKind, about: Sequence[Needle], seen: Sequence[Needle]) -> str | None:
    """The answer to the question about some needles, for who has seen those in `seen`; None: it cannot be told."""
    if kind in ("colour", "word"):
        target = about[0]
        if target.insert == "own_frame" or (kind == "word") != (target.insert == "subtitle"):
            raise Withheld("of such a needle this is not asked")
        like = [words_of(n)[0] for n in seen if n.insert == target.insert and words_of(n)[1] == words_of(target)[1]]
        return like[0] if len(set(like)) == 1 else None
    if kind == "count":
        count = sum(n.text == about[0].text for n in seen)
        return str(count) if count else None
    order = [n.text for n in sorted(seen, key=lambda n: n.span) if n.text in {a.text for a in about}]
    complete = sorted(order) == sorted({a.text for a in about})
    return listed(order) if complete and len(order) > 1 else None


def possible(needles: Sequence[Needle], most: int) -> Iterator[tuple[AskKind, list[Needle]]]:
    """What may be asked: of each needle its colour or word, of all of a name how often, of up to `most` the order."""
    for n in needles:
        if n.insert != "own_frame":
            yield ("word" if n.insert == "subtitle" else "colour"), [n]
    by_text: dict[str, list[Needle]] = {}
    for n in needles:
        by_text.setdefault(n.text, []).append(n)
    yield from (("count", same) for same in by_text.values() if 1 < len(same) <= most)
    once = [same[0] for same in by_text.values() if len(same) == 1]
    yield from (("order", once[:k]) for k in range(2, min(most, len(once)) + 1))


def _question(kind: AskKind, marked: Sequence[Needle]) -> str:
    first = marked[0]
    if kind == "colour":
        return f"What colour is the {words_of(first)[1]} on the {PLACE[first.insert]} that is shown for a moment?"
    if kind == "word":
        thing = words_of(first)[1]
        return f"What kind of {thing} do the words tell of that stand in the picture for a moment?"
    if kind == "count":
        return f"How often is {first.text} shown?"
    return f"In which order are {listed(sorted(n.text for n in marked))} shown?"
