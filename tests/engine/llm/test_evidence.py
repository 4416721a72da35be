"""Facts of a window come back from the rows that cite them, whichever of them are cited; and every proposal is accounted for."""

from __future__ import annotations

from typing import Any

import pytest
from chronotope.engine.annotator import Medium, Rows, Unit
from chronotope.engine.llm.ask import Answered, Ask
from chronotope.engine.llm.errors import ReplyRejected
from chronotope.engine.llm.evidence import cite_fact, cited, facts_from, facts_of
from chronotope.engine.llm.landing import Landing
from chronotope.engine.llm.prompts import Prompt
from chronotope.engine.task import EvidenceRow
from chronotope.schemas.sample import MediumRef, Sample, TextAnswer, Turn
from chronotope.schemas.slots import resolve
from chronotope.schemas.span import Span
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

KINDS = ("speech", "text", "event", "caption", "shot", "object", "relation", "frame", "sample")
WORDS = ("EXIT", "EX1T", "OPEN", "Wet paint", "12 s")
tenth = st.integers(0, 400).map(lambda n: n / 10)


def stored(table: str, number: int, **values: Any) -> dict[str, Any]:
    return {"row_id": f"{table}{number:03d}", "producer": "p", "unit": "m", "media_id": "m", **values}


@st.composite
def rows_of_a_medium(draw: st.DrawFn) -> Rows:
    def spans(most: int) -> list[tuple[float, float]]:
        found = draw(st.lists(st.tuples(tenth, st.integers(1, 60)), max_size=most))
        return [(start, round(start + length / 10, 1)) for start, length in found]

    def box() -> dict[str, float | None]:
        if draw(st.integers(0, 5)) == 0:
            return dict.fromkeys(("x1", "y1", "x2", "y2"))
        x, y = draw(st.sampled_from([0.1, 0.15, 0.5])), draw(st.sampled_from([0.1, 0.6]))
        return {"x1": x, "y1": y, "x2": x + 0.3, "y2": y + 0.2}

    word = st.sampled_from(WORDS)
    tables = {
        "speech": [stored("speech", i, start_s=a, end_s=b, text=draw(word)) for i, (a, b) in enumerate(spans(4))],
        "text_regions": [
            stored("text_regions", i, start_s=a, end_s=b, text=draw(word), confidence=draw(st.none() | st.just(0.8)), **box())
            for i, (a, b) in enumerate(spans(14))
        ],
        "captions": [
            stored("captions", i, start_s=a, end_s=b, level=draw(st.sampled_from(["event", "clip", "dense", "medium"])),
                   text="a <span:1,2> man &amp; a dog", sentences=None)
            for i, (a, b) in enumerate(spans(4))
        ],
        "claims": [],
        "shots": [stored("shots", i, start_s=a, end_s=b) for i, (a, b) in enumerate(spans(4))],
        "tracks": [
            stored("tracks", i, track_id=f"t{i}", start_s=a, end_s=b, label="star", phrase=None, attributes_json='{"colour": "red"}')
            for i, (a, b) in enumerate(spans(4))
        ],
        "triples": [
            stored("triples", i, start_s=a, end_s=b, subject="star", predicate="above", object_text="moon", status="supported")
            for i, (a, b) in enumerate(spans(2))
        ],
        "frames": [stored("frames", i, t_s=float(i), until_s=i + 1.0) for i in range(draw(st.integers(0, 4)))],
        "samples": [
            stored("samples", i, sample_id=f"s{i}", task="t", window_start_s=a, window_end_s=b, answer_json="{}", turns=[])
            for i, (a, b) in enumerate(spans(2))
        ],
    }  # fmt: skip
    with_boxes = draw(st.sets(st.integers(0, 3)))
    tables["boxes"] = [
        stored("boxes", i, track_id=f"t{k}", t_s=t, x1=0.1, y1=0.1, x2=0.2, y2=0.2)
        for i, (k, t) in enumerate((k, t) for k in sorted(with_boxes) for t in (1.0, 2.0, 30.0))
    ]
    return Rows(tables)


