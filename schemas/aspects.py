"""What a described motion or action is, as an aspect that a conflicting twin can contradict: who, what, and what else it could be.

A sentence is read as subject and predicate where its predicate starts with a known verb of motion, camera work or change; the
wrong values are its opposite and other values of the same kind. Aspects and kinds are TempCompass's. English only; sentences that
are not read are no aspects.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from .reversible import after_edit

Aspect = Literal["action", "speed", "direction", "attribute_change", "order"]

_CAMERA = r"(?P<camera>pans?|tilts?|zooms?|rolls?|whips?)"
_MOVES = r"(?P<moves>moves?|goes|slides?|drifts?|travels?|glides?|floats?|flies|rolls?|spins?|turns?|rotates?|walks?|runs?|drives?|climbs?|rises|falls|ascends|descends)"
_SIZE = r"(?P<size>grows|shrinks|inflates|deflates|fills|empties)"
_LIGHT = r"(?P<light>brightens|darkens)"
_ACTS = r"(?P<acts>opens|closes|enters|leaves|approaches|recedes|appears|disappears)"
_SENTENCE = re.compile(
    rf"^\s*(?P<subject>(?:the|an?|one|his|her|two|some)\s+[\w\s'-]{{1,60}}?)\s+(?P<predicate>(?:{_CAMERA}|{_MOVES}|{_SIZE}|{_LIGHT}|{_ACTS})\b.*?)\s*\.?\s*$",
    re.IGNORECASE,
)
_DIRECTION = re.compile(
    r"\b(?:left|right|up|down|upwards?|downwards?|in|out|forwards?|backwards?|(?:counter|anti)?-?clockwise)\b|^(?:rises|falls|ascends|descends)",
    re.IGNORECASE,
)
_SIDE = re.compile(r"\bto the (?:left|right)\b", re.IGNORECASE)
_VERTICAL = re.compile(r"\b(?:up|down)\b", re.IGNORECASE)
_OTHER_CAMERA = {
    "pan": ("pans to the left", "pans to the right", "tilts up", "tilts down"),
    "whip": ("whips to the left", "whips to the right", "whips up", "whips down"),
    "tilt": ("tilts up", "tilts down", "pans to the left", "pans to the right"),
    "zoom": ("zooms in", "zooms out", "pans to the left", "pans to the right"),
    "roll": ("rolls clockwise", "rolls counterclockwise", "zooms in", "zooms out"),
}
_WAYS = ("to the left", "to the right", "up", "down")


@dataclass(frozen=True)
class Described:
    """One aspect of a described span: `subject` as a noun phrase, `value` as its predicate, `wrong` other predicates."""

    aspect: Aspect
    kind: str
    subject: str
    value: str
    wrong: tuple[str, ...]


def described_aspect(text: str) -> Described | None:
    """The aspect that a sentence is about, or None."""
    match = _SENTENCE.match(text)
    if match is None:
        return None
    subject, value = match["subject"].strip(), match["predicate"].strip()
    camera = subject.lower() in ("the camera", "a camera")
    if camera and match["camera"] is None:
        return None
    if camera:
        if _DIRECTION.search(value) is None:
            return None
        verb = match["camera"].lower().rstrip("s")
        return _read("direction", "camera_motion", subject, value, _OTHER_CAMERA[verb])
    if match["size"] is not None:
        return _read("attribute_change", "size_shape_change", subject, value, ())
    if match["light"] is not None:
        return _read("attribute_change", "color_light_change", subject, value, ())
    if match["acts"] is not None:
        return _read("action", "coarse_action", subject, value, ())
    if _DIRECTION.search(value) is None:
        return None
    return _read("direction", "object_motion", subject, value, _ways(value))


def _ways(value: str) -> tuple[str, ...]:
    """The same movement in the other directions of the picture, where its direction can be exchanged."""
    for pattern in (_SIDE, _VERTICAL):
        match = pattern.search(value)
        if match is not None:
            return tuple(value[: match.start()] + way + value[match.end() :] for way in _WAYS)
    return ()


def _read(aspect: Aspect, kind: str, subject: str, value: str, others: tuple[str, ...]) -> Described | None:
    back = turned_predicate(subject, value, backwards=True)
    wrong = tuple(dict.fromkeys(v for v in (back, *others) if v is not None and v != value))
    return Described(aspect, kind, subject, value, wrong) if wrong else None


def turned_predicate(subject: str, value: str, *, backwards: bool = False, mirrored: bool = False) -> str | None:
    """The predicate as it is true of the edited footage; None when that is not known."""
    text = after_edit(f"{subject} {value}", backwards=backwards, mirrored=mirrored)
    return text[len(subject) + 1 :] if text is not None and text.startswith(f"{subject} ") else None
