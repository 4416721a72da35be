"""Timed triples from tracks: which relation holds from when to when, which way a thing moves, when it appears or is lost.

Each triple is true for the whole of its span by the rules of `relations` and `object_motion`: a relation that begins or ends
inside the clip gives a triple for the time during which it holds. That a thing itself moves is said only where the camera is
known to stand still. `judge` says the same about a triple that somebody proposed, with the span for which it is true.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations, groupby

from pydantic import BaseModel, ConfigDict, Field

from .object_motion import MOTIONS, Motion, MotionRule, comes_and_goes, moment_span, motion_of
from .objects import Placed, common_times
from .relations import INVERSE, OPPOSITE, Relation, RelationRule, Status, relations, standing
from .span import Span, span_or_none

CameraOver = Callable[[Span], str | None]
"""What the camera does over a span, a label of `schemas.motion`; None where it is unknown."""


class TripleRule(BaseModel):
    """Which triples are stated, and when they are true."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stated: tuple[Relation, ...] = Field(
        ("left of", "above", "inside", "overlaps"),
        description="relations that are listed; of a relation and its inverse one is enough, since each pair is tried both ways",
    )
    min_run_s: float = Field(0.8, gt=0, description="shortest time for which a relation must hold")
    relation: RelationRule = Field(RelationRule(), description="when a relation holds at a moment")
    motion: MotionRule = Field(MotionRule(), description="when a track moves one way")


@dataclass(frozen=True)
class Triple:
    """A statement about tracks; `other` is None for what needs one thing only."""

    subject: Placed
    predicate: Relation | Motion
    other: Placed | None
    span: Span
    reason: str
    checked_by: tuple[str, ...]


@dataclass(frozen=True)
class Judged:
    """What the boxes say to a proposed triple, and for which span."""

    status: Status
    reason: str
    span: Span | None
    checked_by: tuple[str, ...] = ()


def triples_of(
    things: Sequence[Placed], clip: Span, rule: TripleRule, aspect: float, camera: CameraOver
) -> tuple[Triple, ...]:
    """All triples of the clip that the rule lists, by time, subject, predicate and object."""
    found: list[Triple] = []
    for a, b in combinations(things, 2):
        joint = _joint(a, b, clip)
        seen = _seen(a, b, clip, rule, aspect) if joint else ()
        for relation in rule.stated:
            ways = (
                [(a, relation, b)] if INVERSE[relation] == relation else [(a, relation, b), (b, INVERSE[relation], a)]
            )
            for one, read, other in ways:
                for span, times in _runs(seen, read, joint, rule):
                    found.append(Triple(one, relation, other, span, f"holds at {times} times in a row", ("boxes",)))
    for thing in things:
        shown = thing.span.intersection(clip)
        if shown is None or thing.still:
            continue
        motion, why = motion_of(thing, shown, rule.motion, aspect)
        if motion not in (None, "stays still") and camera(shown) == "static":
            assert motion is not None
            found.append(Triple(thing, motion, None, shown, f"{why}, the camera is static", ("boxes", "camera")))
        for change in comes_and_goes(thing, things, clip, rule.motion):
            found.append(Triple(thing, change, None, moment_span(thing, change), "its track says so", ("boxes",)))
    return tuple(sorted(found, key=_order))


def judge(
    subject: Placed,
    predicate: Relation | Motion,
    other: Placed | None,
    things: Sequence[Placed],
    clip: Span,
    rule: TripleRule,
    aspect: float,
    camera: CameraOver,
) -> Judged:
    """Whether a proposed triple is true in the clip, and when: for a relation the longest time for which it holds."""
    if predicate in MOTIONS:
        return _judge_motion(subject, predicate, things, clip, rule, aspect, camera)
    relation: Relation = predicate  # type: ignore[assignment]
    if other is None:
        return Judged("unchecked", "a relation to nothing", None)
    joint = _joint(subject, other, clip)
    if joint is None:
        return Judged("contradicted", "both are never in the picture together", None, ("boxes",))
    seen = _seen(subject, other, clip, rule, aspect)
    runs = _runs(seen, relation, joint, rule)
    if runs:
        span, times = max(runs, key=lambda run: (run[0].length_s, -run[0].start_s))
        return Judged("supported", f"holds at {times} times in a row, of {len(seen)}", span, ("boxes",))
    over = standing(subject, other, clip, rule.relation, aspect)
    status, reason = over.judge(relation)
    if status != "contradicted" and not over.counts.get(relation) and over.counts.get(OPPOSITE.get(relation, relation)):
        status, reason = "contradicted", f"never, but {OPPOSITE[relation]} at times"
    return Judged("unchecked" if status == "supported" else status, reason, joint, ("boxes",))


def _judge_motion(
    subject: Placed,
    motion: Motion,
    things: Sequence[Placed],
    clip: Span,
    rule: TripleRule,
    aspect: float,
    camera: CameraOver,
) -> Judged:
    shown = subject.span.intersection(clip)
    if shown is None:
        return Judged("contradicted", "it is not in the clip", None, ("boxes",))
    if motion in ("appears", "disappears"):
        if motion in comes_and_goes(subject, things, clip, rule.motion):
            return Judged("supported", "its track says so", moment_span(subject, motion), ("boxes",))
        return Judged("unchecked", "its track begins or ends with the clip, or with other tracks", shown, ("boxes",))
    seen, why = motion_of(subject, shown, rule.motion, aspect)
    if seen is None:
        return Judged("unchecked", why, shown, ("boxes",))
    still = camera(shown)
    if still is None:
        return Judged("unchecked", f"{why}; nothing is known of the camera", shown, ("boxes",))
    if still != "static":
        return Judged("unchecked", f"{why}, but the camera moves: {still}", shown, ("boxes", "camera"))
    status: Status = "supported" if seen == motion else "contradicted"
    return Judged(status, f"{why}, the camera is static", shown, ("boxes", "camera"))


def _seen(
    a: Placed, b: Placed, clip: Span, rule: TripleRule, aspect: float
) -> tuple[tuple[float, tuple[Relation, ...]], ...]:
    """The relations of `a` to `b` at each time of the clip at which both places are known."""
    found = []
    for t_s in common_times(a, b, clip):
        one, other = a.at(t_s, rule.relation.max_gap_s), b.at(t_s, rule.relation.max_gap_s)
        if one is not None and other is not None:
            found.append((t_s, relations(one, other, rule.relation, aspect)))
    return tuple(found)


def _runs(
    seen: Sequence[tuple[float, tuple[Relation, ...]]], relation: Relation, joint: Span | None, rule: TripleRule
) -> list[tuple[Span, int]]:
    """Times in a row at which the relation holds, long enough, as spans; one that reaches an end of what both show of the clip
    goes up to it.
    """
    if joint is None:
        return []
    found = []
    for holds, group in groupby(seen, key=lambda at: relation in at[1]):
        run = [t for t, _ in group]
        if not holds:
            continue
        start = joint.start_s if run[0] == seen[0][0] else run[0]
        end = joint.end_s if run[-1] == seen[-1][0] else run[-1]
        span = span_or_none(start, end)
        if span is not None and span.length_s >= rule.min_run_s and len(run) >= rule.relation.min_times:
            found.append((span, len(run)))
    return found


def _joint(a: Placed, b: Placed, clip: Span) -> Span | None:
    both = a.span.intersection(b.span)
    return both.intersection(clip) if both else None


def _order(triple: Triple) -> tuple[float, float, str, str, str]:
    other = triple.other.name if triple.other else ""
    return triple.span.start_s, triple.span.end_s, triple.subject.name, triple.predicate, other
