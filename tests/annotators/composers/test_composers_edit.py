"""Composers that cut footage up: what they draw, that their truth follows, and that what they write shows it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chronotope.annotators.composers.conflict import Conflict
from chronotope.annotators.composers.conflict import Params as ConflictParams
from chronotope.annotators.composers.edit import EditClips
from chronotope.annotators.composers.edit import Params as EditParams
from chronotope.annotators.composers.join import Join, clusters_of
from chronotope.annotators.composers.join import Params as JoinParams
from chronotope.engine.composing import ComposeError, Draft, Material
from chronotope.engine.composing_parts import Part
from chronotope.engine.media.decode import VideoReader
from chronotope.engine.media.timeline import read_timeline
from chronotope.schemas.span import Span
from made_footage import HEIGHT, WIDTH, clicks, numbered, read_number, write_media

EVENTS = (
    (0.4, 2.4, "a red circle moves to the left"),
    (2.4, 4.4, "a blue star moves to the right"),
    (4.4, 6.0, "a green square moves up"),
    (6.0, 7.6, "the camera pans to the left"),
    (7.6, 9.6, "the camera tilts up"),
)
FRAMES = 250


def film(folder: Path, name: str, first: int, split: str | None = None, *, told: bool = True) -> Material:
    """A medium of 10 s whose frames carry numbers from `first` on, with five events and two shots."""
    path = folder / f"{name}.mp4"
    if not path.exists():
        sound = clicks([0.5, 5.0], 10.0, 48_000)
        write_media(
            path,
            frames=FRAMES,
            picture=lambda i: numbered(first + i),
            sound=sound,
            options={"crf": "16", "preset": "ultrafast"},
        )
    media = {
        "kind": "video", "duration_s": 10.0, "fps": 25.0, "frames": FRAMES, "width": WIDTH, "height": HEIGHT,
        "audio_codec": "aac", "official_split": split,
    }  # fmt: skip
    rows: dict[str, list[dict[str, Any]]] = {
        "shots": [
            {"start_s": 0.0, "end_s": 5.2, "transition": "start", "producer": "p"},
            {"start_s": 5.2, "end_s": 10.0, "transition": "cut", "producer": "p"},
        ]
    }
    if told:
        rows["captions"] = [
            {"start_s": a, "end_s": b, "text": t, "level": "event", "model": "composer", "producer": "p"}
            for a, b, t in EVENTS
        ]
    return Material(f"{name}-id", str(path), path, media, rows)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("material")


@pytest.fixture(scope="module")
def material(folder: Path) -> list[Material]:
    return [film(folder, "one", 0), film(folder, "two", 1000), film(folder, "three", 2000)]


def numbers(draft: Draft, out: Path) -> list[int]:
    draft.write(out)
    return [read_number(f.luma_at(WIDTH, HEIGHT)) for f in VideoReader(out)]


def events(draft: Draft) -> list[tuple[float, float, str]]:
    return [(r["start_s"], r["end_s"], r["text"]) for r in draft.rows["captions"]]


def test_a_joined_video_is_cut_where_its_truth_says(material: list[Material], tmp_path: Path) -> None:
    composer = Join(JoinParams(videos=2, clips=(3, 4), scales=(0.8, 1.0, 1.25), clusters=2))
    first, second = composer.compose(material, 3)
    for draft in (first, second):
        shown = numbers(draft, tmp_path / f"{draft.digest}.mp4")
        steps = np.diff(shown)
        decoded = [float(k + 1) / 25 for k in np.flatnonzero((steps < 0) | (steps > 3))]
        ends = draft.parameters["ends_s"]
        assert np.abs(np.array(decoded) - ends[:-1]).max() <= 0.04
        assert ends[-1] == pytest.approx(draft.duration_s) == len(shown) / 25
        subs, scales = draft.parameters["sub_videos"], draft.parameters["scales"]
        lengths = np.diff([0.0, *ends])
        assert all(
            abs(n - (s["end_s"] - s["start_s"]) * k) <= 0.04 for n, s, k in zip(lengths, subs, scales, strict=True)
        )
        spans = {(round(a, 3), round(b, 3), t) for a, b, t in events(draft)}
        assert {(round(e - n, 3), round(e, 3), s["text"]) for e, n, s in zip(ends, lengths, subs, strict=True)} <= spans
        assert len({s["text"] for s in subs}) == len(subs)
        facts = read_timeline(tmp_path / f"{draft.digest}.mp4")
        assert facts.audio_end_s == pytest.approx(facts.end_s, abs=0.03)
    assert {c.digest for c in composer.compose(material, 3)} == {first.digest, second.digest}


def test_joined_clips_are_of_one_split(folder: Path) -> None:
    media = [film(folder, "one", 0, "train"), film(folder, "two", 1000, "test"), film(folder, "three", 2000, "train")]
    drafts = list(Join(JoinParams(videos=6, clips=(2, 2), clusters=2)).compose(media, 0))
    assert all(len({m.media["official_split"] for m in draft.sources}) == 1 for draft in drafts)
    assert {m.media["official_split"] for d in drafts for m in d.sources} == {"train", "test"}


def test_clusters_hold_what_is_described_alike(material: list[Material]) -> None:
    themes = [
        ["a dog runs across the field", "a brown dog runs on a field", "two dogs run over the field"],
        [
            "a cook slices onions in the kitchen",
            "the cook fries onions in a kitchen",
            "a cook stirs soup in the kitchen",
        ],
    ]
    parts = [
        Part(material[0], Span(i, i + 1), text)
        for i, text in enumerate(t for pair in zip(*themes, strict=True) for t in pair)
    ]
    found = [sorted(str(p.text) for p in pool) for pool in clusters_of(parts, 2, 2, "seed")]
    assert found == [sorted(theme) for theme in themes]


def test_material_without_descriptions_is_joined_by_shots(folder: Path) -> None:
    (draft,) = Join(JoinParams(videos=1, clips=(2, 2))).compose([film(folder, "one", 0, told=False)], 0)
    assert sorted((s["start_s"], s["end_s"]) for s in draft.parameters["sub_videos"]) == [(0.0, 5.2), (5.2, 10.0)]
    assert "captions" not in draft.rows


def test_what_is_told_by_models_is_not_called_exact(folder: Path) -> None:
    plain = film(folder, "one", 0, told=False)
    rows = [
        {"start_s": a, "end_s": b, "text": t, "kind": "event", "localiser": "l", "producer": "p"}
        for a, b, t in EVENTS[:4]
    ]
    fused = Material(**{**plain.__dict__, "rows": {**plain.rows, "events": rows}, "grades": {"events": "model"}})
    (joined,) = Join(JoinParams(videos=1, clips=(2, 2))).compose([fused], 0)
    assert len(joined.rows["events"]) == 2 and joined.grades == {"events": "model"}
    for draft in Conflict(ConflictParams(kinds=("reverse", "speed"), sets=2)).compose([fused], 0):
        exact = draft.parameters["kind"] == "speed"
        assert draft.grades.get("aspects", "exact") == ("exact" if exact else "model")


def test_too_little_material_is_told(material: list[Material]) -> None:
    with pytest.raises(ComposeError, match="join needs 40 clips"):
        Join(JoinParams(clips=(40, 50))).compose(material[:1], 0)
    with pytest.raises(ComposeError, match="edit finds no part"):
        EditClips(EditParams(length_s=(100, 200), units="shots")).compose(material, 0)


def test_edits_carry_only_what_stays_true(material: list[Material], tmp_path: Path) -> None:
    params = EditParams(
        operations=("cut", "reverse", "speed", "freeze", "mirror"), clips=1, factors=(2.0,), units="described"
    )
    drafts = {d.parameters["operations"][0]: d for d in EditClips(params).compose(material[:1], 1)}
    cut, back = drafts["cut"], drafts["reverse"]
    (start, end, text), *rest = events(cut)
    assert (start, rest) == (0.0, []) and text in {t for _, _, t in EVENTS}
    ways = {"left": "right", "right": "left", "up": "down"}
    words = text.split()
    assert events(back) == [(0.0, end, " ".join([*words[:-1], ways[words[-1]]]))]
    assert numbers(back, tmp_path / "b.mp4") == numbers(cut, tmp_path / "c.mp4")[::-1]
    assert drafts["speed"].duration_s == pytest.approx(end / 2, abs=0.04)
    assert drafts["freeze"].duration_s == pytest.approx(end + drafts["freeze"].parameters["hold_s"], abs=0.03)
    (edit,) = back.rows["edits"]
    assert edit["source_media_id"] == "one-id" and edit["time_scale"] == -1.0
    assert edit["time_offset_s"] == pytest.approx(edit["end_s"])


def test_several_edits_at_once(material: list[Material], tmp_path: Path) -> None:
    params = EditParams(operations=("reverse", "speed"), apply="all", clips=1, factors=(2.0,), units="shots")
    (draft,) = EditClips(params).compose(material[:1], 0)
    shown = numbers(draft, tmp_path / "x.mp4")
    assert set(np.diff(shown)) == {-2}


@pytest.fixture(scope="module")
def conflicts(material: list[Material]) -> list[Draft]:
    return list(Conflict(ConflictParams(sets=10, factors=(2.0,))).compose(material, 0))


def sets_of(drafts: list[Draft]) -> dict[str, dict[str, Draft]]:
    found: dict[str, dict[str, Draft]] = {}
    for draft in drafts:
        found.setdefault(draft.parameters["set"], {})[draft.parameters["variant"]] = draft
    return found


def test_the_films_of_a_set_contradict_each_other(conflicts: list[Draft]) -> None:
    sets = sets_of(conflicts)
    assert Counter(next(iter(s.values())).parameters["kind"] for s in sets.values()) == {
        "reverse": 2, "splice": 2, "speed_stack": 2, "speed": 2, "mirror": 2,
    }  # fmt: skip
    for films in sets.values():
        rows = [row for d in films.values() for row in d.rows["aspects"]]
        values = [row["value"] for row in rows]
        assert len(set(values)) == len(films) > 1
        assert len({(r["pair_id"], r["aspect"], r["kind"], r["subject"]) for r in rows}) == 1
        for row in rows:
            assert set(values) - {row["value"]} <= set(row["wrong"]) and row["value"] not in row["wrong"]
    assert len({d.digest for d in conflicts}) == len(conflicts)


def test_a_reversed_twin_has_the_same_frames(conflicts: list[Draft], tmp_path: Path) -> None:
    films = next(s for s in sets_of(conflicts).values() if "reverse" in s)
    one, two = (numbers(films[v], tmp_path / f"{v}.mp4") for v in ("original", "reverse"))
    assert one == two[::-1] and one == sorted(one)
    assert films["reverse"].rows["captions"][0]["text"] == " ".join(
        (films["reverse"].rows["aspects"][0]["subject"], films["reverse"].rows["aspects"][0]["value"])
    )


def test_spliced_twins_show_the_events_in_the_order_that_they_say(conflicts: list[Draft], tmp_path: Path) -> None:
    films = next(s for s in sets_of(conflicts).values() if "stack" in s)
    told = {v: json.loads(d.rows["aspects"][0]["attributes_json"]) for v, d in films.items()}
    one, two = (numbers(films[v], tmp_path / f"{v}.mp4") for v in ("1", "2"))
    assert Counter(one) == Counter(two) and one != two
    assert [t for _, _, t in events(films["1"])] == told["1"]["events"] == [t for _, _, t in events(films["2"])][::-1]
    assert (told["1"]["order"], told["2"]["order"], told["stack"]["order"]) == ([0, 1], [1, 0], None)
    assert films["stack"].duration_s == pytest.approx(min(e for s, e, _ in events(films["1"]) if s == 0), abs=3)


def test_the_faster_half_of_a_stack_is_the_one_that_is_told(conflicts: list[Draft], tmp_path: Path) -> None:
    films = next(s for s in sets_of(conflicts).values() if "0" in s)
    assert films["1"].rows["aspects"][0]["value"].startswith("slower")
    rates = {v: [json.loads(e["parameters_json"])["rate"] for e in d.rows["edits"]] for v, d in films.items()}
    assert rates == {"0": [2.0, 2.0], "1": [1.0, 2.0], "2": [2.0, 1.0]}


def test_what_a_subject_does_twice_is_no_conflict(folder: Path) -> None:
    medium = film(folder, "one", 0)
    captions = [{**medium.rows["captions"][0], "start_s": 1.0, "end_s": 2.0, "text": "a red circle moves up"}]
    double = Material(**{**medium.__dict__, "rows": {"captions": [medium.rows["captions"][0], *captions]}})
    with pytest.raises(ComposeError, match="conflict can make none"):
        Conflict(ConflictParams(kinds=("reverse", "mirror"))).compose([double], 0)


def test_boxes_tell_which_way_a_thing_goes_where_nothing_is_described(folder: Path) -> None:
    plain = film(folder, "one", 0, told=False)
    track = {"track_id": "t", "start_s": 0.0, "end_s": 10.0, "label": "dog", "phrase": "brown dog", "producer": "p"}
    boxes = [
        {"track_id": "t", "t_s": i / 2, "x1": 0.8 - i / 30, "y1": 0.4, "x2": 0.9 - i / 30, "y2": 0.6, "producer": "p"}
        for i in range(20)
    ]
    moving = Material(**{**plain.__dict__, "rows": {**plain.rows, "tracks": [track], "boxes": boxes}})
    drafts = list(Conflict(ConflictParams(kinds=("reverse",), sets=1)).compose([moving], 0))
    assert [d.rows["aspects"][0]["value"] for d in drafts] == ["moves to the left", "moves to the right"]
    assert drafts[0].rows["aspects"][0]["subject"] == "a brown dog"
