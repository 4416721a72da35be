"""What sentences and predicates say about motion: `moves to the left`, `rises`, `enters the picture` as typed motions.

A sentence is read where a named thing stands directly before its verb; a predicate, such as a model writes it into a
triple, where it is nothing but a relation or a motion. Everything else is not read. English only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from .object_motion import Motion
from .objects import Placed
from .relation_phrases import mentions_of, typed_relation
from .relations import Relation

_VERB = (
    r"(?:is\s+|keeps\s+)?(?:moves?|moving|goes|going|slides?|sliding|drifts?|drifting|travels?|travelling|traveling|shifts?|"
    r"shifting|glides?|gliding|floats?|floating|flies|flying)"
)
_ADVERBS = (
    r"(?:\s+(?:slowly|quickly|steadily|straight|smoothly|gently|across\s+the\s+(?:picture|screen|frame)|from\s+\w+))*"
)
_TO = r"\s+(?:to(?:wards?)?\s+(?:the\s+)?)?"
_WARDS = r"(?:wards?)?(?:\s+(?:side|hand\s+side|edge))?"
_MOTIONS: tuple[tuple[Motion, str], ...] = (
    ("moves left", rf"{_VERB}{_ADVERBS}{_TO}left{_WARDS}"),
    ("moves right", rf"{_VERB}{_ADVERBS}{_TO}right{_WARDS}"),
    ("moves up", rf"{_VERB}{_ADVERBS}{_TO}(?:up|top){_WARDS}|(?:is\s+)?(?:rises|rising|ascends|ascending)"),
    ("moves down", rf"{_VERB}{_ADVERBS}{_TO}(?:down|bottom){_WARDS}|(?:is\s+)?(?:falls|falling|sinks|sinking|descends|descending)"),
    ("stays still", r"(?:stays|stands|remains|is|keeps)\s+(?:completely\s+)?(?:still|in\s+place|motionless)|does\s+not\s+move"),
    ("disappears", r"disappears|vanishes|leaves\s+the\s+(?:picture|frame|screen|scene)"),
    ("appears", r"appears|comes\s+into\s+(?:view|the\s+picture)|enters(?:\s+the\s+(?:picture|frame|screen|scene))?"),
)  # fmt: skip
_MOTION = re.compile("|".join(rf"(?P<m{i}>{pattern})\b" for i, (_, pattern) in enumerate(_MOTIONS)), re.IGNORECASE)


def typed_motion(predicate: str) -> Motion | None:
    """The motion that a predicate is, whole."""
    match = _MOTION.fullmatch(predicate.replace("_", " ").strip())
    return _kind(match) if match else None


def typed_predicate(predicate: str) -> Relation | Motion | None:
    """The relation or motion that a predicate is; None when it is something else."""
    return typed_relation(predicate) or typed_motion(predicate)


def read_motions(text: str, things: Sequence[Placed]) -> tuple[tuple[str, Motion], ...]:
    """(name, motion) of each thing that a sentence says to move."""
    found = []
    for mention in mentions_of(text, things):
        match = _MOTION.match(text[mention.last :].lstrip())
        if match:
            found.append((mention.name, _kind(match)))
    return tuple(found)


def _kind(match: re.Match[str]) -> Motion:
    return _MOTIONS[next(i for i in range(len(_MOTIONS)) if match[f"m{i}"])][0]
