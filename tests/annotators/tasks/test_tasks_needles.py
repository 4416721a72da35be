"""needle_retrieval and keyframe_search on hand-made needles: numbers, order and count follow, and no lie passes."""

from __future__ import annotations

from collections import Counter

import pytest
from chronotope.annotators.tasks.keyframe_asks import answered
from chronotope.annotators.tasks.keyframe_search import KeyframeSearch
from chronotope.annotators.tasks.needle_asks import NONE
from chronotope.annotators.tasks.needle_retrieval import NeedleRetrieval
from chronotope.engine.task import EvidenceRow
from chronotope.schemas.chain import replay, same_answer
from chronotope.schemas.needles import attributes, name_of, needles_of, picture_time
from chronotope.schemas.sample import Sample

FPS = 10.0
HIDDEN = (
    (12.0, "picture", "red", "star"),
    (31.0, "picture", "green", "heart"),
    (50.0, "picture", "red", "star"),
    (71.0, "picture", "blue", "moon"),
    (95.0, "object", "orange", "ring"),
    (111.0, "subtitle", "silver", "compass"),
)


@pytest.fixture
def haystack(new_world):
    """Two minutes with six needles of one second; one is there twice."""
    world = new_world()
    world.medium("film", 120.0, fps=FPS, origin="composed")
    world.clip("film", 0.0, 120.0)
    for at, insert, first, second in HIDDEN:
        world.add(
            "events", "film", "composed_truth", start_s=at, end_s=at + 1.0, text=name_of(insert, first, second),
            kind="needle", attributes_json=attributes(insert, round(at * FPS), 10, (at + 0.5) / 120),
        )  # fmt: skip
    return world


def samples_of(world, task):
    rows = world.run(task, "film")
    samples = [Sample.from_row(row) for row in rows]
    for row, sample in zip(rows, samples, strict=True):
        assert sample.problems() == [] and world.check(task, row)["passed"], (sample.problems(), world.check(task, row))
    return rows, samples


def test_numbered_pictures_show_their_needles(haystack):
    _, samples = samples_of(
        haystack, NeedleRetrieval(NeedleRetrieval.Params(ask=("frame_caption", "frame_difference")))
    )
    kinds = Counter(len([k for k in s.difficulty if k.startswith("target_")]) for s in samples)
    assert kinds[1] == 4 and kinds[2] == 3
    for sample in samples:
        at = picture_time(int(sample.difficulty["picture"]), int(sample.difficulty["pictures"]), sample.window)
        first = int(sample.difficulty["frame"])
        assert 0 <= int(at * FPS) - first < 10
        assert f"picture {int(sample.difficulty['picture'])}" in sample.turns[0].text.lower()


def test_choices_are_about_the_asked_span_alone(haystack):
    task = NeedleRetrieval(NeedleRetrieval.Params(ask=("retrieve",), per_kind=6, absent_share=0.5))
    _, samples = samples_of(haystack, task)
    right = [s.options[s.answer.index].text for s in samples]
    assert NONE in right and len(set(right)) >= 3
    for sample, text in zip(samples, right, strict=True):
        assert len(sample.options) == 4 and sample.options[-1].text == NONE
        asked = (sample.difficulty["asked_from"], sample.difficulty["asked_to"])
        inside = [name_of(i, a, b) for at, i, a, b in HIDDEN if at < asked[1] and at + 1 > asked[0]]
        assert inside == ([] if text == NONE else [text])


def test_order_and_count(haystack):
    _, samples = samples_of(haystack, NeedleRetrieval(NeedleRetrieval.Params(ask=("order", "count"), per_kind=9)))
    [order] = [s for s in samples if s.answer.kind == "order"]
    assert [order.options[i].text for i in order.answer.order] == [name_of(*HIDDEN[k][1:]) for k in (1, 3, 4, 5)]
    assert sorted(s.answer.value for s in samples if s.answer.kind == "number") == [1, 1, 1, 1, 2]


def test_chains_lead_to_the_answers_and_no_lie_passes(haystack, all_caught):
    for task in (NeedleRetrieval(NeedleRetrieval.Params()), KeyframeSearch(KeyframeSearch.Params(per_clip=12))):
        rows, samples = samples_of(haystack, task)
        for sample in samples:
            evidence = [(e.table, haystack.lookup(e.table, e.row_id)) for e in sample.evidence]
            steps = task.trace(sample, [EvidenceRow(t, r) for t, r in evidence])
            ran = replay(steps, {r["row_id"]: r for _, r in evidence})
            assert same_answer(ran.answer, sample.answer), ran
        one_of_each = {row["wording"][:2]: row for row in rows}
        assert all_caught(haystack, task, list(one_of_each.values())) >= 20 * len(one_of_each)


def test_marked_moments_are_enough_and_needed(haystack):
    _, samples = samples_of(haystack, KeyframeSearch(KeyframeSearch.Params(per_clip=12)))
    needles = needles_of(haystack.tables["events"].values())
    asked = {s.difficulty["ask"] for s in samples}
    assert asked == {0.0, 1.0, 2.0, 3.0}
    assert max(s.difficulty["moments"] for s in samples) == 4
    red = [n for n in needles if n.text == "a card with a red star"]
    assert not any(
        "star" in s.turns[0].text and s.difficulty["ask"] == 0 for s in samples
    )  # shown twice: neither is needed
    assert answered("colour", red[:1], red) == "red" and answered("colour", red[:1], needles[-1:]) is None


def test_frames_are_counted_in_video_and_clip(haystack):
    haystack.tables["clips"].clear()
    haystack.clip("film", 40.0, 120.0)
    _, samples = samples_of(haystack, KeyframeSearch(KeyframeSearch.Params(per_clip=12)))
    for sample in samples:
        for i in range(int(sample.difficulty["moments"])):
            said = sample.difficulty
            assert said[f"frame_in_video_{i}"] == said[f"frame_in_clip_{i}"] + 400
        assert said["haystack_frames"] == 800


def test_questions_of_people_come_with_their_moment(new_world):
    world = new_world()
    world.medium("film", 600.0, fps=FPS)
    world.clip("film", 0.0, 600.0)
    world.add(
        "questions", "film", "imported", question_id="q1", question="What colour is the mug next to the sink?",
        answer_text="green", start_s=310.0, end_s=314.0,
    )  # fmt: skip
    _, [sample] = samples_of(world, KeyframeSearch(KeyframeSearch.Params()))
    assert (sample.answer.start_s, sample.answer.end_s) == (310.0, 314.0) and "“What colour is the mug" in sample.turns[
        0
    ].text
