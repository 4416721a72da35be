"""Spatial sentences: what is read of them, what is left unread, and how spatial a text is."""

from __future__ import annotations

import pytest
from chronotope.schemas.box import Box
from chronotope.schemas.objects import Placed
from chronotope.schemas.relation_phrases import read_sentence, spatial_phrases
from chronotope.schemas.span import Span


def thing(name: str, phrase: str, label: str) -> Placed:
    return Placed(name, phrase, label, Span(0, 1), (0,), (Box(0.1, 0.1, 0.2, 0.2),))


CAST = (
    thing("obj1", "red circle", "circle"),
    thing("obj2", "blue square", "square"),
    thing("obj3", "green star", "star"),
    thing("obj4", "pink star", "star"),
    thing("e1", "TURN LEFT", "sign"),
)


def read(text: str) -> set[tuple[str, str, str]]:
    return {(s.a, s.relation, s.b) for s in read_sentence(text, CAST).stated}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The red circle is to the left of the blue square.", {("obj1", "left of", "obj2")}),
        ("A circle sits on the right side of the square.", {("obj1", "right of", "obj2")}),
        ("To the left of the square is a red circle.", {("obj1", "left of", "obj2")}),
        ("Above the blue square, the green star can be seen.", {("obj3", "above", "obj2")}),
        ("The red circle is left of the blue square and above the pink star.",
         {("obj1", "left of", "obj2"), ("obj1", "above", "obj4")}),
        ("The red circle is left of the blue square, which is above the pink star.",
         {("obj1", "left of", "obj2"), ("obj2", "above", "obj4")}),
        ("The circle and the green star are left of the square.",
         {("obj1", "left of", "obj2"), ("obj3", "left of", "obj2")}),
        ("The circle is left of the green star, the pink star and the square.",
         {("obj1", "left of", "obj3"), ("obj1", "left of", "obj4"), ("obj1", "left of", "obj2")}),
        ("The circle is above the square and the green star is below the pink star.",
         {("obj1", "above", "obj2"), ("obj3", "below", "obj4")}),
        ("The circle is above and to the left of the square.", {("obj1", "above", "obj2"), ("obj1", "left of", "obj2")}),
        ("The red circle is next to the blue square.", {("obj1", "near", "obj2")}),
        ("The red circle is far away from the blue square.", {("obj1", "far from", "obj2")}),
        ("The circle is bigger than the square.", {("obj1", "larger than", "obj2")}),
        ("The square is noticeably smaller in size than the circle.", {("obj2", "smaller than", "obj1")}),
        ("The circle stands in front of the square.", {("obj1", "in front of", "obj2")}),
        ("The red circle lies inside the blue square.", {("obj1", "inside", "obj2")}),
        ("The sign “TURN LEFT” is below the red circle.", {("e1", "below", "obj1")}),
        ("To the left of the sign “TURN LEFT” is the red circle.", {("obj1", "left of", "e1")}),
    ],
)  # fmt: skip
def test_relations_are_read(text: str, expected: set[tuple[str, str, str]]) -> None:
    reading = read_sentence(text, CAST)
    assert read(text) == expected
    assert reading.unread == 0


@pytest.mark.parametrize(
    "text",
    [
        "The red circle is not left of the blue square.",
        "The star is left of the blue square.",  # two stars
        "The red circle is on the left.",
        "The lamp is left of the blue square.",
        "The red circle is red. Left of the blue square.",
        "The blue square is between the circle and the pink star.",
    ],
)
def test_what_is_said_in_another_way_is_not_read_but_counted(text: str) -> None:
    assert read(text) == set()
    assert read_sentence(text, CAST).unread >= 1


def test_words_that_state_something_else_are_named() -> None:
    assert read_sentence("The red circle is left of the blue square.", CAST).free_words == ()
    free = read_sentence("The shiny red circle is happily left of the blue square.", CAST).free_words
    assert free == ("shiny", "happily")


def test_a_spatial_text_has_more_spatial_phrases() -> None:
    assert spatial_phrases("A circle and a square.") == 0
    assert spatial_phrases("A sign reads “TURN LEFT”.") == 0
    assert spatial_phrases("The circle is to the left of the square and above the star, in the top corner.") == 4
