"""Long stories in words with known facts: retrieval, multi-hop and filtering questions over chapters (after The Sparse Frontier).

A story has chapters of scenery in which facts are scattered: things are hidden, found and handed on, places are visited. The
dial `words` sets its length, met within two percent, counted in words between white space; the number of facts does not change
with it, so length can be varied alone. Every question comes with the program that answers it from the text. Written as .txt.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from ...engine.annotator import Params as BaseParams
from ...engine.composing import ComposeError, Draft, Material, MediaComposer
from ...schemas.ids import derive_id, seeded_fraction
from ...schemas.stories import NUMBERS, Fact, answer, facts_of, heading, listed, question_of, sentence_of, words_in

PEOPLE = tuple(
    [
        "Ada",
        "Bruno",
        "Clara",
        "Dario",
        "Edda",
        "Felix",
        "Greta",
        "Hugo",
        "Irma",
        "Jonas",
        "Kira",
        "Leo",
        "Mara",
        "Nils",
        "Olga",
        "Pavel",
        "Rosa",
        "Sven",
        "Tilda",
        "Viktor",
        "Wanda",
        "Yuri",
        "Zelda",
        "Anton",
    ]
)
COLOURS = tuple(
    [
        "amber",
        "black",
        "blue",
        "brass",
        "copper",
        "crimson",
        "dark",
        "gilded",
        "green",
        "grey",
        "heavy",
        "ivory",
        "narrow",
        "old",
        "painted",
        "pale",
        "red",
        "round",
        "rusty",
        "silver",
    ]
)
NOUNS = tuple(
    [
        "bell",
        "book",
        "bottle",
        "box",
        "button",
        "candle",
        "chain",
        "clock",
        "coin",
        "compass",
        "flute",
        "glove",
        "hammer",
        "key",
        "lantern",
        "letter",
        "mask",
        "map",
        "mirror",
        "ring",
    ]
)
PLACES = tuple(
    f"the {a} {n}"
    for a in ("old", "upper", "lower", "northern", "quiet", "stone", "wooden", "walled")
    for n in ["barn", "cellar", "chapel", "garden", "harbour", "market", "mill", "tower"]
)
_WHAT = ["wind", "rain", "light", "mist", "smoke", "dust", "snow", "water", "grass", "river"]
_DID = [
    "moved slowly over",
    "lay for hours upon",
    "drifted across",
    "settled softly on",
    "went quietly past",
    "gathered above",
]
_WHERE = [
    "the hills",
    "the rooftops",
    "the empty fields",
    "the fences and the trees",
    "the long road",
    "the sleeping town",
    "the orchards",
    "the shutters of the houses",
]
_HOW = [
    "and nobody spoke of it",
    "as it always did in that season",
    "until the dogs began to bark",
    "while the bells were silent",
    "and then it was still again",
    "as if it had all the patience of the world",
]


class Params(BaseParams):
    """Parameters of story."""

    stories: int = Field(10, ge=1, description="Stories to make.")
    words: tuple[int, ...] = Field((800, 2000, 5000), min_length=1, description="Lengths in words; stories take turns.")
    chapters: int = Field(8, ge=3, le=20, description="Chapters of a story.")
    hidden: int = Field(8, ge=4, le=20, description="Things that are hidden.")
    chains: int = Field(4, ge=2, le=10, description="Things that are found and handed on.")
    hops: tuple[int, int] = Field((2, 4), description="Fewest and most hand-overs of a thing.")
    visited: int = Field(5, ge=3, le=12, description="Places that are visited.")
    visitors: tuple[int, int] = Field((2, 4), description="Fewest and most visitors of a place.")


class Story(MediaComposer[Params]):
    """Makes stories; needs no material."""

    name: ClassVar[str] = "story"
    version: ClassVar[int] = 1
    Params: ClassVar[type[BaseParams]] = Params
    needs_material: ClassVar[bool] = False

    def compose(self, material: Sequence[Material], seed: int) -> Iterable[Draft]:
        """One draft per story. Raises `ComposeError` for a length that cannot hold the facts."""
        p = self.params
        for number in range(p.stories):
            wanted = p.words[number % len(p.words)]
            digest = derive_id("story", self.version, p.model_dump(mode="json"), seed, number)
            chapters = _chapters(p, wanted, digest)
            text = "\n\n".join(f"{heading(i)}\n\n{body}" for i, body in enumerate(chapters, start=1)) + "\n"
            if abs(words_in(text) - wanted) > 0.02 * wanted:
                raise ComposeError(f"compose story: {wanted} words cannot hold the facts; {words_in(text)} are needed")
            rows = {
                "captions": [
                    {
                        "start_s": 0.0,
                        "end_s": 0.0,
                        "level": "chapter",
                        "title": heading(i),
                        "text": body,
                        "model": "composer",
                    }
                    for i, body in enumerate(chapters, start=1)
                ],
                "questions": _questions(facts_of(chapters), digest, len(chapters)),
            }
            told = {"words": words_in(text), "wanted_words": wanted, "chapters": len(chapters)}
            yield Draft(digest, ".txt", partial(_write, text=text), 0.0, rows, parameters=told)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _chapters(p: Params, wanted: int, digest: str) -> list[str]:
    """Texts of the chapters: facts at drawn places, in their order, between scenery up to the wanted length."""
    n = p.chapters
    facts: list[list[tuple[float, str]]] = [[] for _ in range(n)]
    for number, fact in enumerate(_facts(p, digest)):
        place = seeded_fraction(digest, "place", number)
        facts[fact.chapter - 1].append((place, sentence_of(fact, int(seeded_fraction(digest, "way", number) * 6))))
    left = (
        wanted
        - sum(words_in(s) for chapter in facts for _, s in chapter)
        - sum(words_in(heading(i + 1)) for i in range(n))
    )
    number = 0
    while left > 4:
        text = _scenery(digest, number)
        left -= words_in(text)
        facts[number % n].append((seeded_fraction(digest, "scene", number), text))
        number += 1
    return [" ".join(text for _, text in sorted(chapter)) for chapter in facts]


def _scenery(digest: str, number: int) -> str:
    what, did, where, how = (
        words[int(seeded_fraction(digest, number, i) * len(words))]
        for i, words in enumerate((_WHAT, _DID, _WHERE, _HOW))
    )
    return f"The {what} {did} {where}, {how}."


def _drawn(words: Sequence[str], *seed: Any) -> list[str]:
    return sorted(words, key=lambda w: seeded_fraction(*seed, w))


def _facts(p: Params, digest: str) -> list[Fact]:
    """All facts with their chapters; hand-overs of a thing stand in chapters of increasing number."""
    things = _drawn([f"the {c} {n}" for c in COLOURS for n in NOUNS], digest, "things")
    places = _drawn(PLACES, digest, "places")
    found: list[Fact] = []
    for i in range(p.hidden):
        who = PEOPLE[int(seeded_fraction(digest, "hider", i) * len(PEOPLE))]
        chapter = 1 + int(seeded_fraction(digest, "hidden", i) * p.chapters)
        found.append(Fact("hidden", who, things[i], place=places[i % len(places)], chapter=chapter))
    low, high = p.hops
    for i in range(p.chains):
        hops = min(low + int(seeded_fraction(digest, "hops", i) * (high - low + 1)), p.chapters - 1)
        hands = _drawn(PEOPLE, digest, "hands", i)[: hops + 1]
        chapters = sorted(_drawn(list(NUMBERS[: p.chapters]), digest, "chain", i)[: hops + 1], key=NUMBERS.index)
        thing = things[p.hidden + i]
        for k, name in enumerate(chapters):
            at = NUMBERS.index(name) + 1
            found.append(
                Fact("found", hands[0], thing, chapter=at)
                if k == 0
                else Fact("given", hands[k - 1], thing, hands[k], chapter=at)
            )
    least, most = p.visitors
    for i in range(p.visited):
        count = least + int(seeded_fraction(digest, "visitors", i) * (most - least + 1))
        for who in _drawn(PEOPLE, digest, "visit", i)[:count]:
            chapter = 1 + int(seeded_fraction(digest, "visited", i, who) * p.chapters)
            found.append(Fact("visited", who, place=places[(p.hidden + i) % len(places)], chapter=chapter))
    return found


def _questions(facts: Sequence[Fact], digest: str, chapters: int) -> list[dict[str, Any]]:
    """A question for each thing and place, with its program, four options, and the chapters that answer it."""
    programs = [{"ask": "retrieval", "about": f.thing} for f in facts if f.kind == "hidden"]
    programs += [{"ask": "multi_hop", "about": f.thing} for f in facts if f.kind == "found"]
    programs += [{"ask": "filtering", "about": a} for a in sorted({f.place for f in facts if f.kind == "visited"})]
    rows = []
    for program in programs:
        right, used = answer(program, facts)
        wrong = _wrong(program, right, facts, used, digest)
        if len(wrong) < 3:
            continue
        options = sorted([right, *wrong[:3]], key=lambda o: (derive_id("option", o), o))
        at = sorted({f.chapter for f in used})
        rows.append(
            {
                "question_id": derive_id("story question", digest, program)[:12],
                "question": question_of(program),
                "options": options,
                "answer_index": options.index(right),
                "answer_text": right,
                "kind": program["ask"],
                "needs": [],
                "program_json": json.dumps(program, sort_keys=True),
                "attributes_json": json.dumps(
                    {"chapters": at, "facts": len(used), "reach": (at[-1] - at[0] + 1) / chapters}
                ),
            }
        )
    return rows


def _wrong(program: dict[str, str], right: str, facts: Sequence[Fact], used: Sequence[Fact], digest: str) -> list[str]:
    """Wrong answers of the story itself: other places, people who had the thing before, sets with one name changed."""
    seed = (digest, "wrong", program["about"])
    if program["ask"] == "retrieval":
        return _drawn(sorted({f.place for f in facts if f.kind == "hidden"} - {right}), *seed)
    if program["ask"] == "multi_hop":
        before = {f.who for f in used} - {right}
        others = {name for f in facts for name in (f.who, f.whom) if name} - before - {right}
        return [*_drawn(sorted(before), *seed), *_drawn(sorted(others), *seed)]
    names = right.split(", ")
    inside, outside = _drawn(names, *seed), _drawn(sorted({f.who for f in facts} - set(names)), *seed)
    # Two names are in or out in all four ways, and which way is true is drawn: the options alone say nothing.
    true = min(int(seeded_fraction(*seed, "both") * 3), len(names) - 1)
    toggled = [*inside[:true], *outside[: 2 - true]]
    rest = [n for n in names if n not in toggled]
    ways = [rest, [*rest, toggled[0]], [*rest, toggled[1]], [*rest, *toggled]]
    return [listed(way) for way in ways if listed(way) != right]


COMPOSER = Story
