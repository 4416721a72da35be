"""Facts: the numbered evidence that a model is shown, and the only things that its reply can refer to.

A fact stands for a stored row (or, for writing read in several pictures and for tracked objects, a few rows of one thing)
and carries what slots are filled from: a span or a moment, a text, a box. Names are letters and a number; their natural
order (letters, then number) is the order in which facts are listed and cited, so that it need not be stored anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .box import Box
from .span import Span, seconds_text, to_us

FactKind = Literal["speech", "text", "event", "caption", "shot", "frame", "object", "relation", "sample"]
NAME = r"[a-z]{1,8}[0-9]{1,5}"
_NAME = re.compile(NAME)
_SPLIT = re.compile(r"([a-z]+)([0-9]+)")
QUOTED_KINDS: tuple[FactKind, ...] = ("speech", "text")
"""Kinds whose text was said or shown, so that listings quote it."""


@dataclass(frozen=True)
class Fact:
    """One piece of evidence. Times are seconds on the source clock, the box is in normalised edges.

    `t_s` is the moment of a fact without a span (a frame), or that of the box of a fact with one (an object).
    """

    name: str
    kind: FactKind
    table: str
    row: Mapping[str, Any]
    """The full stored row, with `row_id`."""
    span: Span | None = None
    t_s: float | None = None
    text: str | None = None
    """Plain text: what is said or shown, a description, what the object is called."""
    box: Box | None = None
    members: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    """All (table, row) that it is made of, where that is more than its own row; it stands among them."""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"fact name {self.name!r}: write lower-case letters and a number, such as e3")

    @property
    def rows(self) -> tuple[tuple[str, Mapping[str, Any]], ...]:
        """All (table, row) that it is made of."""
        return self.members or ((self.table, self.row),)

    @property
    def times(self) -> tuple[float, float] | None:
        """Start and end (equal for a moment) in seconds; None for what has no time."""
        if self.span is not None:
            return self.span.start_s, self.span.end_s
        return None if self.t_s is None else (self.t_s, self.t_s)

    @property
    def when(self) -> str:
        """Its time in words: `4.2 to 7 s`, `at 3.2 s`, or nothing; to the millisecond."""
        if self.span is not None:
            return f"{_shown(self.span.start_s)} to {_shown(self.span.end_s)} s"
        return "" if self.t_s is None else f"at {_shown(self.t_s)} s"

    def line(self) -> str:
        """How it is shown to a model: `e3 (speech, 4.2 to 7 s): “hello there”`, `f1 (frame, at 3.2 s)`."""
        head = f"{self.name} ({', '.join(part for part in (self.kind, self.when) if part)})"
        if self.text is None:
            return head
        text = " ".join(self.text.split())
        if self.kind in QUOTED_KINDS:
            text = f"“{text.replace('“', '‘').replace('”', '’')}”"
        return f"{head}: {text}"


class Facts(Mapping[str, Fact]):
    """Facts by name, in the order given. Raises ValueError for a name that stands twice."""

    def __init__(self, facts: Iterable[Fact] = ()) -> None:
        self._facts: dict[str, Fact] = {}
        for fact in facts:
            if fact.name in self._facts:
                raise ValueError(f"two facts are called {fact.name}")
            self._facts[fact.name] = fact

    def __getitem__(self, name: str) -> Fact:
        return self._facts[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._facts)

    def __len__(self) -> int:
        return len(self._facts)

    def listing(self) -> str:
        """The evidence as prompts show it, one line each."""
        return "\n".join(fact.line() for fact in self._facts.values())


@dataclass(frozen=True)
class SlotProblem:
    """Why a text cannot be used: the rule, and what exactly, in words that help to write it again."""

    rule: str
    detail: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.detail}"


def name_order(name: str) -> tuple[str, int]:
    """Key of the natural order of names: e2, e10, f1, obj1."""
    found = _SPLIT.fullmatch(name)
    return (found[1], int(found[2])) if found else (name, 0)


def _shown(t_s: float) -> str:
    return seconds_text(round(to_us(t_s) / 1000) / 1000)
