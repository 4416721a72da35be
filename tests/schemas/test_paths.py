"""Free paths of reasoning: the answer by the verifier, the process by rules; a planted wrong step is never of tier A."""

from __future__ import annotations

from typing import Any

import pytest
from chronotope.schemas.facts import Fact, Facts
from chronotope.schemas.paths import Asked, Decisive, Path, grade, score_of
from chronotope.schemas.sample import ChoiceAnswer, SpanAnswer, TextAnswer
from chronotope.schemas.span import Span

WINDOW = Span(0.0, 40.0)
TEXTS = ("the kettle is filled with water", "seven swans cross the lake", "a ladder leans on the wall",
         "nobody opens the blue parcel", "trains leave from the far side", "music starts to play")  # fmt: skip
FACTS = Facts(
    Fact(f"e{i}", "speech", "speech", {"row_id": f"r{i}"}, Span(6.0 * i - 5, 6.0 * i - 2), text=text)
    for i, text in enumerate(TEXTS, start=1)
)
HINTS = {"concept": "Time.", "strategy": "Search.", "tool": "Listen.", "key_step": "The words."}


def step(kind: str, evidence: list[str], text: str, *claims: tuple[str, str, str]) -> dict[str, Any]:
    listed = [{"rel": rel, "a": a, "b": b} for rel, a, b in claims]
    return {"kind": kind, "evidence": evidence, "text": text, "claims": listed}


def asked_when(n: int) -> Asked:
    fact = FACTS[f"e{n}"]
    assert fact.span is not None and fact.text is not None
    key = SpanAnswer(start_s=fact.span.start_s, end_s=fact.span.end_s)
    return Asked(key, WINDOW, (Decisive(fact.text, fact.span),))


def path(n: int, steps: list[dict[str, Any]] | None = None, **answer: Any) -> Path:
    before = f"e{n - 1 if n > 1 else n + 1}"
    order = ("before", f"e{n}", before) if n == 1 else ("after", f"e{n}", before)
    sound = [
        step("read", [before], f"Something else is {{{before}.text}}."),
        step("read", [f"e{n}"], f"The words are {{e{n}.text}}."),
        step("locate", [f"e{n}"], f"They begin at {{e{n}.start}} and end at {{e{n}.end}}."),
        step("compare", [f"e{n}", before], f"That {{e{n}}} and {{{before}}} stand apart is clear.", order),
        step("conclude", [f"e{n}"], f"So {{e{n}}} it is."),
    ]
    told = {"option": None, "order": [], "span": f"{{e{n}}}", "text": None} | answer
    return Path.model_validate({"steps": steps or sound, "answer": told, "confidence": 0.9, "hints": HINTS})


def with_step(n: int, at: int, **changes: Any) -> Path:
    data = path(n).model_dump()
    data["steps"][at].update(changes)
    return Path.model_validate(data)


@pytest.mark.parametrize("n", range(1, 7))
def test_a_sound_path_is_of_tier_a(n: int) -> None:
    found = grade(path(n), asked_when(n), FACTS)
    assert found.tier == "A", found.problem


@pytest.mark.parametrize("n", range(1, 7))
def test_planted_wrong_steps_are_demoted(n: int) -> None:
    other = f"e{n + 2 if n + 2 <= 6 else n - 2}"
    key = f"e{n}"
    planted = {
        "other_evidence": with_step(n, 1, text=f"The words are {{{other}.text}}."),
        "unknown_evidence": with_step(n, 1, evidence=["e99"], text="The words are {e99.text}."),
        "swapped_ends": with_step(n, 2, text=f"They begin at {{{key}.end}}."),
        "mixed_evidence": with_step(
            n, 2, evidence=[key, other], text=f"They begin at {{{other}.start}}, as {{{key}}}."
        ),
        "literal_time": with_step(n, 2, text="They begin at 3.2 s."),
        "contradiction": with_step(n, 3, claims=[{"rel": "during", "a": key, "b": path(n).steps[3].evidence[1]}]),
        "no_evidence": with_step(n, 1, evidence=[], text="It was said."),
        "no_claim": with_step(n, 3, claims=[]),
        "number": with_step(n, 1, text=f"The words {{{key}.text}} come 19 times."),
        "unsupported_answer": with_step(n, 4, evidence=[other], text=f"So it follows from {{{other}}}."),
        "no_conclusion": path(n, [s.model_dump() for s in path(n).steps[:-1]]),
    }
    for rule, wrong in planted.items():
        found = grade(wrong, asked_when(n), FACTS)
        assert found.tier == "B", (rule, found)
        assert found.problem is not None and found.problem.rule == rule


