"""What becomes of a model's questions, good and bad: every wrong one is a row with its rule, every sample can be rebuilt.

The tasks are asked as in a build, with the real client against the test server, over hand-made rows.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import get_args

import pytest
from asking_models import asking, role
from chronotope.annotators.tasks.long_questions import LongQuestions
from chronotope.annotators.tasks.long_rules import cards_of, holds, locate
from chronotope.annotators.tasks.long_typical import typical_questions
from chronotope.annotators.tasks.proposed import stretches_of
from chronotope.annotators.tasks.reasoned_when import ReasonedWhenTask
from chronotope.annotators.tasks.video_questions import VideoQuestions
from chronotope.annotators.text.categories import Categories, Category
from chronotope.engine.annotator import Medium, Unit
from chronotope.schemas.sample import Sample, SpanAnswer
from chronotope.schemas.tables_tags import VIDEO_CATEGORIES
from model_server import ModelServer

EVENTS = (
    (0, 8, "a cyclist drops a yellow glove"),
    (12, 18, "a chef cuts red onions on a board"),
    (22, 29, "a girl in a green coat feeds three ducks"),
    (31, 39, "a train leaves the station"),
    (41, 49, "the chef wipes the board with a cloth"),
    (51, 58, "a boy finds the lost glove"),
)  # e1 ... e6 in clips of 10 s


@pytest.fixture
def world(new_world):
    """A minute of six clips; a model's caption contradicts the first description, another adds to the last."""
    world = new_world()
    world.medium("m", 60.0)
    for i, (start, end, text) in enumerate(EVENTS):
        world.clip("m", 10.0 * i, 10.0 * i + 10)
        world.add("captions", "m", "manifest", start_s=start, end_s=end, level="event", text=text, model="manifest")
    world.add(
        "captions", "m", "captions", start_s=0, end_s=9, level="dense", text="A cyclist drops a blue glove.", model="c"
    )
    return world


def asked(world, task, replies, tmp_path, reverse=False, bodies=None):
    """Rows that the task writes when the model replies so, by table; they are stored in the world."""
    medium = Medium("m", "m.mp4", None, "video", 60.0, 25.0, None, 640, 360, True, True)
    rows = world.rows("m")
    if reverse:
        rows = type(rows)({table: found[::-1] for table, found in rows.items()})

    async def go(url):
        async with asking(tmp_path, role(url)) as live:
            return list(
                await task.propose(Unit("m", "medium", medium, "r", 0, None, task.name), rows, live.of(task.name))
            )

    with ModelServer(replies=replies, keep_bodies=True) as server:
        with ThreadPoolExecutor(1) as thread:  # another test's browser may keep a loop running in this one
            written = thread.submit(asyncio.run, go(server.url)).result()
        if bodies is not None:
            bodies += server.requests.bodies
    found = {"samples": [], "proposals": [], "tags": []}
    for table, row in written:
        found[table].append(row)
        if table == "proposals":
            world.tables[table][row["row_id"]] = row
    return found


def one(world, task, schema, item, tmp_path):
    """What becomes of one proposed item: the rule that rejects it, or its sample."""
    found = asked(world, task, {schema: lambda asked: {"items": [item]}}, tmp_path)
    assert len(found["proposals"]) == 1
    if found["samples"]:
        sample = Sample.from_row(found["samples"][0])
        assert sample.problems() == [] and world.check(task, found["samples"][0])["passed"]
        return sample
    return found["proposals"][0]["rule"]


# -- video_questions -------------------------------------------------------------------------------------------------


def question(question, answer, used=(), claims=(), rewording=None):
    claims = [{"rel": rel, "a": a, "b": b} for rel, a, b in claims]
    return {"question": question, "answer": answer, "used": list(used), "claims": claims, "rewording": rewording}


def family(name):
    return VideoQuestions(VideoQuestions.Params(families=(name,)))


