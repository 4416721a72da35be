"""Text with slots, read into pieces: words, slots such as `{e3}`, and what a model wrote in braces that is no slot.

A slot names a fact (`{e3}`), one of its fields (`{e3.start}`) or the time from one fact to another (`{e1..e3}`). Pure
syntax: whether the facts exist is for `slots.resolve` to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .facts import NAME

FIELDS = ("start", "end", "text", "box", "label")
_BRACES = re.compile(r"\{([^{}]*)\}|[{}]")
_SLOT = re.compile(rf"\s*({NAME})(?:\s*\.\.\s*({NAME})|\.([a-z_]+))?\s*")


@dataclass(frozen=True, slots=True)
class Words:
    """What stands between slots, as written."""

    text: str


@dataclass(frozen=True, slots=True)
class Slot:
    """A reference to a fact: `{name}`, `{name.field}` or `{name..last}`."""

    raw: str
    name: str
    field: str | None = None
    last: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The facts that it names."""
        return (self.name,) if self.last is None else (self.name, self.last)


@dataclass(frozen=True, slots=True)
class NoSlot:
    """Braces that hold no slot."""

    raw: str


Piece = Words | Slot | NoSlot


def pieces_of(text: str) -> list[Piece]:
    """The pieces of `text` in order; joined as written they give it again."""
    return list(_pieces(text))


def _pieces(text: str) -> Iterator[Piece]:
    at = 0
    for found in _BRACES.finditer(text):
        if found.start() > at:
            yield Words(text[at : found.start()])
        slot = _SLOT.fullmatch(found[1]) if found[1] is not None else None
        yield Slot(found[0], slot[1], slot[3], slot[2]) if slot else NoSlot(found[0])
        at = found.end()
    if at < len(text):
        yield Words(text[at:])


def slots_in(text: str) -> list[Slot]:
    """The slots of `text` in order."""
    return [piece for piece in _pieces(text) if isinstance(piece, Slot)]


def names_in(*texts: str) -> tuple[str, ...]:
    """The facts that slots of the texts name, in order of first use."""
    return tuple(dict.fromkeys(name for text in texts for slot in slots_in(text) for name in slot.names))
