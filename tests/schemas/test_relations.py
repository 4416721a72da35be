"""Relations of boxes and tracks: the rule of SCOP, its symmetries, what changes over time, and what a track does."""

from __future__ import annotations

from dataclasses import replace

import pytest
from chronotope.schemas.box import Box
from chronotope.schemas.object_motion import MotionRule, comes_and_goes, motion_of
from chronotope.schemas.objects import Placed, common_times, phrase_of, placed_track
from chronotope.schemas.relations import INVERSE, SIDED, RelationRule, relations, standing, standing_at
from chronotope.schemas.span import Span, to_us
from hypothesis import given
from hypothesis import strategies as st

RULE = RelationRule()
GRID = 64  # dyadic edges, so that a mirrored box is exact


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    x = sorted(draw(st.lists(st.integers(0, GRID), min_size=2, max_size=2, unique=True)))
    y = sorted(draw(st.lists(st.integers(0, GRID), min_size=2, max_size=2, unique=True)))
    return Box(x[0] / GRID, y[0] / GRID, x[1] / GRID, y[1] / GRID)


def pixels(x: float, y: float, w: float, h: float) -> Box:
    return Box(x / 640, y / 480, (x + w) / 640, (y + h) / 480)


def track(name: str, places: dict[float, Box], end_s: float | None = None, label: str = "circle") -> Placed:
    times = tuple(to_us(t) for t in places)
    span = Span(min(places), end_s if end_s is not None else max(places) + 0.2)
    return Placed(name, f"red {label}", label, span, times, tuple(places.values()))


def mirrored(thing: Placed) -> Placed:
    return replace(thing, boxes=tuple(box.mirror() for box in thing.boxes))


def moving(
    name: str, start_s: float, end_s: float, dx: float, dy: float, at: tuple[float, float] = (0.4, 0.4)
) -> Placed:
    """A square of a tenth that moves by (dx, dy) per second, a box every 0.2 s."""
    places, t = {}, start_s
    while t < end_s - 1e-9:
        x, y = at[0] + dx * (t - start_s), at[1] + dy * (t - start_s)
        places[round(t, 6)] = Box(x, y, x + 0.1, y + 0.1)
        t += 0.2
    return track(name, places, end_s)


def test_scop_example_is_left_of() -> None:
    held = relations(pixels(100, 150, 200, 200), pixels(340, 170, 180, 180), RULE, 640 / 480)
    assert "left of" in held and not {"right of", "above", "below"} & set(held)


def test_diagonal_neighbours_have_both_directions() -> None:
    assert {"left of", "above"} <= set(relations(Box(0.1, 0.1, 0.2, 0.2), Box(0.6, 0.6, 0.8, 0.8), RULE))


def test_what_lies_inside_has_no_direction() -> None:
    small, large = Box(0.4, 0.4, 0.5, 0.5), Box(0.3, 0.2, 0.9, 0.9)
    assert "inside" in relations(small, large, RULE) and "contains" in relations(large, small, RULE)
    assert not {"left of", "right of", "above", "below"} & set(relations(small, large, RULE))


def test_only_depths_say_what_is_in_front() -> None:
    a, b = Box(0.1, 0.1, 0.3, 0.3), Box(0.2, 0.2, 0.5, 0.5)
    assert "in front of" in relations(a, b, RULE, depths=(2.0, 3.0))
    assert not {"in front of", "behind"} & set(relations(a, b, RULE, depths=(2.0, 2.1)))
    assert not {"in front of", "behind"} & set(relations(a, b, RULE))


@given(boxes(), boxes(), st.floats(0.5, 3))
def test_swapping_inverts_every_relation(a: Box, b: Box, aspect: float) -> None:
    assert set(relations(b, a, RULE, aspect)) == {INVERSE[r] for r in relations(a, b, RULE, aspect)}


@given(boxes(), boxes())
def test_a_mirror_exchanges_left_and_right_and_nothing_else(a: Box, b: Box) -> None:
    expected = {INVERSE[r] if r in SIDED else r for r in relations(a, b, RULE)}
    assert set(relations(a.mirror(), b.mirror(), RULE)) == expected


