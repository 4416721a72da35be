"""Action claims: which way a thing moves (checker `tracks`), and what the camera does (checker `camera`).

The way of a thing is measured in the picture, which is its own way only while the camera stands still: under a moving camera
nobody is contradicted. What the camera does is known from a composer's events or measured (`signals`); measured motion
speaks when it fills most of the span.
"""

from __future__ import annotations

import re

from ...schemas.metrics import normalise_words
from ...schemas.object_motion import MotionRule, motion_of
from ...schemas.span import Span
from .claim import Claim, Opinion, said
from .nouns import named
from .objects import matching, of_label
from .world import FOLLOWS, World

MOST = 0.6
"""Share of the span that one measured camera motion must fill to speak."""
_WAYS = {
    "left": "moves left", "leftward": "moves left", "leftwards": "moves left",
    "right": "moves right", "rightward": "moves right", "rightwards": "moves right",
    "up": "moves up", "upward": "moves up", "upwards": "moves up", "rises": "moves up", "rise": "moves up",
    "down": "moves down", "downward": "moves down", "downwards": "moves down", "falls": "moves down", "drops": "moves down",
}  # fmt: skip
_STILL = re.compile(r"\b(still|motionless|stationary|static|rests?)\b")
_MOVING = re.compile(
    r"\b(mov\w+|drift\w*|slid\w*|glid\w*|fly|flies|flying|float\w*|travel\w*|go(?:es|ing)?|rises?|rising|falls?|falling|drops?)\b"
)
_CAMERA = (
    (r"\b(pan\w*|whip\w*|turn\w*|sweep\w*)\b.*\bleft", "pan_left"), (r"\b(pan\w*|whip\w*|turn\w*|sweep\w*)\b.*\bright", "pan_right"),
    (r"\btilt\w*\b.*\bup", "tilt_up"), (r"\btilt\w*\b.*\bdown", "tilt_down"),
    (r"\bzoom\w*\b.*\bin\b", "zoom_in"), (r"\bzoom\w*\b.*\bout\b", "zoom_out"),
    (r"\b(roll\w*|rotat\w*)\b.*\b(counterclockwise|anticlockwise|counter-clockwise)", "roll_ccw"),
    (r"\b(roll\w*|rotat\w*)\b.*\bclockwise", "roll_cw"),
    (r"\b(static|still|fixed|stationary)\b|\bdoes not move\b", "static"),
)  # fmt: skip


def check_motion(claim: Claim, world: World) -> Opinion | None:
    """What the tracks say to a thing that moves or stays still; None where they cannot tell."""
    if claim.kind != "action" or not world.things or "camera" in normalise_words(claim.subject):
        return None
    wanted = named(claim.subject, world.labels)
    way = _way(f"{claim.predicate} {claim.object_text}")
    if wanted.label is None:
        return None
    there, around = of_label(wanted, claim, world)
    mine = matching(there, wanted)
    if not mine:
        if not world.things_certain or matching(around, wanted) or not all(t.colour for t in around):
            return None
        shades = " or ".join(sorted({str(t.colour) for t in around}))
        what = f"the {wanted.label} is {shades}" if around else f"no {wanted.label} is in the picture"
        return said("tracks", False, claim, what)
    if way is None:
        return None
    moving_camera = _moving_camera(claim.span, world)
    found = [motion_of(t.placed, t.placed.span, MotionRule(), world.aspect)[0] for t in mine]
    if way in found:
        return None if moving_camera else said("tracks", True, claim, f"the track {way}")
    if moving_camera is not False or None in found or not world.things_certain:
        return None
    return said("tracks", False, claim, f"the track {' or '.join(sorted({str(m) for m in found}))}")


def check_camera(claim: Claim, world: World) -> Opinion | None:
    """What the camera is known to do says to a claim about the camera; None where it cannot tell."""
    if claim.kind != "action" or "camera" not in normalise_words(claim.subject):
        return None
    text = f"{claim.predicate} {claim.object_text}".lower()
    wanted = next((label for pattern, label in _CAMERA if re.search(pattern, text)), None)
    done = world.camera_in(claim.span)
    if wanted is None or FOLLOWS in done:
        return None
    if world.camera_certain:
        if wanted == "static":
            return said("camera", not done, claim, f"it does {_names(done)}" if done else "no motion is recorded")
        if wanted in done:
            return said("camera", True, claim, f"{wanted} is recorded")
        return said("camera", False, claim, f"{_names(done)} is recorded" if done else "no motion is recorded")
    known = sum(done.values())
    if known < MOST * claim.span.length_s:
        return None
    most = max(sorted(done), key=lambda label: done[label])
    if done[most] < MOST * known:
        return None
    return said("camera", most == wanted, claim, f"{most} in {100 * done[most] / known:.0f}% of the measured time")


def _way(text: str) -> str | None:
    words = normalise_words(text)
    if _STILL.search(text.lower()):
        return "stays still"
    ways = {_WAYS[w] for w in words if w in _WAYS}
    return ways.pop() if len(ways) == 1 and _MOVING.search(text.lower()) else None


def _moving_camera(span: Span, world: World) -> bool | None:
    """Whether the camera moves at some time of the span; None when nobody knows."""
    done = world.camera_in(span)
    if world.camera_certain:
        return bool(done)
    if not done:
        return None
    return any(label != "static" for label, s in done.items() if s > 0.1 * span.length_s)


def _names(done: dict[str, float]) -> str:
    return " and ".join(sorted(done))
