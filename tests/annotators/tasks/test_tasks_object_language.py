"""Tasks about tracked things: true samples pass and are traced, every planted lie about them or their evidence is caught."""

from __future__ import annotations

import json
from typing import Any

import pytest
from chronotope.annotators.tasks.compass_scop import CompassScop
from chronotope.annotators.tasks.region_questions import RegionQuestions
from chronotope.annotators.tasks.relation_pairs import RelationPairs
from chronotope.annotators.tasks.spatial_grounding import SpatialGrounding
from chronotope.annotators.tasks.spatio_temporal_grounding import SpatioTemporalGrounding
from chronotope.annotators.tasks.vstar_chains import VstarChains
from chronotope.engine.task import EvidenceRow
from chronotope.schemas.chain import Replayed, problems, replay, same_answer
from chronotope.schemas.sample import Sample
from chronotope.schemas.scop import ScopRule

THINGS = (
    # colour, shape, start, end, first box, way per second
    ("red", "circle", 0.0, 40.0, (0.05, 0.10, 0.25, 0.40), (0.004, 0.0)),
    ("blue", "square", 0.0, 40.0, (0.60, 0.12, 0.85, 0.42), (0.0, 0.0)),
    ("green", "star", 10.0, 20.0, (0.30, 0.60, 0.50, 0.90), (0.02, 0.0)),
    ("yellow", "heart", 22.0, 30.0, (0.60, 0.55, 0.80, 0.88), (-0.02, 0.0)),
)
EVENTS = (
    (11.0, 15.0, "a green star moves to the right"),
    (23.0, 27.0, "a yellow heart moves to the left"),
    (32.0, 36.0, "a red circle turns around itself"),
)
TASKS: tuple[tuple[Any, dict[str, Any]], ...] = (
    (SpatialGrounding, {}),
    (SpatioTemporalGrounding, {}),
    (VstarChains, {}),
    (CompassScop, {"rule": ScopRule(min_pair_share=0.05, max_distance=4.0)}),
    (RelationPairs, {"paraphrases": 1}),
    (RegionQuestions, {}),
)


def filled(new_world: Any) -> Any:
    world = new_world()
    world.medium("m", 40.0)
    world.clip("m", 0.0, 40.0)
    for colour, shape, start, end, box, way in THINGS:
        track_id = f"{colour} {shape}"
        world.add(
            "tracks", "m", "people", track_id=track_id, start_s=start, end_s=end, label=shape, phrase=track_id,
            attributes_json=json.dumps({"colour": colour}), score=1.0,
        )  # fmt: skip
        for k in range(int((end - start) * 2) + 1):
            t_s = start + k / 2
            dx, dy = (v * (t_s - start) for v in way)
            edges = dict(
                zip(("x1", "y1", "x2", "y2"), (box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy), strict=True)
            )
            world.add("boxes", "m", "people", track_id=track_id, t_s=t_s, **{n: round(v, 6) for n, v in edges.items()})
    for start, end, text in EVENTS:
        world.add("events", "m", "people", start_s=start, end_s=end, text=text, kind="event")
    return world


@pytest.mark.parametrize(("kind", "params"), TASKS, ids=lambda v: getattr(v, "name", ""))
def test_lies_about_samples_and_evidence_are_caught(
    kind: Any, params: dict[str, Any], new_world: Any, all_caught: Any
) -> None:
    world, task = filled(new_world), kind(kind.Params(**params))
    rows = [r for r in world.run(task, "m") if "sample_id" in r and "answer_json" in r]
    assert rows
    assert all_caught(world, task, rows[:3]) >= 30


@pytest.mark.parametrize("kind", (SpatialGrounding, SpatioTemporalGrounding))
def test_chains_lead_to_the_answer(kind: Any, new_world: Any) -> None:
    world, task = filled(new_world), kind(kind.Params())
    rows = world.run(task, "m")
    assert len({json.loads(r["answer_json"])["kind"] for r in rows}) >= 1
    for row in rows:
        sample = Sample.from_row(row)
        cited = [EvidenceRow(e.table, world.lookup(e.table, e.row_id)) for e in sample.evidence]
        steps = task.trace(sample, cited)
        assert steps and problems(steps) == []
        found = replay(steps, {e.row["row_id"]: e.row for e in cited})
        assert isinstance(found, Replayed), found
        assert same_answer(found.answer, sample.answer)


def test_a_second_thing_of_the_name_silences_the_question(new_world: Any) -> None:
    world = filled(new_world)
    world.add("tracks", "m", "people", track_id="twin", start_s=0.0, end_s=40.0, label="star", phrase="green star")
    world.add("boxes", "m", "people", track_id="twin", t_s=12.0, x1=0.1, y1=0.7, x2=0.2, y2=0.8)
    for kind in (SpatialGrounding, SpatioTemporalGrounding, VstarChains):
        for row in world.run(kind(kind.Params()), "m"):
            assert not ("green star" in row["turns"][0]["text"] and row["answer_kind"] in ("box", "tube"))


def test_pictures_of_a_set_are_filtered_as_it_was_published(new_world: Any) -> None:
    world = new_world()
    boxes = {  # the two examples of the source, and a crowd
        "kept": (((100, 150, 200, 200), 0), ((340, 170, 180, 180), 0)),
        "small": (((100, 200, 150, 150), 0), ((330, 220, 140, 140), 0)),
        "crowd": (((20, 20, 250, 300), 0), ((340, 20, 250, 300), 1)),
    }
    for name, pair in boxes.items():
        world.medium(name, 0.0, kind="image", width=640, height=480)
        for label, ((x, y, w, h), crowd) in zip(("dog", "bench"), pair, strict=True):
            track_id = f"{name} {label}"
            told = json.dumps({"iscrowd": crowd} if crowd else {})
            world.add(
                "tracks", name, "people", track_id=track_id, start_s=0.0, end_s=0.0, label=label, attributes_json=told
            )
            edges = {"x1": x / 640, "y1": y / 480, "x2": (x + w) / 640, "y2": (y + h) / 480}
            world.add("boxes", name, "people", track_id=track_id, t_s=0.0, **edges)
    ours, published = (
        CompassScop(CompassScop.Params()),
        CompassScop(CompassScop.Params(keep_crowds=True, unique_names=False)),
    )

    def said(task: CompassScop, name: str) -> tuple[set[tuple[str, str, str]], set[str]]:
        rows = world.run(task, name)
        triples = {(r["subject"], r["predicate"], r["object_text"]) for r in rows if "predicate" in r}
        return triples, {r["reason"] for r in rows if "candidates" in r}

    assert said(ours, "kept") == ({("dog", "left of", "bench"), ("bench", "right of", "dog")}, {""})
    assert said(ours, "small") == (set(), {"insignificant"})
    assert said(ours, "crowd") == (set(), {"crowd"}) and len(said(published, "crowd")[0]) == 2
    sample = next(r for r in world.run(ours, "kept") if "answer_json" in r)
    assert sample["media"][0]["kind"] == "image" and world.check(ours, sample)["passed"]