@pytest.mark.parametrize("n", range(1, 7))
def test_a_right_answer_for_a_wrong_reason_is_not_of_tier_a(n: int) -> None:
    other = f"e{n % 6 + 1}"
    steps = [step("read", [other], f"It is {{{other}.text}}."), step("conclude", [other], f"So {{{other}}} tells it.")]
    found = grade(path(n, steps), asked_when(n), FACTS)
    assert found.answer_ok and found.tier == "B"
    assert found.problem is not None and found.problem.rule == "unsupported_answer"


def test_what_decides_must_be_read_and_located_and_not_only_be_mentioned() -> None:
    for text in ("The words are {e2.text}.", "It is in {e2}."):
        steps = [step("read", ["e2"], text), step("conclude", ["e2"], "So {e2} it is.")]
        found = grade(path(2, steps), asked_when(2), FACTS)
        assert found.tier == "B" and found.problem is not None and found.problem.rule == "unsupported_answer"


def test_a_wrong_answer_is_of_tier_c_however_it_reasons() -> None:
    assert grade(path(2, span="{e3}"), asked_when(2), FACTS).tier == "C"
    assert grade(path(2, span="at 3 s"), asked_when(2), FACTS).tier == "C"
    assert grade(path(2, span=None), asked_when(2), FACTS).tier == "C"


def test_answers_are_read_as_the_question_wants_them() -> None:
    fact = FACTS["e2"]
    assert fact.span is not None and fact.text is not None
    need = (Decisive(fact.text, fact.span),)
    said = Asked(TextAnswer(text="Seven swans cross the lake!"), WINDOW, need)
    assert grade(path(2, text="{e2.text}"), said, FACTS).tier == "A"
    assert grade(path(2, text="“seven swans cross the lake”"), said, FACTS).tier == "A"
    assert grade(path(2, text="{e1.text}"), said, FACTS).tier == "C"
    chosen = Asked(ChoiceAnswer(index=1), WINDOW, need)
    assert grade(path(2, option=2), chosen, FACTS).tier == "A"
    assert grade(path(2, option=1), chosen, FACTS).tier == "C"


def test_which_comes_first_must_have_been_compared() -> None:
    needs = tuple(Decisive(f.text or "", f.span) for f in (FACTS["e2"], FACTS["e5"]) if f.span)
    first = Asked(ChoiceAnswer(index=0), WINDOW, needs, compared=True)
    looked_up = [step("read", [n], f"In {{{n}}} it is {{{n}.text}}.") for n in ("e2", "e5")]
    end = step("conclude", ["e2"], "So it is {e2.text}.")
    compared = step("compare", ["e2", "e5"], "Of {e2} and {e5}, one is sooner.", ("starts_first", "e2", "e5"))
    assert grade(path(2, [*looked_up, compared, end], option=1), first, FACTS).tier == "A"
    found = grade(path(2, [*looked_up, end], option=1), first, FACTS)
    assert found.tier == "B" and found.problem is not None and found.problem.rule == "unsupported_answer"


def test_scores_say_how_often_to_train_on_a_path() -> None:
    assert score_of("A", 1.0, 0.9, None, repaired=False) == 5
    assert score_of("A", 0.6, 0.9, None, repaired=False) == 4
    assert score_of("A", 0.6, 0.9, 0.5, repaired=True) == 2
    assert score_of("B", 1.0, 0.9, None, repaired=False) == 2
    assert score_of("C", 1.0, 0.9, None, repaired=False) is None
