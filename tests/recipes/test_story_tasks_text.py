"""story_tasks_text (row 21): the text alone gives every answer, the length dial holds, and a changed chapter is caught."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from chronotope.annotators.composers.story import Params, Story
from chronotope.annotators.tasks.story_questions import Params as TaskParams
from chronotope.annotators.tasks.story_questions import StoryQuestions
from chronotope.engine.catalog import Catalog
from chronotope.engine.composing import ComposeError
from chronotope.engine.task import EvidenceRow
from chronotope.pipelines.verify import verify_root
from chronotope.schemas.sample import Sample
from chronotope.schemas.stories import SAID, Fact, Unanswerable, answer, facts_of, heading, sentence_of, words_in


def test_the_text_alone_gives_every_answer_and_the_dial_holds(tmp_path) -> None:
    drafts = list(Story(Params(stories=15, words=(700, 1500, 4000))).compose([], 3))
    assert [d.digest for d in drafts] == [
        d.digest for d in Story(Params(stories=15, words=(700, 1500, 4000))).compose([], 3)
    ]
    places: Counter[int] = Counter()
    for draft, wanted in zip(drafts, (700, 1500, 4000) * 5, strict=False):
        draft.write(tmp_path / "s.txt")
        text = (tmp_path / "s.txt").read_text()
        assert abs(words_in(text) - wanted) <= 0.02 * wanted
        bodies = [
            part.strip()
            for part in text.replace("\n\n", "\n").split("\n")
            if not part.startswith("Chapter ") and part.strip()
        ]
        assert bodies == [c["text"] for c in draft.rows["captions"]]
        facts = facts_of(bodies)
        for question in draft.rows["questions"]:
            said, used = answer(json.loads(question["program_json"]), facts)
            assert said == question["answer_text"] == question["options"][question["answer_index"]]
            assert len(set(question["options"])) == 4
            assert json.loads(question["attributes_json"])["chapters"] == sorted({f.chapter for f in used})
            places[question["answer_index"]] += 1
    total = sum(places.values())
    assert total > 200 and all(abs(places[i] / total - 0.25) < 0.1 for i in range(4))
    with pytest.raises(ComposeError, match="cannot hold the facts"):
        list(Story(Params(stories=1, words=(150,))).compose([], 0))


def test_every_way_to_say_a_fact_is_read_back() -> None:
    for kind, ways in SAID.items():
        for way in range(len(ways)):
            fact = Fact(kind, "Ada", "the red key", "Leo", "the old mill")
            (read,) = facts_of([f"The rain fell. {sentence_of(fact, way)} The wind blew."])
            assert (read.kind, read.who) == (kind, "Ada")
            for slot in ("thing", "whom", "place"):
                assert getattr(read, slot) in ("", getattr(fact, slot))
    with pytest.raises(Unanswerable, match="hidden 0 times"):
        answer({"ask": "retrieval", "about": "the red key"}, [])


def test_samples_follow_from_their_chapters_and_a_changed_chapter_is_caught(build) -> None:
    root = build("story_tasks_text", CHRONOTOPE_STORIES=3)
    assert verify_root(root).problems == []
    with Catalog(root) as catalog:
        samples = [Sample.from_row(r) for r in catalog.rows("SELECT * FROM samples")]
        rows = {r["row_id"]: r for t in ("media", "captions", "questions") for r in catalog.rows(f"SELECT * FROM {t}")}
    assert len(samples) == 27 and {rows[s.evidence[1].row_id]["kind"] for s in samples} == {
        "retrieval",
        "multi_hop",
        "filtering",
    }
    assert sorted({round(s.difficulty["words"], -2) for s in samples}) == [800, 2000, 5000]
    task = StoryQuestions(TaskParams())
    for sample in samples[:6]:
        evidence = [EvidenceRow(e.table, dict(rows[e.row_id])) for e in sample.evidence]
        assert task.recompute(sample, evidence).ok
        assert heading(1) in sample.turns[0].text
        step = sample.rationale[0].split("“")[1].rstrip("”")
        spoilt = [
            EvidenceRow(e.table, {**e.row, "text": e.row["text"].replace(step, "")} if e.table == "captions" else e.row)
            for e in evidence
        ]
        assert not task.recompute(sample, spoilt).ok  # the planted fault: a sentence that the answer rests on is gone
    lacking = [e for e in evidence if e.table != "captions" or e.row["title"] != heading(3)]
    assert "each once" in task.recompute(sample, lacking).reason
