"""conversation: samples of one medium become turns that refer back, give nothing away and, streaming, look only back."""

from __future__ import annotations

from itertools import pairwise

import pytest
from chronotope.annotators.tasks.conversation import Conversation, Params
from chronotope.annotators.tasks.leaks import Said, leaks
from chronotope.annotators.tasks.speech_grounding import SpeechGrounding
from chronotope.annotators.tasks.verdicts import Verdicts, VerdictsParams
from chronotope.engine.annotator import Unit
from chronotope.schemas.ids import seeded_fraction
from chronotope.schemas.sample import (
    AbsentAnswer,
    BoxAnswer,
    ChoiceAnswer,
    Evidence,
    MediumRef,
    Option,
    OrderAnswer,
    Sample,
    SpanAnswer,
    Turn,
)
from chronotope.schemas.span import Span

M = "medium"
WORDS = [f"{a}{b}{c}" for a in "bdgklm" for b in "aeiou" for c in ("n", "r", "st", "ll")]
WINDOW = Span(0.0, 60.0)


def speak(world, n=12):
    """Sentences of nine words, half a second a word, with a second between them."""
    t, position = 1.0, 0
    for i in range(n):
        sentence = [WORDS[int(seeded_fraction(M, i, j) * len(WORDS))] for j in range(9)]
        first = t
        for word in sentence:
            times = {"start_s": t, "end_s": t + 0.4}
            world.add("words", M, "speech", **times, word=word, confidence=0.9, position=position)
            t, position = t + 0.5, position + 1
        text = " ".join(sentence) + "."
        world.add("speech", M, "speech", start_s=first, end_s=t - 0.1, text=text, confidence=0.9, origin="recognised")
        t += 1.0
    return t


@pytest.fixture
def world(new_world):
    world = new_world()
    duration_s = speak(world) + 3.0
    world.medium(M, duration_s)
    world.clip(M, 0.0, duration_s)
    task = SpeechGrounding(SpeechGrounding.Params(per_clip=8, window={"length_s": (8, 30)}))
    for row in world.run(task, M):
        if row["answer_kind"] == "span":
            store(world, "speech_grounding", row)
    return world


def store(world, producer, row):
    """A row of `samples` as the engine stores it."""
    return world.add("samples", M, producer, **{k: v for k, v in row.items() if k != "media_id"})


def talks(world, seed=0, **params):
    task = Conversation(Params(**params))
    return task, world.run(task, M, seed)


def verdicts(world, rows, **params):
    """Verdicts of the engine's own check on stored rows, conversations among them, by sample."""
    stored = [store(world, "conversation", row) for row in rows]
    tasks = {
        "speech_grounding": {
            "annotator": "speech_grounding",
            "params": {"per_clip": 8, "window": {"length_s": [8, 30]}},
            "folder": ".",
        },
        "conversation": {"annotator": "conversation", "params": params, "folder": "."},
    }
    grades = {"speech": "model", "probe": "exact", "clips": "exact", "media": "exact"}
    check = Verdicts(VerdictsParams(tasks=tasks, grades=grades))
    found = {v["sample_id"]: v for _, v in check.annotate(Unit(M, "medium", None, "r", 0), world.rows(M))}
    return [found[row["sample_id"]] for row in stored]


def test_a_conversation_asks_its_members_questions_and_passes_with_their_grade(world):
    task, rows = talks(world)
    assert rows
    questions = {r["turns"][0]["text"].split("\n", 1)[1] for r in world.tables["samples"].values()}
    for row, verdict in zip(rows, verdicts(world, rows), strict=True):
        sample = Sample.from_row(row)
        assert sample.problems() == []
        assert 3 <= len(sample.answer.parts) <= 8
        assert all(sum(question in t.text for question in questions) == 1 for t in sample.turns[::2])
        assert all(Span(*part.scope).length_s <= sample.window.length_s for part in sample.answer.parts)
        assert verdict["passed"], verdict
        assert verdict["evidence_grade"] == "model"
        assert world.check(task, row)["passed"]


def test_references_back_are_about_what_follows_or_precedes_the_answer_before(world):
    seen = set()
    for seed in range(4):
        for row in talks(world, seed=seed, per_medium=4)[1]:
            sample = Sample.from_row(row)
            parts = sample.answer.parts
            for before, part in pairwise(parts):
                kind = part.lead[:3]
                seen.add(kind)
                if kind == "cva":
                    assert part.scope[0] == before.answer.end_s < part.answer.start_s
                if kind == "cvb":
                    assert part.scope[1] == before.answer.start_s > part.answer.end_s
                if kind == "cvs":
                    assert part.scope == before.scope
    assert "cva" in seen or "cvb" in seen