def test_an_answer_of_quoted_evidence_and_verified_order_follows_from_rows(world, tmp_path):
    item = question("What happens before {e4.text}?", "{e2.text}", claims=[("before", "e2", "e4")])
    sample = one(world, family("temporal_short"), "VideoQuestionsReply", item, tmp_path)
    assert sample.turns[1].text == "“a chef cuts red onions on a board”"
    assert family("temporal_short").status_of(sample) == "recomputed"
    assert [json.loads(json.dumps(dict(e.values))).get("text") for e in sample.evidence if e.table == "captions"] == [
        EVENTS[1][2], EVENTS[3][2],
    ]  # fmt: skip


def test_an_answer_in_the_models_words_stays_unchecked(world, tmp_path):
    item = question(
        "What does the cook do once the train is gone?", "The chef cleans up in {e5}.", ["e5"], [("after", "e5", "e4")]
    )
    sample = one(world, family("temporal_long"), "VideoQuestionsReply", item, tmp_path)
    assert "<span:41,49>" in sample.turns[1].text and family("temporal_long").status_of(sample) == "unchecked"


@pytest.mark.parametrize(
    ("rule", "name", "item"),
    [
        ("contradiction", "temporal_short", question("What happens before {e2.text}?", "{e4.text}", claims=[("before", "e4", "e2")])),
        ("contradiction", "temporal_short", question("Where in the footage is {e5.text}?", "At the beginning.", claims=[("beginning", "e5", None)])),
        ("no_claims", "temporal_short", question("What happens before {e4.text}?", "{e2.text}")),
        ("unknown_evidence", "generic", question("What is fed?", "Ducks, in {e9}.")),
        ("unknown_evidence", "generic", question("What is fed?", "Ducks.", ["e12"])),
        ("literal_time", "generic", question("What is fed?", "Ducks, at 00:23.", ["e3"])),
        ("literal_time", "generic", question("What is fed?", "Ducks, twenty-two seconds in.", ["e3"])),
        ("time_in_question", "generic", question("What happens in {e3}?", "{e3.text}")),
        ("time_in_question", "generic", question("What is seen in the third clip?", "{e3.text}")),
        ("leak", "generic", question("Who, a girl in a green coat perhaps, feeds ducks?", "{e3.text}")),
        ("leak", "generic", question("What is this: {e3.text}?", "It is {e3.text}.")),
        ("no_rewording", "consistency", question("Which birds are fed?", "{e3.text}", rewording=None)),
        ("duplicate", "consistency", question("Which birds are fed?", "{e3.text}", rewording="Which birds are fed")),
        ("empty", "generic", question("Which birds are fed?", " ", ["e3"])),
    ],
)  # fmt: skip
def test_a_wrong_question_is_rejected_with_its_rule(world, tmp_path, rule, name, item):
    task = family(name)
    found = asked(world, task, {"VideoQuestionsReply": lambda asked: {"items": [item]}}, tmp_path)
    assert found["samples"] == [] and {p["rule"] for p in found["proposals"]} == {rule}


def test_a_question_stands_once_in_a_medium_whatever_its_case(world, tmp_path):
    items = [question("Which birds are fed?", "{e3.text}"), question("which BIRDS are fed", "{e3.text}!")]
    task = VideoQuestions(VideoQuestions.Params(families=("generic", "spatial")))
    found = asked(world, task, {"VideoQuestionsReply": lambda asked: {"items": items}}, tmp_path)
    assert len(found["samples"]) == 1
    assert Counter(p["rule"] for p in found["proposals"]) == {None: 1, "duplicate": 3}


def test_two_phrasings_are_a_pair(world, tmp_path):
    item = question("Which birds are fed?", "{e3.text}", rewording="To what animals is food given?")
    found = asked(world, family("consistency"), {"VideoQuestionsReply": lambda asked: {"items": [item]}}, tmp_path)
    first, second = (Sample.from_row(row) for row in found["samples"])
    assert first.pair_id == second.pair_id is not None and first.turns[1] == second.turns[1]
    assert first.turns[0] != second.turns[0]


def test_something_described_twice_is_not_asked_for_by_order(world, tmp_path):
    world.add(
        "captions",
        "m",
        "manifest",
        start_s=19,
        end_s=20,
        level="event",
        text="A train leaves the station.",
        model="manifest",
    )
    item = question("What happens before {e5.text}?", "{e2.text}", claims=[("before", "e2", "e5")])
    assert one(world, family("temporal_short"), "VideoQuestionsReply", item, tmp_path) == "not_unique"


