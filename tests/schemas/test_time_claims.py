"""What a reply says about when things happen is held against the spans; what it does not say is left alone."""

from __future__ import annotations

import pytest
from chronotope.schemas.facts import Fact, Facts
from chronotope.schemas.span import Span
from chronotope.schemas.time_claims import Rel, TimeClaim, claim_problems, stated_problems
from hypothesis import given
from hypothesis import strategies as st

WINDOW = Span(0.0, 30.0)
FACTS = Facts(
    [
        Fact("e1", "speech", "speech", {"row_id": "1"}, Span(1, 4), text="hello"),
        Fact("e2", "text", "text_regions", {"row_id": "2"}, Span(5, 9), text="EXIT"),
        Fact("e3", "event", "captions", {"row_id": "3"}, Span(14, 16), text="two men run"),
        Fact("e4", "event", "captions", {"row_id": "4"}, Span(6, 28), text="it rains"),
        Fact("e5", "event", "captions", {"row_id": "5"}, Span(27, 30), text="the end"),
        Fact("s1", "sample", "samples", {"row_id": "6"}, text="When?"),
    ]
)


@pytest.mark.parametrize(
    ("rel", "a", "b", "holds"),
    [
        ("before", "e1", "e2", True), ("before", "e2", "e1", False), ("before", "e2", "e4", False), ("after", "e3", "e2", True),
        ("after", "e1", "e2", False), ("during", "e3", "e4", True), ("during", "e4", "e3", False), ("overlaps", "e2", "e4", True),
        ("overlaps", "e1", "e2", False), ("starts_first", "e2", "e4", True), ("starts_first", "e4", "e2", False),
        ("beginning", "e1", None, True), ("beginning", "e3", None, False), ("middle", "e3", None, True), ("end", "e5", None, True),
        ("end", "e1", None, False),
    ],
)  # fmt: skip
def test_listed_claims_are_held_against_the_spans(rel: Rel, a: str, b: str | None, holds: bool) -> None:
    problems = claim_problems([TimeClaim(rel=rel, a=a, b=b)], "", FACTS, WINDOW)
    assert (problems == ()) == holds
    assert all(p.rule == "contradiction" and " s" in p.detail for p in problems)


def test_claims_about_nothing_are_problems() -> None:
    def rule(rel: Rel, a: str, b: str | None) -> str:
        return claim_problems([TimeClaim(rel=rel, a=a, b=b)], "", FACTS, WINDOW)[0].rule

    assert rule("before", "e1", "e7") == "unknown_evidence"
    assert rule("before", "e1", None) == "unknown_evidence"
    assert rule("end", "s1", None) == "no_such_field"


CONTRADICTED = [
    "The sign {e2} is up before he speaks {e1}.",
    "He speaks {e1} after the sign {e2}.",
    "After the men run {e3}, he says {e1.text} at {e1}.",
    "Before he speaks {e1}, the sign {e2.text} is read.",
    "Two men run {e3}, then he speaks {e1}.",
    "Two men run {e3}. Then he speaks {e1}.",
    "Two men run {e3}. Afterwards, a sign {e2} appears.",
    "He speaks {e1}. Before that, the men run {e3}.",
    "He speaks {e1} while the men run {e3}.",
    "He speaks during {e3}: no, {e1} during {e3}.",
    "The men run {e3} until he speaks {e1}.",
    "First the men run {e3}; finally he speaks {e1}.",
    "The men run {e3}, and after that he speaks {e1}.",
    "It rains {e3} before it snows {e1}.",
    "At the end of the video, he speaks {e1}.",
    "The men run {e3} at the beginning of the clip.",
    "The video begins with two men who run {e3}.",
    "The clip ends with him speaking {e1}.",
    "It rains {e4} before the men run {e3}.",
]
FINE = [
    "He speaks {e1} before the sign {e2} is up.",
    "After he speaks {e1}, the men run {e3}.",
    "Before the men run {e3}, he speaks {e1}.",
    "He speaks {e1}, then the sign is up {e2}, and finally the men run {e3}.",
    "While it rains {e4}, the men run {e3}.",
    "It rains {e4} while the men run {e3}.",
    "He speaks {e1} until the sign is up {e2}.",
    "At the beginning of the video he speaks {e1}, and at the end of the video it is over {e5}.",
    "In the middle of the clip, two men run {e3}.",
    "The film opens with a greeting {e1} and closes with the end {e5}.",
    "Does the sign {e2} appear before he speaks {e1}?",
    "Do the men run {e3} before or after he speaks {e1}?",
    "Which comes first, {e3} or {e1}?",
    "What happens after {e1}?",
    "The men do not run {e3} before he speaks {e1}.",
    "The sign {e2} is not up until after he speaks {e1}.",
    "The men run {e3}, while he speaks {e1}, whereas others listen.",
    "I look at {e3}, then compare it with {e1}.",
    "Whether {e3} is before {e1} is asked.",
    "Next to the sign {e2} stands a man {e1}.",
    "“First {e3.text}, then {e1.text}” is what they call it.",
    "The men run {e3}. He speaks {e1}.",
    "The greeting {e1} and the run {e3} are in the footage.",
    "He says {e1.text} at {e1}, before the sign {e2.text} shows at {e2}.",
    "After a voice says {e1.text} at {e1}, a sign reads {e2.text} at {e2}.",
]


@pytest.mark.parametrize("text", CONTRADICTED)
def test_an_order_in_words_that_the_spans_deny_is_a_contradiction(text: str) -> None:
    problems = stated_problems(text, FACTS, WINDOW)
    assert [p.rule for p in problems][:1] == ["contradiction"], problems


@pytest.mark.parametrize("text", FINE)
def test_what_holds_or_is_not_said_is_left_alone(text: str) -> None:
    assert stated_problems(text, FACTS, WINDOW) == ()


spans = st.tuples(st.integers(0, 29_000), st.integers(1, 30_000)).map(
    lambda t: Span(t[0] / 1000, min(30.0, (t[0] + t[1]) / 1000))
)


@given(spans, spans)
def test_relations_agree_with_each_other(a: Span, b: Span) -> None:
    facts = Facts(Fact(name, "event", "captions", {"row_id": name}, span) for name, span in (("e1", a), ("e2", b)))

    def holds(rel: Rel, x: str, y: str | None) -> bool:
        return claim_problems([TimeClaim(rel=rel, a=x, b=y)], "", facts, WINDOW) == ()

    assert holds("before", "e1", "e2") == holds("after", "e2", "e1")
    assert not (holds("before", "e1", "e2") and holds("before", "e2", "e1"))
    assert not (holds("before", "e1", "e2") and holds("starts_first", "e2", "e1"))
    assert holds("overlaps", "e1", "e2") == holds("overlaps", "e2", "e1")
    assert any(holds(place, "e1", None) for place in ("beginning", "middle", "end"))
    if a.end_s <= b.start_s:
        assert holds("before", "e1", "e2") and not holds("overlaps", "e1", "e2")
        assert stated_problems("It rains {e2} before it snows {e1}.", facts, WINDOW)
        assert not stated_problems("It rains {e1} before it snows {e2}.", facts, WINDOW)


@given(st.text('{}e123. ,;?!“”"after before then', max_size=40))
def test_any_text_can_be_read(text: str) -> None:
    for problem in stated_problems(text, FACTS, WINDOW):
        assert problem.rule == "contradiction"
