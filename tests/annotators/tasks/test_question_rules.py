"""Rules for proposed questions: leaks, times, and what follows from claims alone."""

from __future__ import annotations

import pytest
from chronotope.annotators.tasks.question_rules import (
    asks_with_times,
    carried,
    named_share,
    question_key,
    said_of,
    shared_run,
)

CLAIMS = [("before", "e1", "e3"), ("beginning", "e1", None), ("starts_first", "e4", "e5")]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What happens before {e3.text}?", "{e1.text}"),
        ("What happens before {e3.text}?", "{e1.text} comes before that."),
        ("What comes after {e1.text}?", "{e3.text}, in {e3}."),
        ("When does {e3.text} happen?", "After {e1.text}."),
        ("In which part of the footage is {e1.text} shown?", "At the beginning."),
        ("Which comes first, {e3.text} or {e1.text}?", "{e1.text} comes first."),
        ("Which comes first, {e4.text} or {e5.text}?", "{e4.text}"),
    ],
)
def test_what_only_quotes_and_orders_is_carried_by_its_claims(question, answer):
    assert carried(question, answer, said_of(CLAIMS))


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What happens after {e3.text}?", "{e1.text}"),  # the wrong way round
        ("What happens before {e3.text}?", "{e2.text}"),  # no claim about e2
        ("In which part of the footage is {e1.text} shown?", "At the end."),
        ("Which comes first, {e3.text} or {e1.text}?", "{e3.text}"),
        ("What happens right before {e3.text}?", "{e1.text}"),  # nothing says that nothing lies between
        ("Does {e1.text} happen before {e3.text}?", "No."),
        ("Why is {e1.text} shown before {e3.text}?", "{e1.text} angers the man."),
        ("What happens in this footage?", "{e1.text} and {e3.text}"),  # no word of order
        ("What happens before {e3.text}?", "{e1..e2}"),
        ("What happens before that?", "Nothing."),
    ],
)
def test_what_says_more_or_otherwise_stays_unchecked(question, answer):
    assert not carried(question, answer, said_of(CLAIMS))


def test_five_words_of_a_description_are_a_leak_and_four_are_not():
    hidden = "a man in a red coat opens the door"
    assert shared_run("Why does a man in a RED coat, say, wait?", hidden) == "a man in a red"
    assert shared_run("What does the man with the red coat open?", hidden) == ""
    assert shared_run("When is the cup filled?", "the cup is filled") == ""
    assert shared_run("Who says that the cup is filled here?", "the cup is filled") == "the cup is filled"
    assert shared_run("Where is SEEDS written?", "SEEDS", quoted=True) == "seeds"
    assert shared_run("What is {e1.text}?", hidden) == ""


def test_times_and_talk_about_evidence_are_found_in_questions():
    assert asks_with_times("What happens in {e2}?") and asks_with_times("What is said at the third second?")
    assert asks_with_times("What happens before {e2.text}?") == ""


def test_shares_and_keys():
    assert named_share("When does somebody open the door?", "a man opens the door") == pytest.approx(2 / 3)
    assert question_key("What does the Dog do?") == question_key("what does a dog do")
