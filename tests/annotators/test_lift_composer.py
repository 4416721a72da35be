"""The composer `lift`: clips of a group become an episode, and questions that people asked move with them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from chronotope.annotators.composers.lift import Lift
from chronotope.engine.composing import ComposeError, Material
from chronotope.schemas.tables import TABLES


def clip(name, length_s, questions=(), group="show_s01e01", asked_for=None, **rows):
    media = {
        "kind": "video", "duration_s": length_s, "fps": 25.0, "frames": round(length_s * 25), "width": 64, "height": 36,
        "title": f"{name}.mp4", "group_id": group, "audio_codec": None,
    }  # fmt: skip
    asked = [
        TABLES["questions"].complete(
            {"question_id": f"q{k}", "question": asked_for or f"Why {name}?", "options": ["a", "b"], "answer_index": 1, "kind": "tvqa"}
            | ({} if span is None else {"start_s": span[0], "end_s": span[1]}),
            "imported", name, name,
        )
        for k, span in enumerate(questions)
    ]  # fmt: skip
    full = {t: [TABLES[t].complete(r, "imported", name, name) for r in mine] for t, mine in rows.items()}
    return Material(name, f"{name}.mp4", Path(f"{name}.mp4"), media, {"questions": asked, **full})


def test_moments_move_by_the_offset_of_their_clip():
    clips = [clip("seg02_clip_00", 12.0, [(3.0, 4.5)]), clip("seg01_clip_00", 10.0, [(1.25, 7.0), None])]
    [draft] = Lift(Lift.Params()).compose(clips, 0)
    assert draft.duration_s == 22.0 and draft.parameters["clips"] == ["seg01_clip_00.mp4", "seg02_clip_00.mp4"]
    first, second = draft.rows["questions"]
    assert (first["start_s"], first["end_s"]) == (1.25, 7.0) and (second["start_s"], second["end_s"]) == (13.0, 14.5)
    said = json.loads(second["attributes_json"])
    assert said == {"clip": "seg02_clip_00.mp4", "part": 1, "part_s": [10.0, 22.0], "short_s": [3.0, 4.5]}
    assert first["kind"] == "tvqa" and first["options"] == ["a", "b"]


def test_a_question_of_two_clips_has_no_one_answer_in_the_whole():
    twice = [clip(f"a{k}", 5.0, [(1.0, 2.0)], asked_for="What does he say?") for k in range(2)]
    [draft] = Lift(Lift.Params()).compose([*twice, clip("a2", 5.0, [(1.0, 2.0)])], 0)
    assert [q["question"] for q in draft.rows["questions"]] == ["Why a2?"]


def test_groups_are_episodes_and_official_splits_are_not_mixed():
    clips = [clip(f"a{k}", 5.0, [(1.0, 2.0)], "one") for k in range(3)] + [
        clip(f"b{k}", 5.0, [], "two") for k in range(2)
    ]
    drafts = list(Lift(Lift.Params()).compose(clips, 0))
    assert [len(d.parameters["clips"]) for d in drafts] == [3, 2]
    mixed = [
        replace(c, media={**c.media, "official_split": s, "group_id": None})
        for c, s in zip(clips, "ttvvv", strict=True)
    ]
    assert sorted(len(d.sources) for d in Lift(Lift.Params(clip_s=None)).compose(mixed, 0)) == [2, 3]


def test_footage_without_groups_is_cut_at_shots_and_asked_about():
    shots = [{"start_s": a, "end_s": b, "transition": "cut"} for a, b in ((0.0, 9.0), (9.0, 21.0), (21.0, 30.0))]
    lines = [f"Sentence number {w} is spoken" for w in ("one", "two", "three", "four", "five", "six")]
    speech = [{"start_s": 5.0 * k + 0.5, "end_s": 5.0 * k + 3.0, "text": t} for k, t in enumerate(lines)]
    box = {"x1": 0.1, "y1": 0.1, "x2": 0.5, "y2": 0.3}
    texts = [{**box, "start_s": 5.0 * k, "end_s": 5.0 * k + 4.0, "text": f"Sign {'ABCDEF'[k]}"} for k in range(6)]
    film = clip("film", 30.0, (), None, shots=shots, speech=speech, text_regions=texts)
    film = replace(film, media={**film.media, "audio_codec": "aac"})
    [draft] = Lift(Lift.Params(clip_s=10.0)).compose([film], 0)
    assert draft.parameters["clips"] == ["film.mp4#0", "film.mp4#1", "film.mp4#2"]
    asked = draft.rows["questions"]
    assert {json.loads(q["attributes_json"])["part"] for q in asked} == {0, 1, 2}
    for q in asked:
        k = next(k for k in range(6) if lines[k] in q["question"] or f"Sign {'ABCDEF'[k]}" in q["question"])
        right = q["options"][q["answer_index"]]
        assert right in (f"Sign {'ABCDEF'[k]}", lines[k]) and len(set(q["options"])) == 5


def test_too_few_clips_are_no_episode():
    with pytest.raises(ComposeError, match="2 clips per episode"):
        list(Lift(Lift.Params()).compose([clip("only", 5.0)], 0))