def test_the_model_reads_facts_in_order_of_time_and_people_win(world, tmp_path):
    item = question("Which birds are fed?", "{e3.text}")
    sent, rows = [], []
    for reverse in (False, True):  # captions in whatever order they are stored
        bodies = []
        replies = {"VideoQuestionsReply": lambda asked: {"items": [item]}}
        rows.append(asked(world, family("generic"), replies, tmp_path / str(reverse), reverse, bodies))
        sent.append(bodies[0]["messages"])
    assert sent[0] == sent[1] and rows[0]["samples"] == rows[1]["samples"]
    listing = str(sent[0])
    assert [listing.index(text) for *_, text in EVENTS] == sorted(listing.index(text) for *_, text in EVENTS)
    assert "blue glove" not in listing


def test_a_reply_in_the_form_of_another_language_is_no_reply(world, tmp_path):
    """The source parses replies as literals of Python; here they are JSON of a schema or nothing."""
    text = str({"items": [question("Which birds are fed?", "It's {e3.text}")]})
    found = asked(world, family("generic"), {"VideoQuestionsReply": lambda asked: text}, tmp_path)
    assert found["samples"] == [] and [(p["item"], p["rule"]) for p in found["proposals"]] == [(-1, "malformed")]


def test_quotation_marks_and_words_of_python_pass_through(world, tmp_path):
    item = question('Who\'s there, "None" or True?', "It's the girl's ducks: {e3.text}, isn't it?")
    sample = one(world, family("generic"), "VideoQuestionsReply", item, tmp_path)
    assert "isn't it" in sample.turns[1].text and "None" in sample.turns[0].text


def test_lies_about_samples_proposals_and_evidence_are_caught(world, tmp_path, all_caught):
    items = [
        question("What happens before {e4.text}?", "{e2.text}", claims=[("before", "e2", "e4")]),
        question("When is {e1.text}?", "At the beginning, in {e1}.", claims=[("beginning", "e1", None)]),
    ]
    task = family("temporal_short")
    found = asked(world, task, {"VideoQuestionsReply": lambda asked: {"items": items}}, tmp_path)
    assert len(found["samples"]) == 2 and all_caught(world, task, found["samples"]) > 30


def test_an_edited_proposal_with_a_forged_sample_is_caught(world, tmp_path):
    item = question("What happens before {e4.text}?", "{e2.text}", claims=[("before", "e2", "e4")])
    task = family("temporal_short")
    row = asked(world, task, {"VideoQuestionsReply": lambda asked: {"items": [item]}}, tmp_path)["samples"][0]
    proposal = next(iter(world.tables["proposals"].values()))
    proposal["proposal_json"] = proposal["proposal_json"].replace("{e2.text}", "{e1.text}")
    assert world.check(task, row)["problem"] == "evidence changed"


# -- reasoned_when ---------------------------------------------------------------------------------------------------


def when(question, span, explanation, claims=()):
    claims = [{"rel": rel, "a": a, "b": b} for rel, a, b in claims]
    return {"question": question, "span": span, "explanation": explanation, "claims": claims}


REASONED = ReasonedWhenTask(ReasonedWhenTask.Params())


def test_the_answer_is_the_span_of_the_event_and_the_explanation(world, tmp_path):
    item = when(
        "When does somebody make up for a loss?",
        "{e6}",
        "It was lost in {e1} and turns up in {e6}.",
        [("after", "e6", "e1")],
    )
    sample = one(world, REASONED, "ReasonedWhenReply", item, tmp_path)
    assert sample.answer == SpanAnswer(start_s=51, end_s=58)
    assert sample.turns[1].text == "<span:51,58> It was lost in <span:0,8> and turns up in <span:51,58>."
    assert REASONED.status_of(sample) == "unchecked"


