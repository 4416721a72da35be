"""Clips: every policy stays inside the medium, loses no footage that it should keep, and is named by
content.
"""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from chronotope.annotators.temporal.clip_policy import limited, merged, shots_of, windows
from chronotope.annotators.temporal.clips import Clips, ClipsParams
from chronotope.annotators.text.manifest_captions import ManifestCaptions, ManifestCaptionsParams
from chronotope.engine.annotator import Medium, Rows, SkipUnit, Unit
from chronotope.schemas.ids import clip_id
from chronotope.schemas.span import Span, from_us, to_us
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

durations = st.integers(200_000, 90_000_000).map(from_us)
lengths = st.integers(100_000, 20_000_000).map(from_us)


@st.composite
def shot_lists(draw) -> tuple[list[tuple[float, float]], float]:
    edges_us = [0, *draw(st.lists(st.integers(1, 60_000_000), min_size=1, max_size=15, unique=True).map(sorted))]
    return [(from_us(a), from_us(b)) for a, b in pairwise(edges_us)], from_us(edges_us[-1])


def covered(spans: list[Span]) -> int:
    return sum(to_us(s.end_s) - to_us(s.start_s) for s in spans)


def disjoint(spans: list[Span]) -> bool:
    return all(a.end_s <= b.start_s for a, b in pairwise(spans))


@given(shot_lists(), lengths, st.none() | lengths)
def test_merging_shots_loses_nothing_and_cuts_only_at_shots(film, min_length_s, max_length_s) -> None:
    shots, duration_s = film
    clips = merged(shots_of(shots, duration_s), min_length_s, max_length_s)
    assert disjoint(clips) and covered(clips) == to_us(duration_s)
    assert {c.start_s for c in clips} <= {a for a, _ in shots}
    if max_length_s is None:
        assert len(clips) == 1 or all(c.length_s >= min_length_s - 1e-6 for c in clips)
    else:
        longest_shot_s = max(b - a for a, b in shots)
        assert all(c.length_s <= max(max_length_s, longest_shot_s) + 1e-6 for c in clips)


@given(shot_lists(), lengths, lengths)
def test_limits_hold_for_every_clip(film, a, b) -> None:
    shots, duration_s = film
    low, high = sorted((a, b))
    clips = limited(shots_of(shots, duration_s), low, high)
    assert disjoint(clips)
    assert all(low - 1e-6 <= c.length_s <= high + 1e-6 for c in clips)
    assert covered(limited(shots_of(shots, duration_s), 0.0, high)) == to_us(duration_s)


@given(durations, lengths, st.none() | lengths, st.sampled_from(["keep", "drop", "shift"]))
def test_windows_stay_inside_and_the_tail_does_what_it_says(duration_s, length_s, stride_s, tail) -> None:
    spans = windows(duration_s, length_s, stride_s or length_s, tail)
    assert all(s.end_s <= duration_s for s in spans)
    assert all(to_us(s.end_s) - to_us(s.start_s) <= to_us(length_s) for s in spans)
    assert len({s.start_s for s in spans}) == len(spans)
    if tail == "drop":
        assert all(to_us(s.end_s) - to_us(s.start_s) == to_us(length_s) for s in spans)
    elif tail == "shift" or (stride_s or length_s) <= length_s:
        assert spans[-1].end_s == duration_s
    if tail == "shift" and duration_s >= length_s:
        assert all(to_us(s.end_s) - to_us(s.start_s) == to_us(length_s) for s in spans)
    if tail == "keep" and stride_s is None:
        assert disjoint(spans) and covered(spans) == to_us(duration_s)


def medium(duration_s: float = 20.0) -> Medium:
    return Medium("m1", "a/market.mp4", None, "video", duration_s, 25.0, 500, 640, 360, True, False)


def source(*entries: dict, uri: str = "a/market.mp4") -> dict:
    return {"uri": uri, "entries_json": json.dumps(list(entries)) if entries else None}


def entry(start_s=None, end_s=None, caption=None, user=None) -> dict:
    return {"start_s": start_s, "end_s": end_s, "caption": caption, "user": user}


def run(annotator, rows: dict, duration_s: float = 20.0) -> list[dict]:
    unit = Unit("m1", "medium", medium(duration_s), "r", 0)
    return [row for _, row in annotator.annotate(unit, Rows(rows))]


