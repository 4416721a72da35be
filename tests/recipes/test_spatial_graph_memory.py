"""spatial_graph_memory (row 60): a walk over a grid gives its graph, and answers are those of a search over walked ways."""

from __future__ import annotations

from itertools import pairwise, permutations

from chronotope.annotators.tasks.spatial_graph_memory import SpatialGraphMemory
from chronotope.engine.catalog import Catalog
from chronotope.pipelines.status import summary
from chronotope.pipelines.verify import verify_root
from chronotope.schemas.geometry.cells import unmorton
from chronotope.schemas.nav_graph import GraphRule, NavGraph, Pose, nav_graph, spaced
from chronotope.schemas.sample import NumberAnswer
from room_recipes import build_on, evidence_of, samples_of

STEP, PITCH = 0.25, 2.0
WALK = [
    (0, 0),
    (1, 0),
    (2, 0),
    (2, 1),
    (1, 1),
    (0, 1),
    (0, 2),
    (1, 2),
    (2, 2),
    (2, 1),
    (2, 0),
    (1, 0),
    (1, 1),
    (1, 2),
    (0, 2),
    (0, 1),
    (0, 0),
]


def walked(corners: list[tuple[int, int]]) -> list[Pose]:
    at = [(PITCH * corners[0][0] + 0.1, PITCH * corners[0][1] + 0.1)]
    for (x0, y0), (x1, y1) in pairwise(corners):
        at += [(PITCH * (x0 + (x1 - x0) * k / 8) + 0.1, PITCH * (y0 + (y1 - y0) * k / 8) + 0.1) for k in range(1, 9)]
    return [Pose(0.5 * i, (x, y, 1.5)) for i, (x, y) in enumerate(at)]


def shortest(graph: NavGraph, start: int, goal: int) -> float:
    """By trying every way: lengths of all simple paths."""
    inner = [n for n in range(len(graph.keys)) if n not in (start, goal)]
    best = float("inf")
    for count in range(len(inner) + 1):
        for middle in permutations(inner, count):
            path = (start, *middle, goal)
            edges = [graph.edges.get((min(p), max(p))) for p in pairwise(path)]
            if None not in edges:
                best = min(best, sum(edges))
    return best


def test_a_walk_over_a_grid_gives_its_graph() -> None:
    graph = nav_graph(walked(WALK), GraphRule(node_m=PITCH, leaf_m=0.5))
    assert len(graph.keys) == 9 and len(graph.edges) == 12
    assert len({tuple(unmorton(key).tolist()) for key in graph.keys}) == 9
    assert graph.turns[:4] == ("straight", "left", "left", "straight")
    assert len(graph.revisits(10)) == 8 and not graph.revisits(1000)
    nodes = range(9)
    for a in nodes:
        for b in nodes:
            if a < b:
                metres, path = graph.way(a, b)
                assert graph.hops(a, b) <= len(path) - 1
                assert abs(metres - sum(graph.edges[min(p), max(p)] for p in pairwise(path))) < 1e-9
    small = nav_graph(walked([*WALK[:7], (0, 1), (0, 0)]), GraphRule(node_m=PITCH, leaf_m=0.5))
    assert abs(small.way(0, 4)[0] - shortest(small, 0, 4)) < 1e-9
    times = [0.0, 0.2, 0.4, 0.6, 1.1, 1.2]
    taken = [times[i] for i in spaced(times, 0.5)]
    assert taken == [0.0, 0.6, 1.1] and spaced(taken, 0.5) == [0, 1, 2]


def test_a_walk_through_rooms_is_asked_about(room, tmp_path, monkeypatch) -> None:
    def small(recipe: dict) -> None:
        recipe["tasks"] = [
            {"spatial_graph_memory": {"rule": {"node_m": 0.6, "leaf_m": 0.3, "gap_s": 2}, "waypoints": [3, 20]}},
            {"mulset_multiview": {"looked_at": 2}},
        ]

    root = build_on(room, "spatial_graph_memory", tmp_path, monkeypatch, small)
    assert verify_root(root).problems == []
    catalog = Catalog(root)
    samples = samples_of(catalog)
    silent = {"producer": "mulset_multiview", "units": 1, "reasons": ["nothing that is shown fits"]}
    assert summary(root)["without_samples"] == [silent], "a task that asks nothing says why"
    kinds = {r["kind"] for r in catalog.rows("SELECT kind FROM spatial_checks")}
    assert kinds >= {"turn_sequence", "nearest_landmark"}
    params = SpatialGraphMemory.Params.model_validate(
        {"rule": {"node_m": 0.6, "leaf_m": 0.3, "gap_s": 2}, "waypoints": [3, 20]}
    )
    task = SpatialGraphMemory(params)
    sample = samples[0]
    evidence = evidence_of(catalog, sample)
    assert task.recompute(sample, evidence).ok
    # planted faults: another answer, a waypoint left out
    answer = sample.answer
    other = NumberAnswer(value=answer.value + 1, unit="m") if isinstance(answer, NumberAnswer) else answer.model_copy(
        update={"index": (answer.index + 1) % len(sample.options)}
    )  # fmt: skip
    assert not task.recompute(sample.model_copy(update={"answer": other}), evidence).ok
    fewer = sample.media[0].model_copy(update={"frame_times": sample.media[0].frame_times[:-1]})
    assert "not the waypoints" in task.recompute(sample.model_copy(update={"media": (fewer,)}), evidence).reason