def test_no_sample_is_used_twice_and_the_same_rows_give_the_same_conversations(world):
    _, rows = talks(world, per_medium=4)
    cited = [e["row_id"] for row in rows for e in row["evidence"] if e["source_table"] == "samples"]
    assert len(cited) == len(set(cited))
    assert rows == talks(world, per_medium=4)[1]


def test_a_planted_leak_is_named_by_turn(world):
    _, rows = talks(world)
    sample = Sample.from_row(rows[0])
    last = sample.answer.parts[-1].answer
    turns = list(sample.turns)
    turns[0] = Turn(role="user", text=turns[0].text + f" Mind <t:{last.start_s:g}>.")
    (verdict,) = verdicts(world, [sample.model_copy(update={"turns": tuple(turns)}).to_row()])
    assert verdict["problem"] == "answer wrong"
    assert f"turn 1 gives away the answer of turn {len(sample.answer.parts)}" in verdict["reason"]


def test_a_minimal_pair_never_meets_in_one_conversation(world):
    _, before = talks(world, per_medium=1)
    members = [e["row_id"] for e in before[0]["evidence"] if e["source_table"] == "samples"]
    for row_id in members:
        world.tables["samples"][row_id] = world.tables["samples"][row_id] | {"pair_id": "one pair"}
    _, rows = talks(world, per_medium=1)
    together = {e["row_id"] for row in rows for e in row["evidence"] if e["source_table"] == "samples"}
    assert len(together & set(members)) <= 1
    task, _ = talks(world, per_medium=1)
    verdict = world.check(task, before[0])
    assert not verdict["passed"] and ("minimal pair" in verdict["reason"] or "pair_id" in verdict["reason"])


def test_streaming_turns_are_asked_once_their_evidence_was_shown_and_a_violation_is_named(world):
    _, rows = talks(world, streaming=True)
    for row, verdict in zip(rows, verdicts(world, rows, streaming=True), strict=True):
        assert verdict["passed"], verdict
        parts = Sample.from_row(row).answer.parts
        assert [p.at_s for p in parts] == sorted(p.at_s for p in parts)
        assert all(p.at_s >= p.scope[1] > p.answer.end_s for p in parts)
    sample = Sample.from_row(rows[0])
    second = sample.answer.parts[1]
    early = second.model_copy(update={"at_s": second.answer.start_s})
    parts = (sample.answer.parts[0].model_copy(update={"at_s": early.at_s}), early, *sample.answer.parts[2:])
    forged = sample.model_copy(update={"answer": sample.answer.model_copy(update={"parts": parts})})
    (verdict,) = verdicts(world, [forged.to_row()], streaming=True)
    assert not verdict["passed"] and "but its evidence lasts until" in verdict["reason"]


def test_any_other_change_is_noticed(world):
    task, rows = talks(world)
    sample = Sample.from_row(rows[0])
    parts = sample.answer.parts
    moved = parts[0].answer.model_copy(update={"end_s": parts[0].answer.end_s + 0.1})
    lies = {
        "an answer": {
            "answer": {"kind": "turns", "parts": [parts[0].model_copy(update={"answer": moved}), *parts[1:]]}
        },
        "the mask": {
            "answer": {"kind": "turns", "parts": [parts[0].model_copy(update={"trained": False}), *parts[1:]]}
        },
        "the needs": {"needs": ("vision",)},
        "a word": {"turns": (sample.turns[0], Turn(role="assistant", text="I do not know."), *sample.turns[2:])},
        "a member": {"evidence": sample.evidence[1:]},
    }
    for name, change in lies.items():
        forged = Sample.model_validate(sample.model_dump() | change).to_row()
        assert not world.check(task, forged)["passed"], name


def test_a_changed_member_takes_the_conversation_with_it(world):
    _, rows = talks(world)
    (verdict,) = verdicts(world, rows[:1])
    assert verdict["passed"]
    cited = Sample.from_row(rows[0]).evidence
    member = world.tables["samples"].pop(cited[0].row_id)
    (verdict,) = verdicts(world, rows[:1])
    assert verdict["problem"] == "evidence missing"
    wrong = Sample.from_row(member)
    window = wrong.media[0].model_copy(update={"end_s": wrong.media[0].end_s + 0.5})
    world.tables["samples"][cited[0].row_id] = member | {
        "media": [window.model_dump() | {"frame_times": []}],
        "window_end_s": window.end_s,
    }
    assert not verdicts(world, rows[:1])[0]["passed"]