def spans(rows: list[dict]) -> list[tuple[float, float, str]]:
    return [(r["start_s"], r["end_s"], r["policy"]) for r in rows]


SHOTS = [{"start_s": 0.0, "end_s": 4.0}, {"start_s": 4.0, "end_s": 5.0}, {"start_s": 5.0, "end_s": 20.04}]


def test_shots_become_clips_that_end_with_the_medium() -> None:
    rows = run(Clips(ClipsParams()), {"shots": SHOTS, "sources": [source()]})
    assert spans(rows) == [(0, 4, "shot"), (4, 5, "shot"), (5, 20, "shot")]
    assert [r["clip_id"] for r in rows] == [clip_id("m1", r["start_s"], r["end_s"]) for r in rows]


def test_manifest_rows_are_the_clips_and_carry_their_columns() -> None:
    sources = [source(entry(3, 7, "a cart", {"topic": "food"}), entry(18, 25), entry(None, None, "a market"))]
    rows = run(Clips(ClipsParams()), {"shots": SHOTS, "sources": sources})
    assert spans(rows) == [(3, 7, "manifest"), (18, 20, "manifest")]
    assert json.loads(rows[0]["user_json"]) == {"topic": "food"} and rows[1]["user_json"] is None


def test_also_policy_adds_the_shots() -> None:
    rows = run(Clips(ClipsParams(also_policy=True)), {"shots": SHOTS, "sources": [source(entry(4, 5))]})
    assert spans(rows) == [(0, 4, "shot"), (4, 5, "manifest"), (5, 20, "shot")]


def test_a_manifest_row_without_footage_is_named_or_left_out() -> None:
    sources = [source(entry(1, 2), entry(30, 40))]
    with pytest.raises(
        ValueError,
        match=r"manifest row 2 about market\.mp4: 30\.\.40 s holds no "
        r"footage \(20 s",
    ):
        run(Clips(ClipsParams()), {"sources": sources})
    assert len(run(Clips(ClipsParams(strict=False)), {"sources": sources})) == 1


def test_sound_alone_is_one_clip_and_a_still_is_skipped() -> None:
    assert spans(run(Clips(ClipsParams()), {"sources": [source()]})) == [(0, 20, "whole")]
    with pytest.raises(SkipUnit, match="no duration"):
        run(Clips(ClipsParams()), {"sources": [source()]}, duration_s=0.0)


def test_shots_are_only_read_when_the_policy_cuts_at_them() -> None:
    assert "shots" in Clips(ClipsParams(policy="merged", min_length_s=5)).dynamic_reads()
    assert "shots" not in Clips(ClipsParams(policy="window")).dynamic_reads()


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValidationError, match="merged joins shots until min_length_s"):
        ClipsParams(policy="merged")
    with pytest.raises(ValidationError, match="max_length_s 2 is below min_length_s 5"):
        ClipsParams(min_length_s=5, max_length_s=2)


def test_captions_of_the_manifest_become_captions_of_clips_and_media() -> None:
    sources = [source(entry(3, 25, " a cart "), entry(None, None, "a market"), entry(1, 2))]
    rows = run(ManifestCaptions(ManifestCaptionsParams()), {"sources": sources})
    assert [(r["start_s"], r["end_s"], r["level"], r["text"], r["model"]) for r in rows] == [
        (3, 20, "clip", "a cart", "manifest"),
        (0, 20, "medium", "a market", "manifest"),
    ]


def test_a_medium_without_captions_is_skipped() -> None:
    with pytest.raises(SkipUnit, match="no caption in the manifest"):
        run(ManifestCaptions(ManifestCaptionsParams()), {"sources": [source(entry(1, 2))]})


def test_annotated_events_are_captions_and_the_footage_is_cut_by_the_policy() -> None:
    events = [
        {**entry(3, 7, "a man opens the door"), "level": "event"},
        {**entry(6, 12, "he walks in"), "level": "event"},
    ]
    rows = {"shots": SHOTS, "sources": [source(*events)]}
    assert spans(run(Clips(ClipsParams()), rows)) == [(0, 4, "shot"), (4, 5, "shot"), (5, 20, "shot")]
    captions = run(ManifestCaptions(ManifestCaptionsParams()), rows)
    assert [(r["start_s"], r["end_s"], r["level"]) for r in captions] == [(3, 7, "event"), (6, 12, "event")]
    assert ManifestCaptions.grade == "exact"