def test_over_a_span_only_what_holds_nearly_always_is_stated() -> None:
    still = track("b", {t / 5: Box(0.45, 0.1, 0.55, 0.2) for t in range(26)})
    passing = moving("a", 0, 5, 0.16, 0, (0.1, 0.6))  # from its left to its right
    over = standing(passing, still, Span(0, 5), RULE)
    assert not set(SIDED) & set(over.held) and "below" in over.held
    assert over.judge("left of")[0] == "unchecked" and over.judge("above")[0] == "contradicted"
    assert standing(passing, still, Span(0, 1.5), RULE).judge("left of")[0] == "supported"


def test_two_coloured_shapes_in_a_mirror_flip_the_verdict() -> None:
    a = track("a", {0.0: Box(0.1, 0.4, 0.2, 0.6), 1.0: Box(0.1, 0.4, 0.2, 0.6)})
    b = track("b", {0.0: Box(0.7, 0.4, 0.8, 0.6), 1.0: Box(0.7, 0.4, 0.8, 0.6)})
    assert standing(a, b, Span(0, 2), RULE).judge("left of")[0] == "supported"
    assert standing(mirrored(a), mirrored(b), Span(0, 2), RULE).judge("left of")[0] == "contradicted"
    assert standing_at(mirrored(a), mirrored(b), 0.5, RULE).judge("right of")[0] == "supported"


def test_tracks_on_different_time_grids_are_compared_by_interpolation() -> None:
    a = track("a", {0.0: Box(0.1, 0.1, 0.2, 0.2), 0.4: Box(0.3, 0.1, 0.4, 0.2)})
    b = track("b", {0.1: Box(0.8, 0.1, 0.9, 0.2), 0.3: Box(0.8, 0.1, 0.9, 0.2)})
    assert standing(a, b, Span(0, 1), RULE).times == (0.1, 0.3)
    place = a.at(0.1)
    assert place is not None and place.x1 == pytest.approx(0.15)
    far = track("c", {0.0: Box(0.1, 0.1, 0.2, 0.2), 4.0: Box(0.3, 0.1, 0.4, 0.2)})
    assert far.at(2.0) is None and far.at(4.0) is not None


def test_writing_stands_for_its_whole_span() -> None:
    sign = Placed("e1", "EXIT", "sign", Span(1, 3), (to_us(1),), (Box(0.1, 0.1, 0.3, 0.2),), still=True)
    assert sign.at(2.5) is not None and sign.at(3.0) is None
    assert common_times(sign, moving("a", 0, 5, 0, 0), Span(0, 5)) == tuple(i / 5 for i in range(25))


@pytest.mark.parametrize(
    ("dx", "dy", "expected"),
    [(0.1, 0.0, "moves right"), (-0.1, 0.0, "moves left"), (0.0, 0.12, "moves down"), (0.0, -0.12, "moves up"),
     (0.1, 0.1, None), (0.0, 0.0, "stays still"), (0.01, 0.0, None)],
)  # fmt: skip
def test_a_track_moves_one_way_or_nothing_is_said(dx: float, dy: float, expected: str | None) -> None:
    assert motion_of(moving("a", 0, 3, dx, dy), Span(0, 3), MotionRule())[0] == expected


def test_what_begins_with_other_tracks_did_not_appear() -> None:
    rule, clip = MotionRule(), Span(0, 6)
    alone, along = moving("a", 2, 6, 0, 0), moving("b", 0, 6, 0, 0)
    assert comes_and_goes(alone, (alone, along), clip, rule) == ("appears",)
    assert comes_and_goes(alone, (alone, moving("c", 2.1, 6, 0, 0)), clip, rule) == ()
    assert comes_and_goes(moving("d", 0.4, 6, 0, 0), (), clip, rule) == ()
    assert comes_and_goes(moving("e", 0, 4, 0, 0), (along,), clip, rule) == ("disappears",)


def test_a_track_is_called_by_its_phrase_or_attributes() -> None:
    row = {"track_id": "t", "label": "circle", "attributes_json": '{"colour": "red"}', "start_s": 0.0, "end_s": 1.0}
    assert phrase_of(row) == "red circle" and phrase_of(row | {"phrase": "lamp"}) == "lamp"
    assert phrase_of(row | {"attributes_json": '{"track": "id 7"}'}) == "circle", "an imported identifier is no word"
    box = {"track_id": "t", "t_s": 0.2, "x1": 0.1, "y1": 0.1, "x2": 0.2, "y2": 0.2}
    thing = placed_track(row, [box, box | {"track_id": "other"}], "obj1")
    assert thing is not None and thing.name == "obj1" and thing.boxes == (Box(0.1, 0.1, 0.2, 0.2),)
    assert placed_track(row, []) is None
