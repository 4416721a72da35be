"""Questions and answers with everything that must not change put aside: what a model may reword, and putting it together again.

Times, places, quotations, pictures and the mark of a choice become slots (`{t1}`, `{b1}`, `{q1}`, `{m1}`, `{a1}`), the media in
front and the list of options behind are kept out of sight. What a model sees holds no value at all, so it cannot change one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ...schemas.markup import (
    AnswerMark,
    BoxAt,
    BoxMark,
    Media,
    Moment,
    OptionsMark,
    SpanMark,
    Text,
    escape,
    parse,
    render,
)
from ...schemas.slot_text import NoSlot, Slot, pieces_of

_QUOTED = re.compile(r"“[^”]*”")
_PREFIX_OF = {Moment: "t", SpanMark: "t", BoxMark: "b", BoxAt: "b", Media: "m", AnswerMark: "a"}


@dataclass(frozen=True)
class Masked:
    """One turn: what stands before and behind in markup, its words with slots, and the markup of each slot."""

    before: str
    words: str
    behind: str
    slots: Mapping[str, str] = field(default_factory=dict)

    @property
    def order(self) -> tuple[str, ...]:
        """Names of the slots as they stand."""
        return names_of(self.words)


def masked(markup: str) -> Masked | None:
    """A turn with its values put aside; None when it holds braces, or options in the middle. Raises `MarkupError`."""
    tokens = parse(markup)
    first = 0
    while first < len(tokens) and (isinstance(tokens[first], Media) or _blank(tokens[first])):
        first += 1
    last = len(tokens)
    while last > first and (isinstance(tokens[last - 1], OptionsMark) or _blank(tokens[last - 1])):
        last -= 1
    slots: dict[str, str] = {}
    words: list[str] = []

    def put(letter: str, value: str) -> None:
        name = f"{letter}{sum(n[0] == letter for n in slots) + 1}"
        slots[name] = value
        words.append(f"{{{name}}}")

    for token in tokens[first:last]:
        if isinstance(token, Text):
            if {"{", "}"} & set(token.text):
                return None
            at = 0
            for found in _QUOTED.finditer(token.text):
                words.append(token.text[at : found.start()])
                put("q", escape(found[0]))
                at = found.end()
            words.append(token.text[at:])
        elif isinstance(token, OptionsMark):
            return None
        else:
            put(_PREFIX_OF[type(token)], render([token]))
    text = "".join(words)
    before = render(tokens[:first]) + escape(text[: len(text) - len(text.lstrip())])
    behind = escape(text[len(text.rstrip()) :]) + render(tokens[last:])
    return Masked(before, text.strip(), behind, slots) if text.strip() else None


def unmasked(original: Masked, words: str) -> str:
    """The turn in markup with other words; slots that it does not know stay as they are written."""
    filled = []
    for piece in pieces_of(words.strip()):
        if isinstance(piece, Slot):
            plain = piece.field is None and piece.last is None
            filled.append(original.slots.get(piece.name, escape(piece.raw)) if plain else escape(piece.raw))
        else:
            raw = piece.raw if isinstance(piece, NoSlot) else piece.text
            filled.append(escape(raw.replace("“", '"').replace("”", '"')))
    return original.before + "".join(filled) + original.behind


def names_of(words: str) -> tuple[str, ...]:
    """Names of the slots in order, each as often as it stands; fields and ranges are no names of these slots."""
    return tuple(piece.raw.strip("{} ") for piece in pieces_of(words) if isinstance(piece, Slot))


def without_slots(words: str) -> str:
    """The words alone; `\\x01` stands for a slot."""
    return "".join(
        "\x01" if isinstance(p, Slot) else p.raw if isinstance(p, NoSlot) else p.text for p in pieces_of(words)
    )


def _blank(token: object) -> bool:
    return isinstance(token, Text) and not token.text.strip()
