"""Rewordings keep everything but the words, are checked like any sample, and bad ones are rejected by name."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from chronotope.annotators.tasks.rephrase import TEMPLATE_TASKS, Rephrase, RephraseParams, original_of
from chronotope.annotators.tasks.rewording import masked, unmasked
from chronotope.annotators.tasks.rewording_rules import Meant, answer_problem, question_problem
from chronotope.engine.task import EvidenceRow
from chronotope.schemas.sample import Sample, Turn
from model_recipes import build_with_models
from model_server import ModelServer

WHEN = Meant(asks=frozenset({"when"}), evidence=frozenset({"black", "heart", "move", "up"}))
QUESTION = "<video>\nOver which span, please, is “Keep &lt;clear” to be read while a black heart moves up?\n<options>"
ANSWER = "It starts at <t:26.36> and stops at <t:28.48>."


def test_putting_values_aside_and_back_changes_nothing() -> None:
    for text in (
        QUESTION,
        ANSWER,
        "<image>\nThe <t@2:3> of <image@2>, <box:0.100000,0.200000,0.300000,0.400000>?",
        "It is picture <answer>.",
    ):
        put_aside = masked(text)
        assert put_aside is not None
        assert unmasked(put_aside, put_aside.words) == text
        assert "<" not in put_aside.words.replace("&lt;", "")


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        ("At what time can one read {q1} as a black heart moves up?", None),
        ("At what time can one read it as a black heart moves up?", "dropped_slot"),
        ("At what time can one read {q1}, {q1} as a black heart moves up?", "dropped_slot"),
        ("At what time can one read {q2} {q1} as a black heart moves up?", "unknown_evidence"),
        ("At what time can one read {q1.text} as a black heart moves up?", "dropped_slot"),
        ("After 26 s, at what time can one read {q1} as a black heart moves up?", "literal_time"),
        ("At what time can one read {q1} at (120, 40) as a black heart moves up?", "literal_place"),
        ("At what time can one read {q1} <t:5> as a black heart moves up?", "literal_time"),
        ("At what time can one read {q1 as a black heart moves up?", "malformed_slot"),
        ("Who shows the sign {q1} as a black heart moves up there?", "other_question"),
        ("Does {q1} stand there at that time, as a black heart moves up?", "other_question"),
        ("How many times can one read {q1} as a black heart moves up?", "other_question"),
        ("At what time can one read {q1} as a red heart moves up?", "changed_sense"),
        ("At what time can one not read {q1} as a black heart moves up?", "changed_sense"),
        ("At what time can one read {q1} as a black heart moves down?", "changed_sense"),
        ("At what time can one read {q1} as two black hearts move up?", "changed_sense"),
        ("At what time can one read {q1} as a black star moves up?", "lost_words"),
        ("At what time near the beginning can one read {q1} as a black heart moves up?", "leak"),
        ("Over which span, please, is {q1} to be read while a black heart moves up?", "unchanged"),
    ],
)  # fmt: skip
def test_a_reworded_question_must_ask_the_same(words: str, rule: str | None) -> None:
    original = masked(QUESTION)
    assert original is not None
    problem = question_problem(original, words, WHEN, 0.25)
    assert (problem.rule if problem else None) == rule, problem


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        ("One sees it from {t1} until {t2}.", None),
        ("Between {t1} and {t2}, I would say.", None),
        ("It stops at {t2}, having started at {t1}.", "swapped_slots"),
        ("It ends at {t1} and starts at {t2}.", "swapped_slots"),
        ("It starts at {t1}.", "dropped_slot"),
        ("It does not start at {t1} and stops at {t2}.", "changed_sense"),
        ("It starts at {t1} and stops two seconds later at {t2}.", "literal_time"),
        ("Does it start at {t1} and stop at {t2}?", "other_question"),
    ],
)
def test_a_reworded_answer_must_say_the_same(words: str, rule: str | None) -> None:
    original = masked(ANSWER)
    assert original is not None
    problem = answer_problem(original, words)
    assert (problem.rule if problem else None) == rule, problem


@pytest.mark.xdist_group("ray")
def test_a_recipe_rewords_its_samples(tmp_path) -> None:
    tasks = ["speech_grounding", "text_grounding", "temporal_grounding", "moment_choice", "span_choice"]
    with ModelServer() as server:
        built = build_with_models(tmp_path, server, tasks=[*tasks, {"rephrase": {"batch": 4}}])
    assert not built.report.failures, built.report.failures
    found = built.rows("SELECT * FROM samples WHERE task = 'rephrase' ORDER BY sample_id")
    assert len(found) >= 4
    verdicts = built.rows("SELECT * FROM verdicts WHERE task = 'rephrase'")
    assert len(verdicts) == len(found)
    assert [v for v in verdicts if not v["passed"]] == []
    assert {v["check_status"] for v in verdicts} == {"recomputed"}
    assert {v["evidence_grade"] for v in verdicts} == {"exact"}
    originals = {r["row_id"]: r for r in built.rows("SELECT * FROM samples WHERE task <> 'rephrase'")}
    for row in found:
        original = originals[row["evidence"][0]["row_id"]]
        assert row["answer_json"] == original["answer_json"] and row["options"] == original["options"]
        assert row["turns"][0]["text"] != original["turns"][0]["text"]
    proposals = built.rows("SELECT * FROM proposals WHERE task = 'rephrase'")
    assert {p["sample_id"] for p in proposals if p["outcome"] == "landed"} == {r["sample_id"] for r in found}
    assert all(p["rule"] and p["reason"] for p in proposals if p["outcome"] != "landed")
    stored = {r["row_id"]: r for r in [*originals.values(), *proposals]}
    sample = Sample.from_row(found[0])
    evidence = [EvidenceRow(e.table, stored.get(e.row_id, {})) for e in sample.evidence]
    task = Rephrase(RephraseParams())
    assert task.recompute(sample, evidence).ok
    for what, lie, rows in lies(sample, evidence):
        assert not task.recompute(lie, rows).ok, what
    assert 3 * len({p["request_hash"] for p in proposals}) <= len(proposals), "several questions go into one request"


def lies(sample: Sample, evidence: list[EvidenceRow]) -> Iterator[tuple[str, Sample, list[EvidenceRow]]]:
    """The sample, or a row that it cites, with one thing changed."""
    asked, answered = sample.turns
    yield (
        "question",
        sample.model_copy(update={"turns": (Turn(role="user", text=asked.text + " Now?"), answered)}),
        evidence,
    )
    yield "needs", sample.model_copy(update={"needs": ()}), evidence
    member, proposal, *rest = evidence
    item = json.loads(proposal.row["proposal_json"])
    for name, text in (
        ("dropped slots", "What is it?"),
        ("other words", item["question"] + " Now."),
    ):
        changed = {**proposal.row, "proposal_json": json.dumps({**item, "question": text})}
        yield name, sample, [member, EvidenceRow("proposals", changed), *rest]
    other = {**proposal.row, "proposal_json": json.dumps({**item, "sample": "s99"})}
    yield "proposal for another", sample, [member, EvidenceRow("proposals", other), *rest]
    moved = {**member.row, "window_start_s": 0.0, "media": [{**member.row["media"][0], "start_s": 0.001}]}
    yield "window", sample, [EvidenceRow("samples", moved), proposal, *rest]


def test_all_template_tasks_exist() -> None:
    from chronotope.engine.registry import find

    for task in TEMPLATE_TASKS:
        assert find("annotator", task).name == task


def test_a_conversation_is_not_reworded(conversation_row: dict[str, object]) -> None:
    assert original_of(conversation_row) is None


@pytest.fixture
def conversation_row() -> dict[str, object]:
    turns = [{"role": r, "text": "x"} for r in ("user", "assistant", "user", "assistant")]
    part = {"task": "t", "turn": 1, "answer": {"kind": "absent"}, "scope": [0, 1], "lead": "a", "form": "b"}
    return {
        "task": "conversation", "recipe": "r", "clip_id": None, "turns": turns, "options": [], "rationale": [], "evidence": [],
        "media": [{"media_id": "m", "kind": "video", "start_s": 0.0, "end_s": 1.0, "frame_times": []}],
        "answer_json": json.dumps({"kind": "turns", "parts": [part, {**part, "turn": 3}]}), "needs": [], "origin": "real",
        "wording": "a", "answer_form": "b", "pair_id": None, "difficulty_json": "{}", "generator": "conversation@1",
    }  # fmt: skip