def test_a_run_of_neighbouring_events_is_one_span(world, tmp_path):
    world.add(
        "captions", "m", "manifest", start_s=29, end_s=30.5, level="event", text="the birds fly off", model="manifest"
    )
    item = when(
        "When is there a meal that ends in flight?", "{e3..e4}", "Food is given in {e3}; then they leave, {e4}."
    )
    assert one(world, REASONED, "ReasonedWhenReply", item, tmp_path).answer == SpanAnswer(start_s=22, end_s=30.5)


@pytest.mark.parametrize(
    ("rule", "item"),
    [
        ("no_such_event", when("When do two unlike things go on?", "{e1..e2}", "First {e1}, then {e2}.")),
        ("reversed", when("When do two unlike things go on?", "{e4..e3}", "See {e4}.")),
        ("malformed_slot", when("When is a thing lost?", "from {e1.start} to {e1.end}", "See {e1}.")),
        ("malformed_slot", when("When is a thing lost?", "0 to 8 s", "See {e1}.")),
        ("unknown_evidence", when("When is a thing lost?", "{e7}", "See {e1}.")),
        ("leak", when("When does a girl in a green coat do good?", "{e3}", "She does in {e3}.")),
        ("leak", when("When does a train leave some station?", "{e4}", "It does in {e4}.")),
        ("leak", when("When is this: {e4.text}?", "{e4}", "It is in {e4}.")),
        ("time_in_question", when("When, after the twentieth second, is there food?", "{e3}", "See {e3}.")),
        ("not_when", when("Why is there food?", "{e3}", "See {e3}.")),
        ("no_evidence", when("When is there food for birds?", "{e3}", "Because ducks are hungry.")),
        ("contradiction", when("When is a thing regained?", "{e6}", "It comes before {e1}.", [("before", "e6", "e1")])),
        ("contradiction", when("When is a thing regained?", "{e6}", "{e6} is before {e1}.")),
        ("literal_time", when("When is a thing regained?", "{e6}", "In {e6}, 51 seconds in.")),
    ],
)  # fmt: skip
def test_a_wrong_when_is_rejected_with_its_rule(world, tmp_path, rule, item):
    assert one(world, REASONED, "ReasonedWhenReply", item, tmp_path) == rule


def test_an_answer_that_fills_the_footage_is_none(world, tmp_path):
    world.add(
        "captions",
        "m",
        "manifest",
        start_s=2,
        end_s=59,
        level="event",
        text="people go about their day",
        model="manifest",
    )
    item = when("When does most of it take place?", "{e2}", "It takes the whole of {e2}.")
    assert one(world, REASONED, "ReasonedWhenReply", item, tmp_path) == "too_long"


def test_lies_about_a_reasoned_when_are_caught(world, tmp_path, all_caught):
    item = when(
        "When does somebody make up for a loss?",
        "{e6}",
        "It was lost in {e1} and turns up in {e6}.",
        [("after", "e6", "e1")],
    )
    found = asked(world, REASONED, {"ReasonedWhenReply": lambda asked: {"items": [item]}}, tmp_path)
    assert all_caught(world, REASONED, found["samples"]) > 20


# -- long_questions --------------------------------------------------------------------------------------------------


def long(form, question, answer, keys, evidence, claims=(), reason="It is told in {e1}."):
    claims = [{"rel": rel, "a": a, "b": b} for rel, a, b in claims]
    return {"form": form, "question": question, "answer": answer, "keys": keys, "evidence": evidence, "reason": reason,
            "claims": claims}  # fmt: skip


LONG = LongQuestions(LongQuestions.Params(segments=0))
DUCKS = long(
    "single", "Which birds does the girl care for?", "Ducks.", ["ducks"], ["e3"], reason="They are fed in {e3}."
)


def test_a_question_names_its_evidence_clip_and_hard_negatives(world, tmp_path):
    item = long("single", "What does the cyclist drop?", "A yellow glove.", ["yellow glove"], ["e1"])
    sample = one(world, LONG, "LongQuestionsReply", item, tmp_path)
    clips = [e.values["start_s"] for e in sample.evidence if e.table == "clips"]
    assert clips[0] == 0 and clips[1] == 50  # the evidence, then the clip with the other glove
    assert sample.difficulty["evidence_clips"] == 1 and sample.difficulty["hard_negative_clips"] == 1
    assert sorted(clips) == [0, 10, 20, 30, 40, 50] and sample.window.end_s == 60
    assert LONG.status_of(sample) == "unchecked"


