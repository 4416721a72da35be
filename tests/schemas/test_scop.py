"""The constraints of SCOP: the source's own examples, each threshold, and what turning and swapping does to the captions."""

from __future__ import annotations

from itertools import pairwise

import pytest
from chronotope.schemas.box import Box
from chronotope.schemas.ids import seeded_fraction
from chronotope.schemas.relations import INVERSE
from chronotope.schemas.scop import RULES, ScopRule, margin, measures, pair_triples, refused

WIDTH, HEIGHT = 640, 480


def px(x: float, y: float, w: float, h: float) -> Box:
    box = Box.from_pixels(x, y, x + w, y + h, WIDTH, HEIGHT)
    assert box is not None
    return box


def why(a: Box, b: Box, rule: str = "scop", labels: tuple[str, str] = ("dog", "bench")) -> str:
    return refused(a, b, labels, RULES[rule], WIDTH, HEIGHT)


def test_the_examples_of_the_source() -> None:
    a, b = px(100, 150, 200, 200), px(340, 170, 180, 180)
    m = measures(a, b, WIDTH, HEIGHT)
    assert (round(m.pair_share, 3), round(m.ratio, 2), m.common) == (0.236, 0.81, 0.0)
    assert why(a, b) == ""
    assert pair_triples("dog", "bench", a, b) == (("dog", "left of", "bench"), ("bench", "right of", "dog"))
    small = px(100, 200, 150, 150), px(330, 220, 140, 140)
    assert round(measures(*small, WIDTH, HEIGHT).pair_share, 3) == 0.137 and why(*small) == "insignificant"


@pytest.mark.parametrize(
    ("a", "b", "reason"),
    [
        ((0, 0, 32, 32), (200, 100, 300, 300), "too far apart"),  # 1,024 px are enough
        ((0, 0, 31, 33), (200, 100, 300, 300), "too small"),
        ((0, 0, 640, 100), (0, 380, 640, 100), ""),
        ((0, 0, 100, 320), (540, 0, 100, 320), ""),
        ((100, 100, 250, 250), (180, 100, 250, 250), "overlapping"),
        ((0, 0, 60, 480), (580, 0, 60, 480), "insignificant"),
        ((0, 0, 100, 400), (500, 0, 100, 200), "insignificant"),
        ((0, 0, 200, 300), (440, 0, 200, 149), "unequal sizes"),
    ],
)
def test_each_constraint_is_named(a: tuple[float, ...], b: tuple[float, ...], reason: str) -> None:
    assert why(px(*a), px(*b)) == reason


def test_the_tuned_thresholds_are_stricter() -> None:
    a, b = px(100, 150, 200, 200), px(340, 170, 180, 180)
    assert why(a, b) == "" and why(a, b, "geneval") == "insignificant"
    assert why(px(0, 0, 320, 400), px(310, 0, 320, 400), "geneval") == ""


def boxes(count: int) -> list[Box]:
    found = []
    for i in range(count):
        x, y, w, h = (seeded_fraction("scop test", i, k) for k in "xywh")
        found.append(px(x * 300, y * 200, 100 + w * 230, 100 + h * 170))
    return found


def test_swapping_inverts_and_mirroring_turns_only_left_and_right() -> None:
    kept = 0
    flipped = {"left of": "right of", "right of": "left of", "above": "above", "below": "below"}
    for a, b in pairwise(boxes(600)):
        assert why(a, b) == why(b, a) == why(a.mirror(), b.mirror())
        if why(a, b):
            continue
        kept += 1
        triples = set(pair_triples("a", "b", a, b))
        assert triples == {(o, INVERSE[r], s) for s, r, o in triples}
        assert set(pair_triples("b", "a", b, a)) == triples
        swapped = {(o, r, s) for s, r, o in triples}
        assert not swapped & triples  # the swapped caption is always false
        assert set(pair_triples("a", "b", a.mirror(), b.mirror())) == {(s, flipped[r], o) for s, r, o in triples}
        assert margin(a, b, ScopRule(), WIDTH, HEIGHT) >= 0
    assert kept >= 100
