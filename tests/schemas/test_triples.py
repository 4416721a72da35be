"""Timed triples: from when to when a relation holds, motion only under a camera at rest, proposed triples judged."""

from __future__ import annotations

import pytest
from chronotope.schemas.box import Box
from chronotope.schemas.motion_phrases import read_motions, typed_predicate
from chronotope.schemas.objects import Placed
from chronotope.schemas.span import Span, to_us
from chronotope.schemas.triples import TripleRule, judge, triples_of

CLIP = Span(0, 6)
RULE = TripleRule()


def moving(name: str, x: tuple[float, float], y: float = 0.4, span: tuple[float, float] = (0, 6)) -> Placed:
    """A square of a tenth that goes from x[0] to x[1] during its span, a box every 0.2 s."""
    steps = round((span[1] - span[0]) / 0.2)
    places = {span[0] + i * 0.2: x[0] + (x[1] - x[0]) * i / steps for i in range(steps)}
    boxes = tuple(Box(at, y, at + 0.1, y + 0.1) for at in places.values())
    colour = {"a": "red", "b": "blue", "c": "green"}[name]
    return Placed(
        name, f"{colour} square", "square", Span(*span), tuple(to_us(t) for t in places), boxes, track_id=name
    )


def still(span: Span) -> str:
    return "static"


def stated(things: list[Placed], camera=still) -> set[tuple[str, str, str]]:
    found = triples_of(things, CLIP, RULE, 16 / 9, camera)
    return {(t.subject.name, t.predicate, t.other.name if t.other else "") for t in found}


def test_a_relation_is_stated_for_the_time_during_which_it_holds() -> None:
    passing, resting = moving("a", (0.1, 0.8)), moving("b", (0.45, 0.45), 0.7)
    found = [t for t in triples_of([passing, resting], CLIP, RULE, 16 / 9, still) if t.predicate == "left of"]
    assert [(t.subject.name, t.other.name) for t in found if t.other] == [("a", "b"), ("b", "a")]
    assert found[0].span.start_s == 0 and found[1].span.end_s == 6
    assert found[0].span.end_s < 3 < found[1].span.start_s  # beside each other only before and after they meet


def test_motion_needs_a_camera_that_is_known_to_rest() -> None:
    things = [moving("a", (0.1, 0.8)), moving("b", (0.45, 0.45), 0.7)]
    assert ("a", "moves right", "") in stated(things)
    assert ("a", "moves right", "") not in stated(things, lambda span: "pan_left")
    assert ("a", "moves right", "") not in stated(things, lambda span: None)


def test_what_comes_later_appears_and_is_related_only_from_then() -> None:
    late, there = moving("c", (0.1, 0.1), span=(2, 6)), moving("b", (0.6, 0.6))
    found = triples_of([late, there], CLIP, RULE, 16 / 9, still)
    assert [(t.predicate, t.span) for t in found if t.predicate == "left of"] == [("left of", Span(2, 6))]
    assert [(t.subject.name, t.span.start_s) for t in found if t.predicate == "appears"] == [("c", 2)]


@pytest.mark.parametrize(
    ("predicate", "other", "status"),
    [("left of", "b", "supported"), ("right of", "b", "contradicted"), ("above", "b", "supported"),
     ("inside", "b", "contradicted"), ("behind", "b", "unchecked"), ("moves right", None, "supported"),
     ("moves left", None, "contradicted"), ("stays still", None, "contradicted"), ("appears", None, "unchecked")],
)  # fmt: skip
def test_proposed_triples_are_judged(predicate: str, other: str | None, status: str) -> None:
    things = {"a": moving("a", (0.1, 0.3)), "b": moving("b", (0.6, 0.6), 0.7)}
    kind = typed_predicate(predicate)
    assert kind is not None
    judged = judge(things["a"], kind, things.get(other or ""), list(things.values()), CLIP, RULE, 16 / 9, still)
    assert judged.status == status, judged.reason
    assert judged.reason


def test_a_relation_of_things_that_never_meet_is_contradicted() -> None:
    early, late = moving("a", (0.1, 0.1), span=(0, 2)), moving("b", (0.6, 0.6), span=(3, 6))
    assert judge(early, "left of", late, [early, late], CLIP, RULE, 16 / 9, still).status == "contradicted"


def test_a_proposed_relation_gets_the_span_for_which_it_is_true() -> None:
    passing, resting = moving("a", (0.1, 0.9)), moving("b", (0.3, 0.3), 0.7)
    judged = judge(passing, "right of", resting, [passing, resting], CLIP, RULE, 16 / 9, still)
    assert judged.status == "supported" and judged.span is not None
    assert judged.span.start_s > 1 and judged.span.end_s == 6


@pytest.mark.parametrize(
    ("words", "kind"),
    [("is to the left of", "left of"), ("left_of", "left of"), ("next to", "near"), ("moves to the right", "moves right"),
     ("drifts slowly upwards", "moves up"), ("rises", "moves up"), ("enters the frame", "appears"), ("vanishes", "disappears"),
     ("remains still", "stays still"), ("looks at", None), ("left", None)],
)  # fmt: skip
def test_predicates_are_typed_whole(words: str, kind: str | None) -> None:
    assert typed_predicate(words) == kind


def test_motion_is_read_of_the_thing_before_the_verb() -> None:
    things = [moving("a", (0.1, 0.8)), moving("b", (0.45, 0.45))]
    assert read_motions("a red square moves to the left", things) == (("a", "moves left"),)
    assert read_motions("The camera follows a red square to the left.", things) == ()
    assert read_motions("A blue square appears and the red square is sliding down.", things) == (
        ("b", "appears"),
        ("a", "moves down"),
    )