@pytest.mark.parametrize(
    "item",
    [
        long("order", "What comes first, the ducks or the train?", "The ducks do.", ["ducks"], ["e3", "e4"], [("before", "e3", "e4")]),
        long("change", "What does the chef do to vegetables, and later with the board?", "He cuts onions, then takes a cloth to it.", ["onions", "cloth"], ["e2", "e5"]),
        long("count", "How often does the chef appear?", "Twice.", ["chef"], ["e2", "e5"]),
    ],
)  # fmt: skip
def test_questions_for_two_clips_land(world, tmp_path, item):
    sample = one(world, LONG, "LongQuestionsReply", item, tmp_path)
    assert isinstance(sample, Sample), sample
    assert sample.difficulty["evidence_clips"] == 2


@pytest.mark.parametrize(
    ("rule", "item"),
    [
        ("not_unique", long("single", "What is it about the glove?", "It is yellow.", ["yellow"], ["e1"])),
        ("not_unique", long("single", "What does the cyclist drop?", "A glove.", ["glove"], ["e1"])),
        ("not_unique", long("single", "What is to be seen?", "A yellow glove.", ["yellow glove"], ["e1"])),
        ("no_key", long("single", "What does the cyclist drop?", "A yellow glove.", ["yellow hat"], ["e1"])),
        ("no_key", long("single", "What does the cyclist drop?", "A glove.", ["yellow glove"], ["e1"])),
        ("leak", long("single", "Does the cyclist lose a yellow glove?", "A yellow glove.", ["yellow glove"], ["e1"])),
        ("wrong_form", long("single", "What does the cyclist drop?", "A yellow glove.", ["yellow glove"], ["e1", "e6"])),
        ("wrong_form", long("change", "What does the cyclist drop?", "A yellow glove.", ["yellow glove"], ["e1", "e6"])),
        ("one_clip", long("order", "What comes first, the ducks or the train?", "The train.", ["train"], ["e4", "e3"], [("before", "e3", "e4")])),
        ("no_claims", long("order", "What comes first, the ducks or the train?", "The ducks.", ["ducks"], ["e3", "e4"])),
        ("contradiction", long("order", "What comes first, the ducks or the train?", "The ducks.", ["ducks"], ["e3", "e4"], [("before", "e4", "e3")])),
        ("wrong_count", long("count", "How often does the chef appear?", "Three times.", ["chef"], ["e2", "e5"])),
        ("no_key", long("count", "How often is a board used?", "Twice.", ["board"], ["e2", "e5", "e1"])),
        ("time_in_question", long("single", "What does the cyclist lose in {e1}?", "A yellow glove.", ["yellow glove"], ["e1"])),
        ("unknown_evidence", long("single", "What does the cyclist drop?", "A yellow glove.", ["yellow glove"], ["e8"])),
        ("literal_time", long("single", "What does the cyclist drop?", "A yellow glove, at 0:05.", ["yellow glove"], ["e1"])),
    ],
)  # fmt: skip
def test_a_wrong_long_question_is_rejected_with_its_rule(world, tmp_path, rule, item):
    assert one(world, LONG, "LongQuestionsReply", item, tmp_path) == rule