@settings(max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(rows_of_a_medium(), st.data())
def test_facts_come_back_from_the_rows_that_cite_them(rows: Rows, data: st.DataObject) -> None:
    facts = facts_of(rows, Span(0.0, 40.0), KINDS)
    by_id = {(table, row["row_id"]): row for table in rows for row in rows[table]}
    names = data.draw(st.lists(st.sampled_from(list(facts)), unique=True)) if len(facts) else []
    evidence = cited(facts, names)
    now = [EvidenceRow(e.table, by_id[e.table, e.row_id]) for e in evidence]
    again = facts_from(now, names)
    assert {n: (again[n].line(), again[n].box, again[n].t_s) for n in again} == {
        n: (facts[n].line(), facts[n].box, facts[n].t_s) for n in names
    }
    assert all(Span(0.0, 40.0).contains_span(f.span) for f in facts.values() if f.span)


def said(number: int, start_s: float, text: str) -> dict[str, Any]:
    return stored("speech", number, start_s=start_s, end_s=start_s + 1, text=text)


def test_names_follow_time_and_what_is_too_much_is_thinned_evenly() -> None:
    rows = Rows({"speech": [said(i, float(i), f"line {i}") for i in range(20)]})
    facts = facts_of(rows, Span(0.0, 30.0), ["speech"], most=5)
    assert [(f.name, f.text) for f in facts.values()] == [
        ("e1", "line 0"), ("e2", "line 4"), ("e3", "line 8"), ("e4", "line 12"), ("e5", "line 16"),
    ]  # fmt: skip
    assert list(facts_of(rows, Span(2.0, 5.5), ["speech"])) == ["e1", "e2", "e3"]
    with pytest.raises(ValueError, match="kinds are speech"):
        facts_of(rows, Span(0.0, 30.0), ["voice"])


def test_a_changed_row_changes_what_a_slot_says() -> None:
    rows = Rows({"speech": [said(0, 1.0, "one"), said(1, 4.0, "two")]})
    facts = facts_of(rows, Span(0.0, 9.0), ["speech"])
    moved = {**rows["speech"][1], "start_s": 4.5}
    again = facts_from([EvidenceRow("speech", moved)], ["e2"])
    assert resolve("{e2}", facts, Span(0.0, 9.0)).text == "<span:4,5>"
    assert resolve("{e2}", again, Span(0.0, 9.0)).text == "<span:4.5,5>"
    with pytest.raises(ValueError, match="1 facts, not 2"):
        facts_from([EvidenceRow("speech", moved)], ["e1", "e2"])


def test_pictures_are_facts_at_a_moment() -> None:
    frames = [stored("frames", i, t_s=1.5 * i, until_s=1.5 * i + 1) for i in range(3)]
    facts = facts_of(Rows({"speech": [said(0, 1.0, "one")], "frames": frames}), Span(0.0, 2.0), ["frame", "speech"])
    assert facts.listing() == "e1 (speech, 1 to 2 s): “one”\nf1 (frame, at 0 s)\nf2 (frame, at 1.5 s)"


class Item(BaseModel):
    """An item of a reply."""

    text: str


def sample_of(text: str) -> Sample:
    return Sample(
        task="t", recipe="r", media=(MediumRef(media_id="m", start_s=0, end_s=9),), answer=TextAnswer(text=text),
        turns=(Turn(role="user", text="<video>\nWhat?"), Turn(role="assistant", text=text)), evidence=(), needs=(),
        wording="w", answer_form="f", generator="t@1",
    )  # fmt: skip


def test_every_proposal_is_a_row_with_what_became_of_it() -> None:
    medium = Medium("m", "m.mp4", None, "video", 9.0, 25.0, 225, 64, 36, True, False)
    landing = Landing(Unit("m", "medium", medium, "r", 0, producer="t"), "t")
    facts = facts_of(Rows({"speech": [said(0, 1.0, "one")]}), Span(0.0, 9.0), ["speech"])
    answered = Answered(Item(text="x"), "h1", "model", "{}", False, prompt="p@1")
    first, second, third, fourth = (landing.proposal(answered, i, Item(text=f"{i}"), facts, "c") for i in range(4))
    landing.land(first, sample_of("a"))
    landing.land(second, sample_of("a"))
    landing.reject(third, "literal_time", "5 s")
    prompt = Prompt(name="p", version=1, system="", user="")
    landing.nothing(Answered(Item(text=""), "h3", "model", "{}", False, prompt="p@1"), facts, "c")
    ask = Ask(role="writer", prompt=prompt, parts=("",), reply=Item)
    landing.rejected_reply(ReplyRejected("truncated", "cut off", "h0"), ask, "c")
    rows = landing.rows()
    assert [(t, r["outcome"], r["rule"], r["item"]) for t, r in rows if t == "proposals"] == [
        ("proposals", "rejected", "truncated", -1), ("proposals", "landed", None, 0), ("proposals", "rejected", "repeated", 1),
        ("proposals", "rejected", "literal_time", 2), ("proposals", "rejected", "undecided", 3),
        ("proposals", "rejected", "nothing_said", 0),
    ]  # fmt: skip
    assert [r["sample_id"] for t, r in rows if t == "samples"] == [first["sample_id"]] == [sample_of("a").sample_id]
    assert {first["prompt"], fourth["prompt"]} == {"p@1"} and first["row_id"] != second["row_id"]
    assert first["evidence"][0]["row_id"] == cite_fact(facts["e1"]).row_id
