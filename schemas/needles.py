"""Needles: things that a composer hides in long footage, and what they are called.

A needle is a row of `events` of the kind `needle`; its attributes say how it was put in, at which frame and how deep. Names
have two words from two fixed lists (a colour and a shape, or two written words), so that near misses of a name, which
differ in one of its words, follow from the lists. Pure functions; nothing here draws.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from .ids import seeded_fraction
from .span import Span

Insert = Literal["picture", "subtitle", "own_frame", "object"]
INSERTS: tuple[Insert, ...] = get_args(Insert)
KIND = "needle"
"""`events.kind` of a needle."""
COLUMNS = ("start_s", "end_s", "text", "kind", "attributes_json")

COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "white", "black", "brown")
SHAPES = ("circle", "square", "triangle", "star", "heart", "diamond", "cross", "ring", "hexagon", "moon")
TONES = ("silver", "quiet", "hollow", "northern", "paper", "velvet", "broken", "seventh", "crooked", "amber")
THINGS = ("compass", "lantern", "harbour", "anchor", "window", "orchard", "bridge", "pepper", "market", "engine")


@dataclass(frozen=True)
class Needle:
    """A needle as its row tells it."""

    row: Mapping[str, Any]
    span: Span
    text: str
    insert: Insert
    index: int
    """Number of its first frame in the medium, from 0."""
    frames: int
    depth: float
    """Where its middle lies in the medium, 0..1."""
    others: tuple[str, ...]
    """What else it might have been: names of the same kind that are nowhere in the medium."""


def lettering_of(tone: str, thing: str) -> str:
    """What a subtitle needle says: `Silver compass`."""
    return f"{tone} {thing}".capitalize()


def name_of(insert: Insert, first: str, second: str) -> str:
    """What a needle is called: `a card with a red star`, `a badge with an orange ring`, `the words Silver compass`.

    Cards and badges are drawn by no haystack, so that a shape of the footage itself is never meant.
    """
    if insert == "subtitle":
        return f"the words {lettering_of(first, second)}"
    return f"a {'badge' if insert == 'object' else 'card'} with {article(first)} {first} {second}"


def article(word: str) -> str:
    """`a` or `an`, by the first letter."""
    return "an" if word[0] in "aeiou" else "a"


def words_of(needle: Needle) -> tuple[str, str]:
    """The two words of its name that tell it from others, in small letters. Raises ValueError for other footage."""
    if needle.insert == "own_frame":
        raise ValueError("a frame of other footage has no name of two words")
    first, second = needle.text.lower().split()[-2:]
    return first, second


def lists_of(insert: Insert) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words that names of this kind are made of."""
    return (TONES, THINGS) if insert == "subtitle" else (COLOURS, SHAPES)


def needle_of(row: Mapping[str, Any]) -> Needle | None:
    """The needle of a row of `events`, or None when it is none or its attributes are not those of a needle."""
    if row["kind"] != KIND:
        return None
    try:
        said = json.loads(row["attributes_json"] or "{}")
        if said["insert"] not in INSERTS:
            return None
        return Needle(
            row=row,
            span=Span(row["start_s"], row["end_s"]).quantised(),
            text=str(row["text"]),
            insert=said["insert"],
            index=int(said["index"]),
            frames=int(said["frames"]),
            depth=float(said["depth"]),
            others=tuple(map(str, said.get("others", ()))),
        )
    except (KeyError, TypeError, ValueError):
        return None


def needles_of(rows: Iterable[Mapping[str, Any]]) -> list[Needle]:
    """The needles among rows of `events`, in order of time."""
    found = [n for n in map(needle_of, rows) if n is not None]
    return sorted(found, key=lambda n: (n.span, n.text, str(n.row["row_id"])))


def attributes(insert: Insert, index: int, frames: int, depth: float, others: Iterable[str] = ()) -> str:
    """`attributes_json` of a needle's row."""
    said: dict[str, Any] = {"insert": insert, "index": index, "frames": frames, "depth": round(depth, 6)}
    named = list(others)
    return json.dumps(said | ({"others": named} if named else {}), sort_keys=True)


def near_misses(needle: Needle, *seed: Any) -> list[str]:
    """Names that differ from a needle's in one word, in an order that the seed gives; of other footage, `others`."""
    if needle.insert == "own_frame":
        return sorted(needle.others, key=lambda t: (seeded_fraction("near", *seed, t), t))
    first, second = words_of(needle)
    firsts, seconds = lists_of(needle.insert)
    pairs = [(a, second) for a in firsts if a != first] + [(first, b) for b in seconds if b != second]
    names = [name_of(needle.insert, *pair) for pair in pairs]
    return sorted(names, key=lambda t: (seeded_fraction("near", *seed, t), t))


def picture_time(number: int, pictures: int, window: Span) -> float:
    """When picture `number` (from 1) is taken, if a window is cut into `pictures` equal parts and each shows its middle."""
    return window.start_s + (number - 0.5) * window.length_s / pictures
