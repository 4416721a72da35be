"""Every part of every layout is damaged in turn: an importer then tells of it, and never fails itself."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chronotope.engine.importing import Importer
from chronotope.engine.registry import find

QUERY = {"video_start_sec": 1.0, "video_end_sec": 2.0, "clip_start_sec": 1.0, "clip_end_sec": 2.0, "query": "Where?"}
CLIP = {"clip_uid": "c", "annotations": [{"annotation_uid": "a", "language_queries": [QUERY]}]}
NARRATION = {"timestamp_sec": 1.0, "narration_text": "#C C sits", "annotation_uid": "u"}
SUMMARY = {"start_sec": 0.0, "end_sec": 2.0, "summary_text": "#Summary C cooks"}
SPAN = {"begin_fid": 0, "end_fid": 10}
LAYOUTS: dict[str, tuple[str, Any]] = {
    "activitynet_captions": ("a_train.json", {"v_x": {"duration": 5.0, "timestamps": [[0, 1]], "sentences": ["a"]}}),
    "youcook2": (
        "y.json",
        {"database": {"x": {"duration": 5, "subset": "training", "annotations": [{"segment": [0, 1], "id": 0, "sentence": "a"}]}}},
    ),
    "qvhighlights": (
        "q.json",
        [{"qid": 1, "query": "a", "duration": 5, "vid": "x_0.0_5.0", "relevant_windows": [[0, 2]], "relevant_clip_ids": [0],
          "saliency_scores": [[1, 2, 3]]}],
    ),
    "ego4d": ("n.json", {"videos": {"x": {"narration_pass_1": {"narrations": [NARRATION], "summaries": [SUMMARY]}}}}),
    "ego4d ": ("nlq.json", {"videos": [{"video_uid": "x", "split": "val", "clips": [CLIP]}]}),
    "vidstg": (
        "v.json",
        [{"vid": "1", "fps": 10, "frame_count": 50, "width": 64, "height": 48, "temporal_gt": SPAN,
          "used_relation": {"predicate": "above"}, "captions": [{"description": "a", "type": "t", "target_id": 0}],
          "questions": [{"description": "b?", "type": "t", "target_id": 0}]}],
    ),
    "llava_conversations": (
        "l.json",
        [{"id": "1", "video": "x.mp4", "conversations": [{"from": "human", "value": "a?"}, {"from": "gpt", "value": "b"}]}],
    ),
    "tvqa": (
        "t.json",
        [{"qid": 1, "q": "a?", "a0": "0", "a1": "1", "a2": "2", "a3": "3", "a4": "4", "answer_idx": 1, "ts": "0-1", "vid_name": "x"}],
    ),
    "table": ("table.json", [{"media": "x", "start_s": 0, "end_s": 1, "text": "a"}]),
}  # fmt: skip
NOTHING = (None, "", [], {}, KeyError)
"""Where nothing is said, there may be nothing to tell of."""
JUNK = (None, 3, -1.5, "", "x", [], {}, [None], {"x": 1}, True)


def _damaged(whole: Any) -> Iterator[tuple[Any, Any]]:
    """(document, junk): each of its parts replaced by each kind of junk, or taken away."""

    def paths(value: Any) -> Iterator[tuple[Any, ...]]:
        inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, part in inner:
            yield (key,)
            yield from ((key, *rest) for rest in paths(part))

    yield from ((junk, junk) for junk in JUNK)
    for path in paths(whole):
        for junk in (*JUNK, KeyError):
            changed = copy.deepcopy(whole)
            holder = changed
            for key in path[:-1]:
                holder = holder[key]
            if junk is KeyError:
                del holder[path[-1]]
            else:
                holder[path[-1]] = junk
            yield changed, junk


def _read(importer: str, folder: Path, file: str) -> tuple[int, int, Importer[Any]]:
    kind = find("importer", importer)
    reader = kind(kind.Params(files=[file]))
    said = list(reader.read(folder))
    rows = sum(len(s.rows) for s in said)
    return rows, sum(n.items for s in said for n in s.notes if n.action == "left_out"), reader


@pytest.mark.parametrize("layout", LAYOUTS)
def test_damage_is_told(tmp_path: Path, layout: str) -> None:
    importer, (file, whole) = layout.strip(), LAYOUTS[layout]
    (tmp_path / file).write_text(json.dumps(whole))
    before, notes, reader = _read(importer, tmp_path, file)
    assert before and not notes and not reader.faults
    for damaged, junk in _damaged(whole):
        (tmp_path / file).write_text(json.dumps(damaged))
        rows, left_out, reader = _read(importer, tmp_path, file)
        told = left_out + len(reader.faults) + sum(reader.passed_over.values())
        assert rows >= before or told or junk in NOTHING, damaged


@pytest.mark.parametrize("junk", ["", "\n", "##", "A B C##d", "A 1 2", "A 1 2##", " ##x", "A nan inf##x", "A -1 2##x"])
def test_damaged_lines_of_charades(tmp_path: Path, junk: str) -> None:
    (tmp_path / "c_train.txt").write_text(f"A 0 1##fits.\n{junk}\n")
    rows, left_out, reader = _read("charades_sta", tmp_path, "c_train.txt")
    assert rows >= 1 and (not junk.strip() or rows + left_out + len(reader.faults) == 2)


@pytest.mark.parametrize("column", range(16))
def test_damaged_cells_of_epic_kitchens(tmp_path: Path, column: int) -> None:
    head = (
        "narration_id,participant_id,video_id,narration_timestamp,start_timestamp,stop_timestamp,start_frame,stop_frame"
    )
    head += ",narration,verb,verb_class,noun,noun_class,all_nouns,all_noun_classes"
    good = [
        "P01_1_0",
        "P01",
        "P01_1",
        "00:00:01.0",
        "00:00:01.00",
        "00:00:02.00",
        "60",
        "120",
        "take cup",
        "take",
        "0",
        "cup",
        "13",
        "['cup']",
        "[13]",
    ]
    for junk in ("", "x", "-", "00:xx:00", "[", "nan"):
        bad = good[:15]
        if column < 15:
            bad[column] = junk
        else:
            bad = bad[:7]
        (tmp_path / "EPIC_100_train.csv").write_text("\n".join([head, ",".join(good), ",".join(bad)]))
        rows, left_out, reader = _read("epic_kitchens", tmp_path, "EPIC_100_train.csv")
        assert rows + left_out + len(reader.faults) == 2