def test_a_chain_is_kept_only_where_its_notes_hold_the_key_and_its_answer_is_right(world, tmp_path):
    def note(asked):
        return {"note": ". ".join(told.text for told in asked.facts.values()), "used": list(asked.facts)}

    def run(name, **replies):
        task = LongQuestions(LongQuestions.Params(segments=3))
        given = {"LongQuestionsReply": lambda a: {"items": [DUCKS]}, "SegmentNoteReply": note} | replies
        found = asked(world, task, given, tmp_path / name)
        assert len(found["samples"]) == 1 and world.check(task, found["samples"][0])["passed"]
        return found["samples"][0], Counter((p["outcome"], p["rule"]) for p in found["proposals"])

    right = {"AnswerFromNotesReply": lambda a: {"answer": "Ducks are fed.", "segments": [2]}}
    sample, _ = run("right", **right)
    assert sample["answer_form"] == "chain" and sample["rationale"][1].startswith("<span:20,40> a girl in a green coat")
    wrong = {"AnswerFromNotesReply": lambda a: {"answer": "Geese are fed.", "segments": [2]}}
    sample, found = run("wrong", **wrong)
    assert sample["answer_form"] == "plain" and found["rejected", "wrong_answer"] == 1
    silent = {"SegmentNoteReply": lambda a: {"note": "Somebody is there.", "used": []}, **right}
    sample, found = run("lucky", **silent)
    assert sample["answer_form"] == "plain" and found["rejected", "note_lacks_key"] == 1
    endless = {"SegmentNoteReply": lambda a: {"note": "much happens and " * 60, "used": []}, **right}
    sample, found = run("endless", **endless)
    assert sample["answer_form"] == "plain" and found["rejected", "too_long"] == 3


def test_a_changed_note_is_caught(world, tmp_path, all_caught):
    task = LongQuestions(LongQuestions.Params(segments=2))
    replies = {
        "LongQuestionsReply": lambda a: {"items": [DUCKS]},
        "SegmentNoteReply": lambda a: {"note": ". ".join(t.text for t in a.facts.values()), "used": []},
        "AnswerFromNotesReply": lambda a: {"answer": "Ducks.", "segments": [1]},
    }
    found = asked(world, task, replies, tmp_path)
    assert found["samples"][0]["answer_form"] == "chain"
    assert all_caught(world, task, found["samples"]) > 25


def test_without_the_evidence_clip_nothing_holds_the_answer_and_typical_replies_pass_the_rules(world):
    stretch = stretches_of(
        world.rows("m"), "m", ("event",), levels=("dense",), longest_s=99, most=60, least=2, tiled=True
    )[0]
    cards = cards_of(stretch.clips, stretch.facts)
    items = typical_questions(cards, 4, 2).items
    assert len(items) >= 4
    for item in items:
        place = locate(item, stretch.facts, cards, 3).evidence
        rest = " ".join(card.text for i, card in enumerate(cards) if i not in place)
        assert not any(holds(rest, key) for key in item.keys)


# -- categories ------------------------------------------------------------------------------------------------------


def sorted_into(category, second=None, reason="There is {e3.text}.", used=("e3",)):
    return {"category": category, "second": second, "reason": reason, "used": list(used)}


def test_a_medium_has_one_category_or_two(world, tmp_path):
    replies = {"CategoriesReply": lambda asked: sorted_into("cooking", "pets")}
    found = asked(world, Categories(Categories.Params()), replies, tmp_path)
    assert [(row["label"], row["position"]) for row in found["tags"]] == [("cooking", 0), ("pets", 1)]
    assert found["tags"][0]["reason"] == "There is “a chef cuts red onions on a board”."
    row_id = found["tags"][0]["named"][0]
    assert world.tables["captions"][row_id]["text"] == EVENTS[1][2]


@pytest.mark.parametrize(
    ("rule", "reply"),
    [
        ("wrong_schema", sorted_into("kitchen")),
        ("twice", sorted_into("cooking", "cooking")),
        ("no_category", sorted_into(None)),
        ("unknown_evidence", sorted_into("cooking", used=["e40"])),
        ("literal_time", sorted_into("cooking", reason="At 0:12 {e3.text}.")),
    ],
)
def test_a_wrong_category_is_rejected_with_its_rule(world, tmp_path, rule, reply):
    found = asked(world, Categories(Categories.Params()), {"CategoriesReply": lambda asked: reply}, tmp_path)
    assert not found["tags"] and [p["rule"] for p in found["proposals"]] == [rule]


def test_the_prompt_names_all_eighteen_categories_as_the_table_does():
    prompt = Categories(Categories.Params()).prompts()[0].system
    listed = [line.strip()[2:] for line in prompt.splitlines() if line.strip().startswith("- ")]
    assert listed == [f"{name}: {what}" for name, what in VIDEO_CATEGORIES.items()] and len(listed) == 18
    assert set(get_args(Category)) == set(VIDEO_CATEGORIES)
