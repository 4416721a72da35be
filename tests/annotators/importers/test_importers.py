"""Published layouts, written from a composed film's truth and read back: every row as the truth has it."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chronotope.annotators.importers.imported_from_models import ImportedFromModels
from chronotope.engine.annotator import SkipUnit
from chronotope.engine.registry import find, names
from chronotope.schemas.span import from_us, to_us

Reads = Callable[..., Any]
Shows = Callable[..., None]


def _spans(rows: list[dict[str, Any]]) -> list[tuple[float, float, str]]:
    return [(r["start_s"], r["end_s"], r["text"]) for r in rows]


def _true(film: Any) -> list[tuple[float, float, str]]:
    return [(from_us(to_us(e.start_s)), from_us(to_us(e.end_s)), e.text) for e in film.events]


def _about(row: dict[str, Any]) -> dict[str, Any]:
    return dict(json.loads(row["attributes_json"]))


def test_activitynet_captions(film: Any, shown: Shows, read: Reads, tmp_path: Path) -> None:
    shown("v_abcdefghijk.mp4", "zzzzzzzzzzz.mp4")
    about = {
        "duration": film.duration_s,
        "timestamps": [[e.start_s, e.end_s] for e in film.events],
        "sentences": [f" {e.text.capitalize()}. " for e in film.events],
    }
    (tmp_path / "val_1.json").write_text(json.dumps({"v_abcdefghijk": about, "v_zzzzzzzzzzz": about}))
    found = read("activitynet_captions", files="val_1.json")
    rows = found.rows["events"]
    wanted = [(a, b, text.capitalize()) for a, b, text in _true(film)]
    assert _spans([r for r in rows if r["medium"] == "v_abcdefghijk.mp4"]) == wanted
    assert _spans([r for r in rows if r["medium"] == "zzzzzzzzzzz.mp4"]) == wanted, "named without its prefix"
    assert {p.official_split for p in found.places} == {"validation"}
    assert {r["kind"] for r in rows} == {"event"} and not found.notes and not found.problems


def test_charades_sta_with_the_tables_of_charades(film: Any, shown: Shows, read: Reads, tmp_path: Path) -> None:
    shown("AO8RW.mp4")
    lines = [f"AO8RW {e.start_s} {e.end_s}##{e.text}." for e in film.events]
    (tmp_path / "charades_sta_train.txt").write_text("\n".join(lines) + "\n")
    actions = ";".join(f"c{n:03} {e.start_s} {e.end_s}" for n, e in enumerate(film.events))
    with (tmp_path / "Charades_v1_train.csv").open("w", newline="") as file:
        out = csv.DictWriter(file, ("id", "script", "actions", "length"))
        out.writeheader()
        out.writerow({"id": "AO8RW", "script": "a, b", "actions": actions, "length": film.duration_s + 4})
    (tmp_path / "classes.txt").write_text("\n".join(f"c{n:03} Doing {n}" for n in range(len(film.events))))
    found = read(
        "charades_sta",
        files="charades_sta_*.txt",
        charades=["Charades_v1_train.csv"],
        classes="classes.txt",
        actions=True,
    )
    events = [r for r in found.rows["events"] if r["kind"] == "event"]
    done = [r for r in found.rows["events"] if r["kind"] == "action"]
    assert _spans(events) == _true(film)
    assert [(a, b) for a, b, _ in _spans(done)] == [(a, b) for a, b, _ in _true(film)]
    assert [(r["text"], _about(r)["class"]) for r in done] == [(f"Doing {n}", f"c{n:03}") for n in range(len(done))]
    assert found.places[0].official_split == "train"
    assert {n["rule"] for n in found.notes} == {"duration"}, "the stated length is four seconds too long"
    assert f"{film.duration_s + 4:g} s" in found.notes[0]["detail"]


def test_qvhighlights_keeps_windows_and_saliency(film: Any, shown: Shows, read: Reads, tmp_path: Path) -> None:
    shown("bP5KfdFJzC4_660.0_810.0.mp4")
    first, second = film.events[:2]
    line = {
        "qid": 8737, "query": first.text + ".", "duration": round(film.duration_s), "vid": "bP5KfdFJzC4_660.0_810.0",
        "relevant_windows": [[0, 4], [6, 8]], "relevant_clip_ids": [0, 1, 3],
        "saliency_scores": [[4, 1, 1], [4, 2, 1], [3, 3, 3]],
    }  # fmt: skip
    test = {"qid": 1, "query": second.text, "duration": 8, "vid": "bP5KfdFJzC4_660.0_810.0"}
    (tmp_path / "highlight_train_release.jsonl").write_text("\n".join(map(json.dumps, [line, test])))
    found = read("qvhighlights", files="*.jsonl")
    rows = found.rows["events"]
    assert _spans(rows) == [(0.0, 4.0, first.text), (6.0, 8.0, first.text)]
    assert len({r["query_id"] for r in rows}) == 1 and {r["kind"] for r in rows} == {"query"}
    assert [_about(r)["saliency"] for r in rows] == [[[4, 1, 1], [4, 2, 1]], [[3, 3, 3]]]
    assert found.places[0].licence == "CC BY-NC-SA 4.0" and found.places[0].official_split == "train"
    assert [(n["rule"], n["action"]) for n in found.notes] == [("no_moment", "left_out")]


def test_youcook2(film: Any, shown: Shows, read: Reads, tmp_path: Path) -> None:
    shown("sub/xHr8X2Wpmno.mp4")
    steps = [{"segment": [e.start_s, e.end_s], "id": n, "sentence": e.text} for n, e in enumerate(film.events)]
    about = {"duration": film.duration_s, "subset": "validation", "recipe_type": "226", "annotations": steps}
    held = {"duration": 9.0, "subset": "testing", "recipe_type": "101"}
    (tmp_path / "youcookii_annotations_trainval.json").write_text(
        json.dumps({"database": {"xHr8X2Wpmno": about, "hidden": held}})
    )
    found = read("youcook2", media="media/**/*.mp4", files=["youcookii_annotations_trainval.json"])
    assert _spans(found.rows["events"]) == _true(film)
    assert [_about(r) for r in found.rows["events"]] == [{"recipe_type": "226", "step": n} for n in range(len(steps))]
    assert found.places[0].official_split == "validation", "as the file says inside, not in its name"
    assert (
        "videos of the test subset, published without annotations, passed over: 1" in found.told and not found.problems
    )


def test_ego4d_narrations_get_spans_by_the_published_rule(film: Any, shown: Shows, read: Reads, tmp_path: Path) -> None:
    shown("9e4edf4d.mp4")
    times = [1.0, 2.0, 5.0]
    texts = ["#C C picks a #unsure.", "#O man X sits down", "#C C puts it down"]
    narrations = [
        {"timestamp_sec": t, "timestamp_frame": round(t * 30), "narration_text": text, "annotation_uid": f"u{t}"}
        for t, text in zip(times, texts, strict=True)
    ]
    summary = {"start_sec": 0.0, "end_sec": 6.0, "summary_text": "#Summary C moved things"}
    about = {"narration_pass_1": {"narrations": narrations, "summaries": [summary]}, "status": "complete"}
    (tmp_path / "narration.json").write_text(
        json.dumps({"version": "1", "videos": {"9e4edf4d": about, "empty": {"status": "redacted"}}})
    )
    rows = read("ego4d", files="narration.json", wearer="the cook").rows["events"]
    half = 2.0 / (2 * 4.9)
    said = ["the cook picks a something", "man X sits down", "the cook puts it down"]
    assert _spans(rows[:3]) == [
        (from_us(to_us(t - half)), from_us(to_us(t + half)), text) for t, text in zip(times, said, strict=True)
    ]
    assert [_about(r)["at_s"] for r in rows[:3]] == times and _about(rows[0])["narration"] == texts[0]
    assert (rows[3]["kind"], rows[3]["text"], rows[3]["end_s"]) == ("event", "the cook moved things", 6.0)
    until = read("ego4d", files="narration.json", span="next", summaries=False).rows["events"]
    assert [(r["start_s"], r["end_s"]) for r in until] == [(1.0, 2.0), (2.0, 5.0), (5.0, 7.0)]


def test_ego4d_queries_on_videos_and_on_clips(film: Any, shown: Shows, read: Reads, tmp_path: Path) -> None:
    shown("vid-1.mp4", "clip-1.mp4")
    query = {
        "clip_start_sec": 1.0, "clip_end_sec": 2.5, "video_start_sec": 4.0, "video_end_sec": 5.5,
        "query": "Where did I put the cup?", "template": "Objects: Where did I put X?",
    }  # fmt: skip
    empty = {**query, "query": "Nothing?", "video_end_sec": 4.0, "clip_end_sec": 1.0}
    clip = {
        "clip_uid": "clip-1",
        "video_start_sec": 3.0,
        "annotations": [{"annotation_uid": "a", "language_queries": [query, empty]}],
    }
    (tmp_path / "nlq_val.json").write_text(
        json.dumps({"videos": [{"video_uid": "vid-1", "split": "val", "clips": [clip]}]})
    )
    for clock, name, span in (("videos", "vid-1.mp4", (4.0, 5.5)), ("clips", "clip-1.mp4", (1.0, 2.5))):
        found = read("ego4d", files="nlq_val.json", clock=clock)
        assert [(r["medium"], r["start_s"], r["end_s"], r["kind"]) for r in found.rows["events"]] == [
            (name, *span, "query")
        ]
        assert [(n["rule"], n["action"]) for n in found.notes] == [("empty", "left_out")]
        assert found.places[0].official_split == "validation"


EPIC = (
    "narration_id", "participant_id", "video_id", "narration_timestamp", "start_timestamp", "stop_timestamp", "start_frame",
    "stop_frame", "narration", "verb", "verb_class", "noun", "noun_class", "all_nouns", "all_noun_classes",
)  # fmt: skip


def _epic(path: Path, film: Any, fps: float) -> None:
    with path.open("w", newline="") as file:
        out = csv.DictWriter(file, EPIC)
        out.writeheader()
        for n, e in enumerate(film.events):
            out.writerow(
                {
                    "narration_id": f"P01_01_{n}", "participant_id": "P01", "video_id": "P01_01",
                    "narration_timestamp": "00:00:01.089", "start_timestamp": f"00:00:{e.start_s:05.2f}",
                    "stop_timestamp": f"00:00:{e.end_s:05.2f}", "start_frame": int(e.start_s * fps),
                    "stop_frame": int(e.end_s * fps), "narration": e.text, "verb": "take", "verb_class": n, "noun": "plate",
                    "noun_class": 2, "all_nouns": "['plate', 'cup']", "all_noun_classes": "[2, 13]",
                }
            )  # fmt: skip


def test_epic_kitchens_and_its_frame_rate(film: Any, shown: Shows, read: Reads, tmp_path: Path) -> None:
    shown("P01_01.MP4")
    _epic(tmp_path / "EPIC_100_train.csv", film, film.truth.fps)
    found = read("epic_kitchens", files="EPIC_100_train.csv")
    assert _spans(found.rows["events"]) == [(round(a, 2), round(b, 2), text) for a, b, text in _true(film)]
    about = _about(found.rows["events"][1])
    assert (about["verb"], about["verb_class"], about["all_nouns"], about["all_noun_classes"]) == (
        "take",
        1,
        ["plate", "cup"],
        [2, 13],
    )
    assert not found.notes, "frames are counted at the film's own rate"
    _epic(tmp_path / "EPIC_100_train.csv", film, 59.94)
    [note] = read("epic_kitchens", files="EPIC_100_train.csv").notes
    assert (note["rule"], note["action"], note["items"]) == ("frame_rate", "noted", len(film.events))
    assert "at 59.9" in note["detail"] and "runs at 10" in note["detail"]
    (tmp_path / "info.csv").write_text(f"video_id,duration,fps,resolution\nP01_01,{film.duration_s},10,160x90\n")
    [note] = read("epic_kitchens", files="EPIC_100_train.csv", video_info="info.csv").notes
    assert note["item"] == "P01_01" and "video_info says 10.00" in note["detail"]
    _epic(tmp_path / "EPIC_100_train.csv", film, 10)
    lines = (tmp_path / "EPIC_100_train.csv").read_text().splitlines()
    stop = int(film.events[0].end_s * 10)
    (tmp_path / "EPIC_100_train.csv").write_text(
        "\n".join([lines[0], lines[1].replace(f",{stop},", f",{stop + 9},"), *lines[2:]])
    )
    [note] = read("epic_kitchens", files="EPIC_100_train.csv", video_info="info.csv").notes
    assert note["item"] == "EPIC_100_train.csv P01_01_0" and f"stop_frame {stop + 9} is" in note["detail"]


def _vidor(film: Any, width: int, height: int) -> dict[str, Any]:
    fps = film.truth.fps
    frames: list[list[dict[str, Any]]] = [[] for _ in range(film.truth.frames)]
    for tid, thing in enumerate(film.truth.objects):
        for place in thing.boxes:
            x1, y1, x2, y2 = place.box
            corners = {"xmin": x1 * width, "ymin": y1 * height, "xmax": x2 * width, "ymax": y2 * height}
            frames[round(place.t_s * fps)].append({"tid": tid, "bbox": corners, "generated": 0, "tracker": "none"})
    objects = [{"tid": tid, "category": thing.shape} for tid, thing in enumerate(film.truth.objects)]
    return {
        "video_id": "5159741010", "frame_count": film.truth.frames, "fps": fps, "width": width, "height": height,
        "subject/objects": objects, "trajectories": frames,
    }  # fmt: skip


def _vidstg(film: Any, width: int, height: int) -> dict[str, Any]:
    first = film.events[0]
    begin, end = round(first.start_s * film.truth.fps), round(first.end_s * film.truth.fps)
    return {
        "vid": "5159741010", "frame_count": film.truth.frames, "fps": film.truth.fps, "width": width, "height": height,
        "used_relation": {"subject_tid": 0, "object_tid": 1, "predicate": "in_front_of", "begin_fid": begin, "end_fid": end},
        "temporal_gt": {"begin_fid": begin, "end_fid": end},
        "captions": [{"description": first.text + ".", "type": "object", "target_id": 0}],
        "questions": [{"description": "what moves there?", "type": "object", "target_id": 0}],
    }  # fmt: skip


def test_vidstg_with_boxes_of_vidor(film: Any, shown: Shows, read: Reads, tmp_path: Path) -> None:
    shown("1025/5159741010.mp4")
    (tmp_path / "vidor").mkdir()
    (tmp_path / "vidor" / "5159741010.json").write_text(json.dumps(_vidor(film, 1280, 720)))
    about = _vidstg(film, 1280, 720)
    (tmp_path / "test_annotations.json").write_text(json.dumps([about, about | {"questions": []}]))
    found = read("vidstg", files="test_annotations.json", trajectories=["vidor/*.json"])
    start, end, text = _true(film)[0]
    assert _spans(found.rows["events"]) == [(start, end, text), (start, end, "what moves there?")]
    assert [r["kind"] for r in found.rows["events"]] == ["event", "query"]
    true = sorted((round(p.t_s, 6), *p.box) for thing in film.truth.objects for p in thing.boxes)
    got = sorted((r["t_s"], r["x1"], r["y1"], r["x2"], r["y2"]) for r in found.rows["boxes"])
    assert len(got) == len(true)
    assert all(abs(a - b) < 1e-6 for mine, real in zip(got, true, strict=True) for a, b in zip(mine, real, strict=True))
    assert {r["track_id"] for r in found.rows["boxes"]} == {r["track_id"] for r in found.rows["tracks"]}
    assert {r["label"] for r in found.rows["tracks"]} == {thing.shape for thing in film.truth.objects}
    assert found.places[0].official_split == "test"
    assert [(n["rule"], n["items"]) for n in found.notes] == [("duplicate", 1)], "one sentence stands twice in the file"


def test_a_vidor_file_that_cannot_be_read_leaves_the_sentences(
    film: Any, shown: Shows, read: Reads, tmp_path: Path
) -> None:
    shown("5159741010.mp4", "7.mp4")
    (tmp_path / "vidor").mkdir()
    (tmp_path / "vidor" / "5159741010.json").write_text('{"fps": 10, "trajectories": 3}')
    about = _vidstg(film, 640, 360)
    (tmp_path / "a_train.json").write_text(json.dumps([about, about | {"vid": "7"}]))
    found = read("vidstg", files="a_train.json", trajectories=["vidor/*.json"])
    assert len(found.rows["events"]) == 4 and "boxes" not in found.rows
    assert sorted((n["rule"], n["action"]) for n in found.notes) == [("no_boxes", "noted"), ("unreadable", "left_out")]
    assert "5159741010.json: no lists" in next(n["detail"] for n in found.notes if n["rule"] == "unreadable")


def test_boxes_of_another_picture_shape_are_left_out(film: Any, shown: Shows, read: Reads, tmp_path: Path) -> None:
    shown("5159741010.mp4")
    (tmp_path / "vidor").mkdir()
    (tmp_path / "vidor" / "5159741010.json").write_text(json.dumps(_vidor(film, 720, 1280)))
    (tmp_path / "a_train.json").write_text(json.dumps([_vidstg(film, 720, 1280)]))
    found = read("vidstg", files="a_train.json", trajectories=["vidor/*.json"])
    boxes = sum(len(thing.boxes) for thing in film.truth.objects)
    assert "boxes" not in found.rows and [(n["rule"], n["items"]) for n in found.notes] == [("size", boxes)]
    kept = read("vidstg", files="a_train.json", trajectories=["vidor/*.json"], checks={"other_shape": "keep"})
    assert len(kept.rows["boxes"]) == boxes and [n["action"] for n in kept.notes] == ["noted"]


def test_llava_conversations(film: Any, shown: Shows, read: Reads, tmp_path: Path) -> None:
    shown("a/clip.mp4", "b/clip.mp4")
    turns = [
        {"from": "human", "value": "<video>\nWhen does it pan?"}, {"from": "gpt", "value": "From 2 s."},
        {"from": "human", "value": "And then?"}, {"from": "gpt", "value": "It stops."},
    ]  # fmt: skip
    entries = [
        {"id": "x", "video": "b/clip.mp4", "conversations": turns},
        {"id": "x", "video": "b/clip.mp4", "conversations": turns[:2]},
        {"id": "y", "video": "b/clip.mp4", "conversations": turns[:3]},
        {"id": "t", "conversations": turns},
    ]
    (tmp_path / "chat.json").write_text(json.dumps(entries))
    found = read("llava_conversations", files="chat.json")
    assert [p.uri.endswith("b/clip.mp4") for p in found.places] == [True], (
        "the folder in the name tells the two clips apart"
    )
    first, second = found.rows["questions"]
    assert (first["question"], first["answer_text"]) == ("When does it pan?", "From 2 s.")
    assert [t["text"] for t in json.loads(first["turns_json"])] == [
        "When does it pan?",
        "From 2 s.",
        "And then?",
        "It stops.",
    ]
    assert (first["question_id"], second["question_id"]) == ("x", "x#2")
    assert [n["rule"] for n in found.notes] == [
        "turns"
    ] and "conversations without a medium, passed over: 1" in found.told


def test_what_models_wrote_is_no_exact_evidence(shown: Shows, read: Reads, tmp_path: Path) -> None:
    shown("clip.mp4")
    turns = [{"from": "human", "value": "<video>When?"}, {"from": "gpt", "value": "At 2 s."}]
    (tmp_path / "chat.json").write_text(json.dumps([{"id": "x", "video": "clip.mp4", "conversations": turns}]))
    with pytest.raises(SkipUnit, match="nothing that people wrote was imported"):
        read("llava_conversations", files="chat.json", written_by="model")
    found = read("llava_conversations", files="chat.json", written_by="model", by=ImportedFromModels)
    assert [r["answer_text"] for r in found.rows["questions"]] == ["At 2 s."] and ImportedFromModels.grade == "model"


def test_subtitles_that_lie_elsewhere(film: Any, shown: Shows, read: Reads, tmp_path: Path) -> None:
    shown("talk.mp4", "other.mp4")

    def clock(t_s: float) -> str:
        ms = round(t_s * 1000)
        return f"{ms // 3600000:02}:{ms // 60000 % 60:02}:{ms // 1000 % 60:02},{ms % 1000:03}"

    said = film.truth.speech
    lines = [f"{n}\n{clock(s.start_s)} --> {clock(s.end_s)}\n<i>{s.text}</i>\n" for n, s in enumerate(said, 1)]
    (tmp_path / "subs").mkdir()
    (tmp_path / "subs" / "talk.en.srt").write_text("\n".join(lines))
    (tmp_path / "subs" / "episode 1.vtt").write_text("WEBVTT\n\n00:01.000 --> 00:02.000\nHello\n")
    (tmp_path / "subs" / "talk.de.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nHallo\n")
    found = read("srt_vtt", files="subs/*", names={"episode 1.vtt": "other"}, languages=["en"])
    rows = [r for r in found.rows["speech"] if r["medium"] == "talk.mp4"]
    assert [r["text"] for r in rows] == [" ".join(s.text.split()) for s in said]
    assert all(abs(r["start_s"] - s.start_s) < 0.001 for r, s in zip(rows, said, strict=True))
    assert {(r["language"], r["origin"], r["track"]) for r in rows} == {("en", "sidecar", "talk.en.srt")}
    assert [r["text"] for r in found.rows["speech"] if r["medium"] == "other.mp4"] == ["Hello"]


def test_tvqa(film: Any, shown: Shows, read: Reads, tmp_path: Path) -> None:
    shown("castle_s01e02_seg01_clip_00.mp4")
    asked = {
        **{f"a{n}": f"answer {n}" for n in range(5)}, "answer_idx": 2, "q": "What pans?", "qid": 11, "show_name": "Castle",
        "ts": "1.5-4.25", "vid_name": "castle_s01e02_seg01_clip_00",
    }  # fmt: skip
    rows = [asked, asked | {"qid": 12, "ts": "nan-nan"}, asked | {"qid": 13, "answer_idx": 7}]
    (tmp_path / "tvqa.jsonl").write_text("\n".join(map(json.dumps, rows)))
    found = read("tvqa", files="tvqa.jsonl")
    first, second = found.rows["questions"]
    assert (first["question"], first["options"][2], first["answer_index"], first["answer_text"]) == (
        "What pans?",
        "answer 2",
        2,
        "answer 2",
    )
    assert (first["start_s"], first["end_s"], first["question_id"]) == (1.5, 4.25, "11")
    assert "start_s" not in second and sorted((n["rule"], n["action"]) for n in found.notes) == [
        ("no_answer", "left_out"),
        ("no_time", "noted"),
    ]
    assert found.places[0].group_id == "castle_s01e02", "clips of an episode stay together"
    shown("castle_s01e02_seg02_clip_01.mp4")
    (tmp_path / "tvqa_train.jsonl").write_text(json.dumps(asked))
    (tmp_path / "tvqa_val.jsonl").write_text(json.dumps(asked | {"vid_name": "castle_s01e02_seg02_clip_01"}))
    groups = {(p.official_split, p.group_id) for p in read("tvqa", files="tvqa_*.jsonl").places}
    assert groups == {("train", "castle_s01e02 (train)"), ("validation", "castle_s01e02 (validation)")}, "as published"


def test_fixations(film: Any, shown: Shows, read: Reads, tmp_path: Path) -> None:
    shown("walk.mp4")
    lines = ["walk,ann,1500,200,80,45", "walk,ann,500,100,0,0", f"walk,ann,{1000 * film.duration_s + 900},100,80,45"]
    (tmp_path / "gaze.csv").write_text("\n".join(["video,subject,onset,duration,x,y", *lines]))
    found = read("fixations", files="gaze.csv", time_unit="ms", size=(160, 90))
    assert [(r["position"], r["t_s"], r["duration_s"], r["x"], r["y"]) for r in found.rows["fixations"]] == [
        (0, 0.5, 0.1, 0.0, 0.0),
        (1, 1.5, 0.2, 0.5, 0.5),
    ]
    assert [(n["rule"], n["action"]) for n in found.notes] == [("past_the_end", "left_out")]


def test_every_importer_of_the_list_has_a_test_here() -> None:
    others = ("test_importers_table.py", "test_scans.py", "test_picture_sets.py")
    text = "".join(Path(__file__).with_name(name).read_text() for name in (Path(__file__).name, *others))
    for name in names("importer"):
        importer = find("importer", name)
        assert importer.name == name and f'"{name}"' in text
