"""vlm4d_motion_qa (row 33): a camera's motion is no motion of things, twins exchange left and right, truth is that of the room."""

from __future__ import annotations

import math
from collections import defaultdict
from itertools import pairwise

from chronotope.annotators.tasks.motion_asks import MotionQuestion, answered
from chronotope.annotators.tasks.motion_scene import MotionScene, Moved
from chronotope.annotators.tasks.vlm4d_motion_qa import Vlm4dMotionQa
from chronotope.engine.catalog import Catalog
from chronotope.pipelines.verify import verify_root
from chronotope.schemas.motion import Motion
from chronotope.schemas.motion_paths import Curve, PathRule, Track3, compensated, spin_of, turn_of, way_of
from chronotope.schemas.sample import ChoiceAnswer, Sample
from chronotope.schemas.span import Span
from room_recipes import build_on, evidence_of, samples_of

RULE, N = PathRule(), 11


def line(a: float, b: float) -> list[float]:
    return [a + (b - a) * i / (N - 1) for i in range(N)]


def seen(x: list[float], y: list[float] | None = None, area: list[float] | None = None, pan: float = 0.0) -> str | None:
    """What is said of a square in a picture over two seconds, under a camera that pans (widths per second)."""
    times = line(0.0, 2.0)
    camera = [Motion(t, pan, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.5, 0.5, 50.0) for t in times[1:]]
    curve = compensated(times, x, y or [0.5] * len(x), area or [0.0] * len(x), 4 / 3, camera)
    assert curve is not None
    return way_of(curve, RULE).label


def test_a_square_is_told_from_its_path_without_the_camera() -> None:
    right = line(0.3, 0.7)
    assert seen(right) == "right"
    assert seen([1 - v for v in right]) == "left"
    assert seen(line(0.7, 0.3), pan=0.2) == "still"  # the camera pans to the right over a square that stands still
    assert seen([0.5] * N, pan=0.2) == "right"  # and follows one that goes right
    assert seen([0.5] * N, area=line(0.0, math.log(1.5))) == "toward"
    assert seen([0.5] * N, area=line(0.0, -math.log(1.5))) == "away"
    assert seen(line(0.5, 0.2)[::2] + line(0.2, 0.5)[1::2]) == "left then right"
    assert seen(right, y=line(0.3, 0.6)) is None

    # boxes every 0.2 s, a camera that was not measured in the first 0.2 s of its pan (as after a cut): all of it is taken out
    times = line(0.0, 2.0)
    pans = [Motion(t, 0.2, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.5, 0.5, 50.0) for t in line(0.3, 2.1)]
    still = compensated(times, line(0.7, 0.3), [0.5] * N, [0.0] * N, 4 / 3, pans)
    assert still is not None and max(still.x) - min(still.x) < 1e-9
    gap = [
        m for m in pans if not 0.6 < m.t_s < 1.4
    ]  # planted: what the camera did meanwhile is not known, so nothing is said
    assert compensated(times, line(0.7, 0.3), [0.5] * N, [0.0] * N, 4 / 3, gap) is None


def test_turns_and_spins_are_exchanged_in_the_mirror() -> None:
    corner = Track3(tuple((v, 0.0) for v in line(0, 1)) + tuple((1.0, v) for v in line(0.1, 1)), (0.0,) * 2 * N)
    assert (turn_of(corner, RULE).label, turn_of(corner.mirrored(), RULE).label) == ("left", "right")
    spin = Track3(((0.0, 0.0),) * 21, tuple(0.3 * i for i in range(21)))
    assert (spin_of(spin, RULE).label, spin_of(spin.mirrored(), RULE).label) == ("anticlockwise", "clockwise")
    assert turn_of(spin, RULE).label is None and spin_of(corner, RULE).label == "none"
    assert way_of(Curve((0.5,) * 4, (0.5,) * 4, (0.0,) * 4, 1.0).mirrored(), RULE).label == "still"


def said(sample: Sample) -> str:
    return (
        sample.options[sample.answer.index].text
        if isinstance(sample.answer, ChoiceAnswer)
        else str(sample.answer.value)
    )


def test_a_twin_has_the_same_options_and_the_other_side() -> None:
    thing = Moved(
        "o1", "red cart", "cart", Curve((0.2, 0.4, 0.6), (0.5,) * 3, (0.0,) * 3, 4 / 3), None, seen=True, moves=True
    )
    truth = MotionScene(
        {"media_id": "m"}, {"clip_id": "c"}, Span(0, 2), (thing,), (), frozenset({"cart"}), complete=True
    )
    twin = truth.as_mirrored({"media_id": "t"}, {"operation": "mirror"}, Span(0, 2))
    for asked in (MotionQuestion("direction", ("o1",)), MotionQuestion("direction", (), "ball")):
        one, other = (answered(scene, asked, RULE) for scene in (truth, twin))
        assert len(one.options) == len(other.options) == 4
        sides = [{o.text for o in answer.options} & {"to the left", "to the right"} for answer in (one, other)]
        if asked.absent:
            assert one.options[one.index].text == other.options[other.index].text == "there is no red ball"
        else:
            assert sides[0] == sides[1] == {"to the left", "to the right"}
            assert (one.label, other.label) == ("right", "left")


def displaced(sample: Sample, boxes: dict[str, list[dict]]) -> str:
    """What moved in the window of a sample, from the stored boxes of its things alone."""
    return " ".join(
        sorted(
            name for name, rows in boxes.items()
            if len(held := [r for r in rows if sample.window.start_s - 1e-3 <= r["t_s"] < sample.window.end_s]) > 1
            and any(math.dist([a[k] for k in "xyz"] + a["axes"], [b[k] for k in "xyz"] + b["axes"]) > 0.02
                    for a, b in pairwise(held))
        )
    )  # fmt: skip


def test_all_follows_from_the_room(rooms, tmp_path, monkeypatch) -> None:
    def light(recipe: dict) -> None:  # without mirrored twins, which are cut from the footage
        recipe["annotate"].remove({"signals": {"fps": 2}})
        del recipe["enrich"]

    root = build_on(rooms, "vlm4d_motion_qa", tmp_path, monkeypatch, light)
    assert verify_root(root).problems == []
    catalog = Catalog(root)
    samples = samples_of(catalog)
    kinds = {r["sample_id"]: r["kind"] for r in catalog.rows("SELECT sample_id, kind FROM spatial_checks")}
    assert len(set(kinds.values()) - {"count"}) >= 2 and "count" in kinds.values()
    assert all(len(s.options) in (0, 2, 4) for s in samples)
    boxes = defaultdict(lambda: defaultdict(list))
    for row in catalog.rows("SELECT * FROM boxes3d WHERE moving ORDER BY t_s"):
        boxes[row["media_id"]][row["object_id"]].append(row)
    for sample in samples:
        moving = displaced(sample, boxes[sample.media[0].media_id]).split()
        if kinds[sample.sample_id] == "count":
            assert sample.answer.value == len(moving)
        elif kinds[sample.sample_id] == "direction" and said(sample).startswith("nowhere"):
            (name,) = {r.row["object_id"] for r in evidence_of(catalog, sample) if r.table == "boxes3d"} & set(
                moving
            ) or {""}
            assert name == ""
    # planted fault: another answer
    task = Vlm4dMotionQa(Vlm4dMotionQa.Params())
    sample = next(s for s in samples if s.options)
    evidence = evidence_of(catalog, sample)
    assert task.recompute(sample, evidence).ok
    lied = sample.model_copy(update={"answer": ChoiceAnswer(index=(sample.answer.index + 1) % len(sample.options))})
    assert not task.recompute(lied, evidence).ok
