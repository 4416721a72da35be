"""A chain in words: the lines that its steps say, the facts that their slots stand for, and whether other words say the same.

The notes of the steps are such lines. A reworded line must keep its slots, each as often, name nothing else, and neither add
nor drop a number, an ordinal or a negation: what it says is then checked as far as rules can. Pure functions.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .box import Box
from .chain import Locate, Read, Step, uses
from .chain_operations import joined
from .facts import Fact, FactKind, Facts, SlotProblem
from .slot_text import slots_in
from .slots import Resolved, resolve
from .span import Span

KIND: dict[str, FactKind] = {
    "words": "speech",
    "speech": "speech",
    "text_regions": "text",
    "captions": "event",
    "signals": "frame",
    "pixel_stats": "shot",
}
"""Kind of what a step of this table finds."""
_NEGATION = re.compile(r"\b(?:no|not|nothing|nowhere|never|none|nobody|neither|nor|without|\w+n['’]t)\b", re.IGNORECASE)
_ORDINAL = re.compile(r"\b(?:first|second|third|fourth|fifth|last)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Line:
    """What one step says, with slots that name results of steps."""

    step: str
    text: str


def lines_of(steps: Sequence[Step]) -> list[Line]:
    """The steps that say something, in order."""
    return [Line(step.name, step.note) for step in steps if step.note]


def renamed(text: str, letter: str, was: str = "s") -> str:
    """The text with its slots `{s3}` written as `{a3}`: chains that are told together have a letter each."""
    return re.sub(rf"\{{\s*{was}(\d+)(?=[\s.}}])", rf"{{{letter}\1", text)


def chain_facts(steps: Sequence[Step], values: Mapping[str, Any], row: Mapping[str, Any], letter: str = "s") -> Facts:
    """A fact for every result that a line names; `row` is the sample's, which stands for them all."""
    named = {slot.name for line in lines_of(steps) for slot in slots_in(line.text)}
    kinds = _kinds(steps)
    return Facts(
        _fact(f"{letter}{step.name[1:]}", kinds.get(step.name, "event"), values[step.name], row)
        for step in steps
        if step.name in named
    )


def reworded(sentence: str, line: Line, facts: Facts, window: Span) -> Resolved:
    """A sentence for a line, slots filled; its problems say where it is not the same as the line."""
    found = resolve(sentence, facts, window)
    problems = list(found.problems)
    wanted = Counter((s.name, s.field, s.last) for s in slots_in(line.text))
    given = Counter((s.name, s.field, s.last) for s in slots_in(sentence))
    if wanted != given:
        listed = ", ".join(s.raw for s in slots_in(line.text)) or "no slot"
        problems.append(SlotProblem("other_slots", f"{sentence!r} must hold {listed}, each as often, and nothing else"))
    more = [name for name in found.cited if name not in {name for name, _, _ in wanted}]
    if more:
        problems.append(
            SlotProblem("new_evidence", f"{sentence!r} quotes {', '.join(more)}, which the step does not name")
        )
    known = resolve(line.text, facts, window).numbers
    if set(found.numbers) - set(known):
        numbers = ", ".join(sorted(set(found.numbers) - set(known)))
        problems.append(SlotProblem("number", f"{sentence!r} holds the number {numbers}, which the step does not have"))
    if Counter(w.lower() for w in _ORDINAL.findall(sentence)) != Counter(
        w.lower() for w in _ORDINAL.findall(line.text)
    ):
        problems.append(
            SlotProblem("ordinal", f"{sentence!r} changes which comes first, second or last in {line.text!r}")
        )
    if bool(_NEGATION.search(sentence)) != bool(_NEGATION.search(line.text)):
        problems.append(SlotProblem("negation", f"{sentence!r} denies what {line.text!r} says, or the other way round"))
    return Resolved(found.text, found.cited, tuple(dict.fromkeys(problems)), found.numbers)


def _kinds(steps: Sequence[Step]) -> dict[str, FactKind]:
    """Kind of each result: that of the table which it comes from in the end."""
    found: dict[str, FactKind] = {}
    for step in steps:
        if isinstance(step, Locate | Read):
            found[step.name] = KIND.get(step.table, "event")
        else:
            kinds = [found[name] for name in sorted(uses(step)) if name in found]
            if kinds:
                found[step.name] = kinds[0]
    return found


def _fact(name: str, kind: FactKind, value: Any, row: Mapping[str, Any]) -> Fact:
    """A result as a fact: a text, a moment, a span or a box."""
    if isinstance(value, str):
        return Fact(name, kind, "samples", row, text=joined(value))
    if isinstance(value, int | float):
        return Fact(name, kind, "samples", row, t_s=float(value))
    if len(value) == 4 and isinstance(value, tuple):
        return Fact(name, kind, "samples", row, box=Box(*value))
    if isinstance(value, tuple):
        return Fact(name, kind, "samples", row, span=Span(*value))
    return Fact(name, kind, "samples", row, text=joined([str(v) for v in value]))
