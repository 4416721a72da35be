"""Described spans in one view: of `captions` and `events`, one producer, what is exact first."""

from __future__ import annotations

from chronotope.engine.annotator import Rows
from chronotope.engine.described import cite_described, described_of, described_rows
from chronotope.engine.task import EvidenceRow
from chronotope.schemas.tables import TABLES


def caption(start_s, end_s, text, producer="told", level="event"):
    values = {"media_id": "m", "start_s": start_s, "end_s": end_s, "text": text, "level": level, "model": "manifest"}
    return TABLES["captions"].complete(values, producer, "m", "m")


def event(start_s, end_s, text, producer="imported", **more):
    values = {"media_id": "m", "start_s": start_s, "end_s": end_s, "text": text, "kind": "event"} | more
    return TABLES["events"].complete(values, producer, "m", "m")


def texts(captions=(), events=(), **params):
    found = described_rows(Rows({"captions": list(captions), "events": list(events)}), **params)
    return [(row["table"], row["text"]) for row in found]


def test_what_is_told_comes_before_exact_events_and_these_before_fused_ones():
    exact, told = event(0, 2, "a door opens"), caption(0, 2, "a man enters")
    fused = event(3, 4, "a dog barks", "fusion", localiser="clip", p_correct=0.9)
    assert texts([told], [exact, fused]) == [("captions", "a man enters")]
    assert texts([], [fused, exact]) == [("events", "a door opens")]
    assert texts([], [fused]) == [("events", "a dog barks")]


def test_fused_events_count_from_a_calibrated_probability_on():
    fused = [event(t, t + 1, f"event {t}", "fusion", localiser="clip", p_correct=p) for t, p in ((0, 0.49), (2, 0.5))]
    bare = event(4, 5, "event 4", "fusion", localiser="clip")
    assert texts([], [*fused, bare]) == [("events", "event 2")]
    assert len(texts([], [*fused, bare], least_p=0.0)) == 3


def test_one_producer_is_read_whole_and_what_it_says_twice_counts_once():
    told = [caption(0, 2, "A man enters.", "truth"), caption(5, 6, "all of it", "truth", level="medium")]
    events = [event(0, 2, "a man enters", "truth"), event(3, 4, "a red star appears", "truth", kind="needle")]
    assert texts(told, [*events, event(1, 2, "another's", "imported")]) == [
        ("captions", "A man enters."),
        ("events", "a red star appears"),
    ]


def test_questions_sounds_empty_spans_and_captions_of_models_are_no_descriptions():
    events = [
        event(0, 1, "where is my cup?", kind="query"),
        event(1, 2, "a tone", kind="sound"),
        event(3, 3, "nothing"),
    ]
    said = caption(0, 2, "A model says this.", "captioner", level="dense")
    assert texts([said], events) == []


def test_citations_name_the_table_and_give_the_rows_again():
    rows = described_rows(
        Rows({"captions": [caption(0, 2, "a man enters", "t")], "events": [event(3, 4, "a tap", "t")]})
    )
    cited = [cite_described(row) for row in rows]
    assert [(e.table, e.values["text"]) for e in cited] == [("captions", "a man enters"), ("events", "a tap")]
    stored = [EvidenceRow(row["table"], {k: v for k, v in row.items() if k != "table"}) for row in rows]
    assert described_of(stored) == rows