def test_a_member_that_fails_its_own_check_fails_the_conversation(world):
    _, rows = talks(world)
    cited = Sample.from_row(rows[0]).evidence[0]
    world.tables["samples"][cited.row_id]["rationale"] = ["I guess."]
    (verdict,) = verdicts(world, rows[:1])
    assert not verdict["passed"] and "the cited sample" in verdict["reason"]


def test_masks_leave_the_last_answer_to_train(world):
    _, rows = talks(world, train="last")
    trained = [p.trained for p in Sample.from_row(rows[0]).answer.parts]
    assert trained == [False] * (len(trained) - 1) + [True]


def test_questions_to_sound_and_picture_meet_only_on_request(world):
    for i in range(4):
        store(world, "looking", seen(i).to_row())
    mixed = [Sample.from_row(r) for r in talks(world, mix_sound=True, per_medium=4, min_asked=0.0)[1]]
    apart = [Sample.from_row(r) for r in talks(world, per_medium=4, min_asked=0.0)[1]]
    assert any({"vision", "audio"} <= set(s.needs) for s in mixed)
    assert apart and not any({"vision", "audio"} <= set(s.needs) for s in apart)


def seen(i):
    """A choice about ten seconds of picture."""
    return Sample(
        task="looking", recipe="r", media=(MediumRef(media_id=M, start_s=10.0 * i, end_s=10.0 * i + 10),),
        turns=(Turn(role="user", text=f"<video>\nWhat is number {i} like?\n<options>"), Turn(role="assistant", text="It is <answer>.")),
        answer=ChoiceAnswer(index=0), options=tuple(Option(text=f"{c} {'abcd'[i]}") for c in ("red", "blue")),
        evidence=(Evidence(table="media", row_id="r", values={"duration_s": 70.0}),), needs=("vision",),
        wording="w", answer_form="a", generator="looking@1",
    )  # fmt: skip


SPOKEN = Said("When is “so be it” said?", "At <span:12,14>.", SpanAnswer(start_s=12, end_s=14), ())
PLACED = Said(
    "Where is it?", "<box:0.100000,0.100000,0.500000,0.500000>", BoxAnswer(t_s=3, box=(0.1, 0.1, 0.5, 0.5)), ()
)
CHOSEN = Said("Which?\n<options>", "<answer>", ChoiceAnswer(index=0), ("it goes left", "it goes right"))
SORTED = Said(
    "In which order?\n<options>",
    "<answer>",
    OrderAnswer(order=(0, 1)),
    ("go on and so be it now", "the other one here"),
)


@pytest.mark.parametrize(
    "earlier, later, leak",
    [
        (Said("Look at <span:1,14.4>.", "It is not there.", AbsentAnswer(), ()), SPOKEN, True),
        (Said("Look at <span:1,16>.", "It is not there.", AbsentAnswer(), ()), SPOKEN, False),
        (Said("Is it at <t:12.3>?", "No.", AbsentAnswer(), ()), SPOKEN, True),
        (PLACED, PLACED, True),
        (SPOKEN, PLACED, False),
        (Said("Does the camera move?", "Yes, it goes left.", AbsentAnswer(), ()), CHOSEN, True),
        (Said("Does it go right?", "No.", AbsentAnswer(), ()), CHOSEN, False),
        (CHOSEN, CHOSEN, True),
        (SPOKEN, SORTED, True),
        (SORTED, SPOKEN, False),
    ],
)
def test_what_counts_as_giving_away(earlier, later, leak):
    assert bool(leaks([earlier, later], WINDOW)) is leak


def test_conversations_can_be_made_to_hold_a_turn_about_a_detail(world):
    task = Conversation(Params(min_details=1, detail_s=3.0))
    talks = [Sample.from_row(r) for r in world.run(task, M)]
    lengths = [[p.answer.end_s - p.answer.start_s for p in t.answer.parts if p.answer.kind == "span"] for t in talks]
    assert talks and all(min(found) <= 3.0 for found in lengths)
    strict = Conversation(Params(min_details=1, detail_s=0.01))
    assert world.run(strict, M) == []
    verdict = world.check(strict, talks[0].to_row())
    assert not verdict["passed"] and "detail" in verdict["reason"]
