"""Likeness of texts: repetitions are found where they stand, paraphrases of grammar are the same, other facts are others."""

from __future__ import annotations

import pytest
from chronotope.schemas.matching import alike_descriptions, alike_lines, alike_runs, quoted_parts
from chronotope.schemas.metrics import normalise_words

SPOKEN = normalise_words(
    "First we loosen the rusty screws. The old clock has stopped again. Please bring the lamp a little closer. "
    "The old clock had stopped again, and we loosen the screws."
)


def runs(query, floor=0.65, tokens=SPOKEN):
    return [(" ".join(tokens[r.first : r.last]), r.score) for r in alike_runs(normalise_words(query), tokens, floor)]


def test_repetitions_and_near_repetitions_are_found_where_they_stand():
    (exact, one), (near, less) = runs("the old clock has stopped")
    assert (exact, one, near) == ("the old clock has stopped", 1.0, "the old clock had stopped") and 0.9 < less < 1
    assert [text for text, _ in runs("we loosen the rusty screws")] == [
        "we loosen the rusty screws",
        "we loosen the screws",
    ]


def test_only_the_best_of_what_is_unlike_is_named():
    ((text, score),) = runs("the train leaves the city early")
    assert score < 0.65 and text in " ".join(SPOKEN)


def test_words_are_compared_whole():
    assert runs("art", tokens=["start", "party"])[0][1] < 0.65
    assert runs("", tokens=["start"]) == [] and runs("art", tokens=[]) == []


def test_a_score_is_one_minus_edits_by_length():
    ((_, score),) = runs("abcd efgh", floor=0.1, tokens=["abxd", "efgh"])
    assert score == pytest.approx(1 - 1 / 9)


@pytest.mark.parametrize(
    ("query", "line", "score"),
    [("NORTH GATE", "north-gate", 1.0), ("NORTH GATE", "THE NORTH GATE IS HERE", 0.9), ("NORTH GATE", "NORTH", 0.9),
     ("OPEN", "CLOSED", 0.333333), ("sugar", "sugan", 0.8)],
)  # fmt: skip
def test_lines(query, line, score):
    assert alike_lines(query, line) == pytest.approx(score)


@pytest.mark.parametrize(
    ("query", "description", "low", "high"),
    [
        ("a man opens the door", "Man opening door", 1, 1),
        ("a man opens the door", "the door is opened by a man", 0.8, 0.96),
        ("a man opens the door", "a man opens the red door", 0.6, 0.96),
        ("a man opens the door", "a man closes the door", 0, 0),
        ("a man opens the door", "a dog catches a frisbee", 0, 0.3),
        ("a red star moves to the left", "a blue star moves to the left", 0, 0),
        ("a red star moves to the left", "a red star moves to the right", 0, 0),
        ("a sign reads “SUGAR”", "a sign reads “HONEY”", 0, 0),
        ("a sign reads “SUGAR”", "a sign reads “Sugar”", 1, 1),
    ],
)
def test_descriptions(query, description, low, high):
    assert low <= alike_descriptions(query, description) <= high
    assert low <= alike_descriptions(description, query) <= high


def test_quotations_are_taken_out():
    assert quoted_parts('a sign reads “OPEN” over "late" nights') == ["OPEN", "late"]
