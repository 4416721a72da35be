"""lifted_questions: the moment is the short one moved by the clip's offset, and nothing else passes."""

from __future__ import annotations

import json

import pytest
from chronotope.annotators.tasks.lifted_questions import LiftedQuestions
from chronotope.engine.task import EvidenceRow
from chronotope.schemas.chain import replay, same_answer
from chronotope.schemas.sample import Sample


def said(part, offset, length, short):
    return json.dumps({"clip": f"clip_{part}", "part": part, "part_s": [offset, offset + length], "short_s": short})


@pytest.fixture
def episode(new_world):
    """Four clips of twenty seconds, a question about each."""
    world = new_world()
    world.medium("episode", 80.0)
    world.clip("episode", 0.0, 80.0)
    for k in range(4):
        world.add(
            "questions", "episode", "composed_truth", question_id=f"q{k}", question=f"Why does Ana leave table {k}?",
            options=["she is tired", "she is late", "somebody calls", "the food is cold", "it rains"], answer_index=k,
            answer_text="x", start_s=20.0 * k + 3.5, end_s=20.0 * k + 9.0, needs=["vision"],
            attributes_json=said(k, 20.0 * k, 20.0, [3.5, 9.0]),
        )  # fmt: skip
    return world


def test_answers_and_places_are_those_of_the_clips(episode, all_caught):
    task = LiftedQuestions(LiftedQuestions.Params())
    rows = episode.run(task, "episode")
    assert len(rows) == 8
    for row in rows:
        sample = Sample.from_row(row)
        assert sample.problems() == [] and episode.check(task, row)["passed"], episode.check(task, row)
        part = int(sample.difficulty["part"])
        if sample.answer.kind == "choice":
            assert len(sample.options) == 5
            right = ["she is tired", "she is late", "somebody calls", "the food is cold"][part]
            assert sample.options[sample.answer.index].text == right
        else:
            assert (sample.answer.start_s, sample.answer.end_s) == (20.0 * part, 20.0 * part + 20)
        evidence = [EvidenceRow(e.table, episode.lookup(e.table, e.row_id)) for e in sample.evidence]
        ran = replay(task.trace(sample, evidence), {e.row["row_id"]: e.row for e in evidence})
        assert same_answer(ran.answer, sample.answer), ran
    kinds = {json.loads(row["answer_json"])["kind"]: row for row in rows}
    assert all_caught(episode, task, list(kinds.values())) > 35


def test_an_offset_that_does_not_add_up_gives_no_sample(episode):
    for row in episode.tables["questions"].values():
        row["attributes_json"] = said(0, 0.001, 20.0, [3.5, 9.0])
    assert episode.run(LiftedQuestions(LiftedQuestions.Params()), "episode") == []


def test_questions_that_were_asked_about_the_whole_medium_are_not_lifted(episode):
    for row in episode.tables["questions"].values():
        row["attributes_json"] = None
    assert episode.run(LiftedQuestions(LiftedQuestions.Params()), "episode") == []
