"""place_centric_memory (row 38): both orders hold the same pictures, slots are never exceeded, a place keeps its number."""

from __future__ import annotations

from collections import Counter

import numpy as np
from chronotope.annotators.asks.places import serialised, slotted
from chronotope.annotators.tasks.place_centric_memory import PlaceCentricMemory
from chronotope.engine.catalog import Catalog
from chronotope.pipelines.verify import verify_root
from chronotope.schemas.places import PlaceRule, places_of, visits_of
from chronotope.schemas.sample import ChoiceAnswer
from room_recipes import build_on, evidence_of, samples_of


def grid_walk() -> list[tuple[float, float]]:
    """Steps over a 3x3 grid of rooms of 2 m, 32 of them, without crossing a wall: one room to the next."""
    rooms, rng = [(0, 0)], np.random.default_rng(7)
    while len(rooms) < 32:
        x, y = rooms[-1]
        dx, dy = [(1, 0), (-1, 0), (0, 1), (0, -1)][rng.integers(4)]
        if 0 <= x + dx < 3 and 0 <= y + dy < 3:
            rooms.append((x + dx, y + dy))
    return [(2 * x + 1.0, 2 * y + 1.0) for x, y in rooms]


def test_both_orders_hold_the_same_and_a_place_keeps_its_name() -> None:
    walk = grid_walk()
    rule = PlaceRule(cell_m=2.0, least_visit_s=0.0)
    places = places_of(walk, rule)
    assert {p: {w for w, q in zip(walk, places, strict=True) if q == p} for p in set(places)} == {
        p: {w} for w, p in zip(walk, places, strict=True)
    }  # a room is one place, whenever it is visited
    times = [float(i) for i in range(len(walk))]
    known: dict[str, int] = {}
    numbers = {t: known.setdefault(p, len(known) + 1) for t, p in zip(times, places, strict=True)}
    visits = visits_of(times, places, rule)
    assert [v.place for v in visits] == [p for i, p in enumerate(places) if i == 0 or places[i - 1] != p]
    kept = slotted(times, numbers, 3)
    assert max(Counter(numbers[t] for t in kept).values()) <= 3
    by_time, by_place = (serialised(kept, numbers, order) for order in ("time", "place"))
    assert sorted(by_time) == sorted(by_place) and list(by_time) == sorted(kept)
    assert [numbers[t] for t in by_place] == sorted(numbers[t] for t in kept)
    # clusters and polygons tell the same rooms apart
    assert len(set(places_of(walk, PlaceRule(method="clusters", clusters=9)))) == len(set(places))
    named = {"first": ((0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 2.0))}
    assert {
        w
        for w, p in zip(walk, places_of(walk, PlaceRule(method="polygons", polygons=named)), strict=True)
        if p == "first"
    } == {(1.0, 1.0)}


def test_a_walk_is_asked_about_by_place(room, tmp_path, monkeypatch) -> None:
    def small(recipe: dict) -> None:
        recipe["annotate"][1]["place_visits"]["rule"]["cell_m"] = 0.5
        recipe["tasks"][0]["place_centric_memory"]["rule"] = {"cell_m": 0.5}

    roots = {}
    for order in ("time", "place"):
        (tmp_path / order).mkdir()
        roots[order] = Catalog(
            build_on(room, "place_centric_memory", tmp_path / order, monkeypatch, small, CHRONOTOPE_ORDER=order)
        )
    shown = {}
    for order, catalog in roots.items():
        samples = samples_of(catalog)
        assert samples and all(len(s.media[0].frame_times) <= 32 for s in samples)
        shown[order] = {s.media[0].media_id: s.media[0].frame_times for s in samples}
    for media_id, times in shown["time"].items():
        assert list(times) == sorted(times)
        assert sorted(shown["place"].get(media_id, times)) == list(times)

    assert verify_root(tmp_path / "place" / "place_centric_memory.chronotope").problems == []
    catalog = roots["time"]
    visits = list(catalog.rows("SELECT * FROM place_visits ORDER BY media_id, start_s"))
    assert {(v["media_id"], v["place_id"]) for v in visits} == {
        (v["media_id"], v["place_id"]) for v in visits if v["visit"] == 1
    }
    assert len({(v["media_id"], v["place"]) for v in visits}) == len({(v["media_id"], v["place_id"]) for v in visits})

    # planted fault: another answer, and a log with a picture of another time
    sample = samples_of(catalog)[0]
    params = PlaceCentricMemory.Params.model_validate({"rule": {"cell_m": 0.5}})
    task, evidence = PlaceCentricMemory(params), evidence_of(catalog, sample)
    assert task.recompute(sample, evidence).ok
    lied = sample.model_copy(update={"answer": ChoiceAnswer(index=(sample.answer.index + 1) % len(sample.options))})
    assert not task.recompute(lied, evidence).ok
    swapped = sample.media[0].model_copy(update={"frame_times": sample.media[0].frame_times[::-1]})
    assert (
        "order of their serialisation"
        in task.recompute(sample.model_copy(update={"media": (swapped,)}), evidence).reason
    )
