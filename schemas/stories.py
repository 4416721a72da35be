"""Stories whose facts are known: sentences that say them, reading them back, and the programs that answer questions about them.

A fact is found, hidden, given or visited; each can be said in several ways, and `facts_of` reads a chapter back, so the text alone
decides every answer. Sentences that are no facts are scenery. Three questions: where a thing was hidden (retrieval), who has a
thing after all hand-overs (multi-hop), who visited a place (filtering).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["found", "hidden", "given", "visited"]
Ask = Literal["retrieval", "multi_hop", "filtering"]
SAID: Mapping[Kind, tuple[str, ...]] = {
    "found": ("{who} found {thing}.", "It was {who} who came upon {thing}."),
    "hidden": ("{who} hid {thing} in {place}.", "In {place}, {who} put {thing} out of sight.", "{who} left {thing} in {place}, where nobody would look."),
    "given": ("{who} gave {thing} to {whom}.", "{whom} was handed {thing} by {who}.", "From {who}, {thing} passed to {whom}."),
    "visited": ("{who} paid a visit to {place}.", "{place} saw {who} that day.", "Then {who} went over to {place}."),
}  # fmt: skip
"""Ways to say a fact."""
NUMBERS = (
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen",
    "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
)  # fmt: skip
_SLOTS = {
    "who": r"(?P<who>[A-Z][a-z]+)",
    "whom": r"(?P<whom>[A-Z][a-z]+)",
    "thing": r"(?P<thing>the [a-z]+ [a-z]+)",
    "place": r"(?P<place>[Tt]he [a-z]+ [a-z]+)",
}
_SENTENCE = re.compile(r"[^.]+\.")


class Unanswerable(ValueError):
    """A question that the facts do not answer, or answer twice."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that happens: who, and with what, to whom or where."""

    kind: Kind
    who: str
    thing: str = ""
    whom: str = ""
    place: str = ""
    chapter: int = 0
    said: str = ""


def sentence_of(fact: Fact, way: int) -> str:
    """The fact in words."""
    text = SAID[fact.kind][way % len(SAID[fact.kind])].format(
        who=fact.who, thing=fact.thing, whom=fact.whom, place=fact.place
    )
    return text[0].upper() + text[1:]


def heading(chapter: int) -> str:
    """Title of a chapter, counted from 1."""
    return f"Chapter {NUMBERS[chapter - 1]}"


def words_in(text: str) -> int:
    """Length of a text in words: pieces between white space."""
    return len(text.split())


def facts_of(chapters: Sequence[str]) -> list[Fact]:
    """All facts that the texts of chapters say, in order."""
    found: list[Fact] = []
    for number, text in enumerate(chapters, start=1):
        for sentence in _SENTENCE.findall(text):
            said = sentence.strip()
            for kind, patterns in _PATTERNS.items():
                match = next((m for p in patterns if (m := p.fullmatch(said))), None)
                if match is not None:
                    slots = {name: value for name, value in match.groupdict().items() if value}
                    if "place" in slots:
                        slots["place"] = slots["place"][0].lower() + slots["place"][1:]
                    found.append(Fact(kind, **slots, chapter=number, said=said))
                    break
    return found


def answer(program: Mapping[str, Any], facts: Sequence[Fact]) -> tuple[str, tuple[Fact, ...]]:
    """What a program gives, and the facts that it rests on. Raises `Unanswerable`."""
    ask, about = program.get("ask"), str(program.get("about"))
    if ask == "retrieval":
        used = [f for f in facts if f.kind == "hidden" and f.thing == about]
        if len(used) != 1:
            raise Unanswerable(f"{about} is hidden {len(used)} times")
        return used[0].place, tuple(used)
    if ask == "multi_hop":
        used = [f for f in facts if f.thing == about and f.kind in ("found", "given")]
        holder = ""
        for fact in used:
            if (fact.kind == "found") == bool(holder) or (fact.kind == "given" and fact.who != holder):
                raise Unanswerable(f"{fact.who} does not have {about} in chapter {fact.chapter}")
            holder = fact.whom or fact.who
        if len(used) < 2:
            raise Unanswerable(f"{about} is never handed over")
        return holder, tuple(used)
    if ask == "filtering":
        used = [f for f in facts if f.kind == "visited" and f.place == about]
        names = sorted({f.who for f in used})
        if not names:
            raise Unanswerable(f"nobody visits {about}")
        return listed(names), tuple(used)
    raise Unanswerable(f"unknown question {ask!r}")


def listed(names: Iterable[str]) -> str:
    """Names in order of the alphabet, as one text."""
    return ", ".join(sorted(names))


def question_of(program: Mapping[str, Any]) -> str:
    """The question in words."""
    about = program["about"]
    return {
        "retrieval": f"Where was {about} hidden?",
        "multi_hop": f"Who has {about} at the end of the story?",
        "filtering": f"Who visited {about}?",
    }[program["ask"]]


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", template)
    text = "".join(_SLOTS[p] if i % 2 else re.escape(p) for i, p in enumerate(parts))
    return re.compile(text)


_PATTERNS: dict[Kind, tuple[re.Pattern[str], ...]] = {k: tuple(map(_pattern, ways)) for k, ways in SAID.items()}
