"""oryx_correspondence (row 1): one numeral for one object, drawn inside its mask, and answers that are those of the room."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from chronotope.annotators.compose.correspondence_marks import MarkParams, draw_numeral, inner_point, mark_of
from chronotope.annotators.tasks.marked_objects import MarkedObjects
from chronotope.engine.catalog import Catalog
from chronotope.engine.task import EvidenceRow
from chronotope.pipelines.verify import verify_root
from chronotope.schemas.geometry.box3d import box3d_of
from chronotope.schemas.geometry.distances import box_box
from chronotope.schemas.masks import decode_mask
from room_recipes import build_on, evidence_of, samples_of
from s0 import s0_rows


def test_the_same_numeral_fits_the_same_thing_in_two_views() -> None:
    rows = [r for r in s0_rows()["boxes"] if r["track_id"] == "track-tv" and r["t_s"] in (0.0, 1.0)]
    assert len(rows) == 2
    for row in rows:
        mask, mark = decode_mask(row["mask"]), mark_of(row, 480, MarkParams())
        assert mark is not None
        black = np.zeros((480, 640, 3), np.uint8) + 120
        changed = (draw_numeral(black, 7, mark) != 120).any(axis=2)
        assert changed.sum() > 100 and not (changed & ~mask).any()  # no pixel of the disc lies outside of the mask
    ring = np.zeros((20, 30), bool)
    ring[2:18, 2:28] = True
    ring[6:14, 8:22] = False
    x, y, far = inner_point(ring)
    assert ring[int(y), int(x)] and far <= 4


def broken(marks: list[dict], boxes: dict) -> list[str]:
    """Numerals outside of their masks, and numerals or objects with more than one partner."""
    found, numerals, objects = [], defaultdict(set), defaultdict(set)
    for m in marks:
        mask = decode_mask(boxes[m["media"], m["track_id"], round(m["source_t_s"], 6)])
        height, width = mask.shape
        if not mask[int(m["y"] * height), int(m["x"] * width)]:
            found.append(f"{m['numeral']} at {m['t_s']} lies outside")
        numerals[m["media_id"], m["numeral"]].add(m["object_id"])
        objects[m["media_id"], m["object_id"]].add(m["numeral"])
    found += [f"{k} has {len(v)}" for of in (numerals, objects) for k, v in of.items() if len(v) > 1]
    return found


def test_numerals_lie_in_their_masks_and_answers_follow_from_the_room(room, tmp_path, monkeypatch) -> None:
    def small(recipe: dict) -> None:
        recipe["enrich"] = [{"correspondence_marks": {"pictures": 6, "least_radius_px": 3}}]

    root = build_on(room, "oryx_correspondence", tmp_path, monkeypatch, small)
    assert verify_root(root).problems == []
    catalog = Catalog(root)
    marks = list(catalog.rows("SELECT m.*, e.source_media_id AS media FROM marks m JOIN edits e USING (media_id)"))
    boxes = {(r["media_id"], r["track_id"], round(r["t_s"], 6)): r["mask"] for r in catalog.rows("SELECT * FROM boxes")}
    assert marks and broken(marks, boxes) == []
    counted = defaultdict(int)
    for m in marks:
        counted[m["media_id"], m["numeral"]] += 1
    assert min(counted.values()) >= 3 and max(n for _, n in counted) <= 10

    samples = samples_of(catalog)
    assert samples and all(len(s.media[0].frame_times) == 0 for s in samples)
    for sample in samples:
        things = [e.row for e in evidence_of(catalog, sample) if e.table == "boxes3d"]
        if things:  # beside: nearest of all that stands still, by the boxes of the stored rows
            number = sample.difficulty["numeral"]
            name = next(
                m["object_id"] for m in marks if m["media_id"] == sample.media[0].media_id and m["numeral"] == number
            )
            own = next(t for t in things if t["object_id"] == name)
            others = [t for t in things if t["object_id"] != name and not t["moving"]]
            nearest = min(others, key=lambda t: box_box(box3d_of(own), box3d_of(t)))
            assert sample.options[sample.answer.index].text == (nearest["phrase"] or nearest["label"])

    # planted fault: a numeral that wandered off its object
    sample = samples[0]
    task, evidence = MarkedObjects(MarkedObjects.Params()), evidence_of(catalog, sample)
    assert task.recompute(sample, evidence).ok
    moved = [EvidenceRow(e.table, {**e.row, "x": 0.001, "y": 0.001}) if e.table == "marks" else e for e in evidence]
    assert "outside of its mask" in task.recompute(sample, moved).reason
    assert broken([{**m, "x": 0.001, "y": 0.001} for m in marks], boxes)
