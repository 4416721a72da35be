"""Chains of typed steps: run again they give the answer, and the answer rests on every cited value and on nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from chronotope.schemas.chain import Broken, Replayed, Step, cited, from_json, problems, replay, same_answer, to_json
from chronotope.schemas.chain_building import Trail
from chronotope.schemas.chain_doubt import doubt
from chronotope.schemas.chain_words import chain_facts, lines_of, renamed, reworded
from chronotope.schemas.sample import OrderAnswer, SpanAnswer
from chronotope.schemas.span import Span
from hypothesis import given, settings
from hypothesis import strategies as st

WORDS = ["lid", "jar", "bell", "lamp", "rope", "door", "kite", "drum", "fork", "boat"]
starts = st.lists(st.integers(1, 400), min_size=3, max_size=6, unique=True).map(sorted)


def rows_at(times: list[int]) -> dict[str, dict[str, Any]]:
    return {
        f"r{i}": {"row_id": f"r{i}", "start_s": t / 4, "end_s": t / 4 + 0.2, "text": f"the {WORDS[i]} moves"}
        for i, t in enumerate(times)
    }


def search(rows: dict[str, dict[str, Any]], wanted: int) -> tuple[Step, ...]:
    """Looks for one of the texts: the others are held against it."""
    trail, all_rows = Trail(), list(rows.values())
    text = all_rows[wanted]["text"]
    read = trail.read("speech", [all_rows[wanted]], "text", note="The words {@.text} are heard.")
    trail.require(read, "says", text)
    span = trail.locate("speech", [all_rows[wanted]], note="They are spoken in {@}.")
    trail.require(span, "within", [0.0, 200.0])
    others = trail.read("speech", [r for i, r in enumerate(all_rows) if i != wanted], "text")
    again = trail.compute("times_told", others, query=text, like="words", least=0.9)
    trail.require(again, "equal", 0, note="Nothing else that is said is like them.")
    trail.conclude("span", span, note=f"So the answer is {{{span}}}.")
    return trail.steps


@settings(max_examples=40, deadline=None)
@given(starts, st.data())
def test_replay_gives_the_answer_which_rests_on_every_cited_value(times: list[int], data: st.DataObject) -> None:
    rows = rows_at(times)
    wanted = data.draw(st.integers(0, len(times) - 1))
    steps = search(rows, wanted)
    assert problems(steps) == []
    run = replay(steps, rows)
    assert isinstance(run, Replayed)
    row = rows[f"r{wanted}"]
    assert same_answer(run.answer, SpanAnswer(start_s=row["start_s"], end_s=row["end_s"]))
    found = doubt(steps, rows, run)
    assert found.faithful, found.idle
    assert found.values == len(list(cited(steps)))
    assert from_json(to_json(steps)) == steps


@settings(max_examples=40, deadline=None)
@given(starts, st.floats(-0.2, 0.2).filter(lambda v: abs(v) > 1e-3))
def test_a_moved_row_moves_the_answer_and_an_uncited_one_does_not(times: list[int], by: float) -> None:
    rows = rows_at(times)
    steps = search({k: rows[k] for k in list(rows)[:2]}, 0)
    moved = {**rows, "r0": {**rows["r0"], "start_s": rows["r0"]["start_s"] + by / 2, "end_s": rows["r0"]["end_s"] + by}}
    run, other = replay(steps, rows), replay(steps, moved)
    assert isinstance(run, Replayed)
    assert isinstance(other, Broken) or not same_answer(run.answer, other.answer)
    rest = {k: v for k, v in rows.items() if k in ("r0", "r1")}
    again = replay(steps, rest)
    assert isinstance(again, Replayed) and same_answer(run.answer, again.answer)


@settings(max_examples=40, deadline=None)
@given(st.permutations(range(5)))
def test_the_order_of_rows_is_that_of_their_times(order: list[int]) -> None:
    rows = rows_at([4 * (n + 1) for n in order])
    trail = Trail()
    places = [trail.locate("speech", [row]) for row in rows.values()]
    names = [trail.compute("index_of", trail.read("speech", [r], "text"), options=[x["text"] for x in rows.values()])
             for r in rows.values()]  # fmt: skip
    trail.conclude("order", trail.compute("in_time_order", *names, *places, count=5))
    run = replay(trail.steps, rows)
    assert isinstance(run, Replayed)
    assert run.answer == OrderAnswer(order=tuple(sorted(range(5), key=lambda i: order[i])))
    assert doubt(trail.steps, rows, run).faithful


def test_a_quoted_value_that_decides_nothing_is_found() -> None:
    rows = rows_at([4, 8, 12])
    trail = Trail()
    span = trail.locate("speech", [rows["r0"]])
    least = trail.compute("least_alike", trail.read("speech", [rows["r1"]], "text"), query="x", like="words")
    trail.require(least, "at_most", 5.0)
    trail.conclude("span", span)
    run = replay(trail.steps, rows)
    assert isinstance(run, Replayed)
    assert doubt(trail.steps, rows, run).idle == (("speech", "r1", "text"),)


def test_what_cannot_be_done_is_a_value_with_the_step_and_the_reason() -> None:
    rows = rows_at([4, 8, 12])
    steps = search(rows, 0)
    gone = replay(steps, {k: v for k, v in rows.items() if k != "r0"})
    assert gone == Broken("s1", "row r0 is not among the evidence")
    turned = replay(steps, {**rows, "r0": {**rows["r0"], "end_s": 0.0}})
    assert isinstance(turned, Broken) and turned.step == "s3" and "is no span" in turned.reason
    said = replay(steps, {**rows, "r1": {**rows["r1"], "text": rows["r0"]["text"]}})
    assert said == Broken("s7", "does not hold")
    assert isinstance(from_json('[{"step": "guess", "name": "s1"}]'), Broken)


def test_steps_that_lead_nowhere_and_unknown_operations_are_problems() -> None:
    rows = rows_at([4, 8, 12])
    trail = Trail()
    span = trail.locate("speech", [rows["r0"]])
    trail.locate("speech", [rows["r1"]])
    trail.compute("guess", span)
    trail.conclude("span", span)
    assert problems(trail.steps) == [
        "s3: unknown operation 'guess'",
        "the conclusion does not rest on s2",
        "the conclusion does not rest on s3",
    ]
    assert problems(trail.steps[:2]) == ["a chain ends with its one conclusion"]


@pytest.mark.parametrize(
    ("sentence", "rule"),
    [
        ("I hear {s1.text} now.", ""),
        ("Somebody says {s1.text} in {s3}.", "other_slots"),
        ("Somebody speaks.", "other_slots"),
        ("I do not hear {s1.text}.", "negation"),
        ("I first hear {s1.text}.", "ordinal"),
        ("I hear {s1.text} at 3.5 s.", "literal_time"),
        ("I hear {s1.text} 17 times.", "number"),
        ("I hear {s9.text}.", "unknown_evidence"),
    ],
)
def test_other_words_must_say_the_same(sentence: str, rule: str) -> None:
    rows = rows_at([4, 8, 12])
    steps = search(rows, 0)
    run = replay(steps, rows)
    assert isinstance(run, Replayed)
    facts = chain_facts(steps, run.values, {"row_id": "x"})
    line = lines_of(steps)[0]
    assert line.text == "The words {s1.text} are heard."
    found = reworded(sentence, line, facts, Span(0.0, 200.0))
    assert [p.rule for p in found.problems][:1] == ([rule] if rule else [])
    if not rule:
        assert found.text == "I hear “the lid moves” now."


def test_chains_that_are_told_together_have_a_letter_each() -> None:
    assert renamed("From {s1.start} to {s12}, not {e1}.", "b") == "From {b1.start} to {b12}, not {e1}."
    assert renamed("In {b12}.", "s", "b") == "In {s12}."
