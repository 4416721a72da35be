"""Rule checks of samples: a question that quotes its answer is a leak, a number from nowhere is no key."""

from __future__ import annotations

import json
from typing import Any

import pytest
from chronotope.annotators.checks.sample_rules import SampleRules
from chronotope.engine.annotator import Rows, Unit
from chronotope.schemas.sample import ChoiceAnswer, Evidence, MediumRef, Option, Sample, TextAnswer, Turn
from chronotope.schemas.tables import TABLES

CAPTION = "a man in a long red coat picks up a brass lamp"


def sample(
    question: str, answer: Any, options: tuple[str, ...] = (), told: str = CAPTION, kind: str = "video"
) -> Sample:
    return Sample(
        task="t", recipe="r", media=(MediumRef(media_id="m", kind=kind, start_s=0, end_s=20),),
        turns=(
            Turn(role="user", text=question + ("\n<options>" if options else "")),
            Turn(role="assistant", text="<answer>" if options else answer.text),
        ),
        answer=answer, options=tuple(Option(text=o) for o in options),
        evidence=(Evidence(table="captions", row_id="c1", values={"text": told, "start_s": 2.0, "end_s": 5.0}),),
        needs=("vision",), wording="w", answer_form="a", generator="t@1",
    )  # fmt: skip


def checks(
    one: Sample, proposal: dict[str, Any] | None = None, **params: Any
) -> dict[str, tuple[bool | None, str | None]]:
    row = TABLES["samples"].complete(one.to_row(), "t", "m", "m")
    rows: dict[str, list[dict[str, Any]]] = {"samples": [row]}
    if proposal is not None:
        shown = {"source_table": "captions", "row_id": "c1"}
        listed = [
            shown
            | {"values_json": json.dumps({"name": name, "text": text, "start_s": a, "end_s": b, "level": "event"})}
            for name, text, a, b in (("e1", CAPTION, 2.0, 5.0), ("e2", "a dog barks", 8.0, 9.0))
        ]
        values = {"task": "t", "sample_id": one.sample_id, "proposal_json": json.dumps(proposal), "evidence": listed}
        rows["proposals"] = [TABLES["proposals"].complete(values | {"request_hash": "h", "item": 0}, "t", "m", "m")]
    task = SampleRules(SampleRules.Params(**params))
    found = [r for _, r in task.annotate(Unit("m", "medium", None, "r", 0), Rows(rows))]
    return {r["check_name"]: (r["passed"], r["detail"]) for r in found}


@pytest.mark.parametrize(
    ("question", "answer", "options", "leaks"),
    [
        ("<video>\nWhat does the man pick up?", TextAnswer(text="a brass lamp"), (), False),
        ("<video>\nWho picks up a brass lamp?", TextAnswer(text="a brass lamp"), (), True),
        ("<video>\nWhat does the man in a long red coat pick up?", TextAnswer(text="a brass lamp"), (), True),
        ("<video>\nDoes the camera go left or right?", ChoiceAnswer(index=0), ("left", "right"), False),
        ("<video>\nWho walks to the left?", ChoiceAnswer(index=0), ("left", "right"), True),
        ("<video>\nLook at the centre. Which part moves?", ChoiceAnswer(index=0), ("the centre", "the ring around the centre"), False),
        ("<video>\nWhen is <span:2,5> shown?", ChoiceAnswer(index=0), ("<span:2,5>", "<span:6,8>"), None),
    ],
)  # fmt: skip
def test_a_question_must_not_tell_its_answer(
    question: str, answer: Any, options: tuple[str, ...], leaks: bool | None
) -> None:
    found = checks(sample(question, answer, options)).get("leak")
    assert (None if found is None else not found[0]) is leaks


def test_a_film_told_in_words_holds_its_answer_by_design() -> None:
    assert "leak" not in checks(
        sample("Scene 1: a brass lamp.\nWhat is first?", TextAnswer(text="a brass lamp"), kind="text")
    )


GOOD = {"question": "What happens during {e1}?", "claims": [{"rel": "before", "a": "e1", "b": "e2"}]}


@pytest.mark.parametrize(
    ("proposal", "slots", "claims"),
    [
        (GOOD, True, True),
        (GOOD | {"question": "What happens during {e7}?"}, False, True),
        (GOOD | {"question": "What happens at 3.5 seconds?"}, False, None),
        (GOOD | {"claims": [{"rel": "after", "a": "e1", "b": "e2"}]}, True, False),
        (GOOD | {"question": "Which of the seven lamps is picked up during {e1}?"}, True, None),
    ],
)
def test_proposals_are_read_again_over_what_the_model_was_shown(
    proposal: Any, slots: bool, claims: bool | None
) -> None:
    found = checks(sample("<video>\nWhat happens?", TextAnswer(text="a man takes a lamp")), proposal)
    assert (found["slots"][0], found["claims"][0]) == (slots, claims)


@pytest.mark.parametrize(
    ("answer", "grounded"),
    [
        ("a man takes the lamp", True),
        ("he says “a brass lamp”", True),
        ("he says “good evening”", False),
        ("he takes seven lamps", False),
    ],
)
def test_numbers_and_quotations_of_an_answer_stand_in_its_evidence(answer: str, grounded: bool) -> None:
    assert checks(sample("<video>\nWhat happens?", TextAnswer(text=answer)), GOOD)["key"][0] is grounded


def test_samples_of_templates_are_only_looked_at_for_leaks() -> None:
    assert set(checks(sample("<video>\nWhat happens?", TextAnswer(text="nothing")))) == {"leak"}


def test_what_is_wrong_on_purpose_and_the_words_true_and_false_are_no_findings() -> None:
    fib = {"fact": "{e1.text} comes before {e2.text}.", "fib": "{e2.text} comes before {e1.text}."}
    fib |= {"claims": GOOD["claims"], "fib_claims": [{"rel": "before", "a": "e2", "b": "e1"}]}
    asked = sample("<video>\nIs it true that a dog barks?", ChoiceAnswer(index=0), ("true", "false"))
    found = checks(asked, fib)
    assert found["slots"][0] and found["claims"][0] and "leak" not in found
    assert not checks(asked, fib | {"fib": "{e9.text} comes before {e1.text}."})["slots"][0]
