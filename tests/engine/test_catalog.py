"""SQL over a dataset: the clip view pools what lies inside a clip, says NULL where nobody looked, and reads only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chronotope.engine.catalog import Catalog, QueryError
from chronotope.engine.files import write_rows
from chronotope.engine.lock import RootLock
from chronotope.engine.store import Store
from chronotope.schemas.tables import TABLES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

World = list[tuple[str, str, str, dict[str, Any]]]
"""(producer, medium, table, values)."""


def build(root: Path, world: World, looked: tuple[tuple[str, str], ...] = ()) -> Store:
    """A dataset of these rows; `looked` are (producer, medium) that are done without rows."""
    files: dict[tuple[str, str], list[dict[str, Any]]] = {}
    units = set(looked)
    for producer, medium, table, row in world:
        files.setdefault((producer, table), []).append(TABLES[table].complete(row, producer, medium, medium))
        units.add((producer, medium))
    ledger = [{"producer": p, "unit": m, "media_id": m, "grain": "medium", "status": "done"} for p, m in sorted(units)]
    store = Store.create(root)
    with RootLock(root, "test") as lock:
        adds = [write_rows(root, TABLES[t], p, rows) for (p, t), rows in files.items()]
        store.begin(lock).commit(adds, ledger_rows=ledger)
    return store


def clip(name: str, medium: str, start: float, end: float) -> tuple[str, str, str, dict[str, Any]]:
    values = {"clip_id": name, "start_s": start, "end_s": end, "policy": "shot"}
    return ("cut", medium, "clips", values)


def span(producer: str, medium: str, table: str, start: float, end: float, **more: Any) -> Any:
    return (producer, medium, table, {"start_s": start, "end_s": end, **more})


BOX = {"x1": 0.0, "y1": 0.0, "x2": 0.5, "y2": 0.5}
WORLD: World = [
    ("probe", "m1", "media", {
        "kind": "video", "duration_s": 40.0, "fps": 25.0, "audio_codec": "aac", "title": "a.mp4",
        "user_json": '{"place": "x", "day": 1}',
    }),
    ("probe", "m2", "media", {"kind": "video", "duration_s": 5.0, "title": "b.mp4"}),
    clip("c1", "m1", 8.0, 12.0),
    clip("c2", "m1", 12.0, 32.0),
    ("cut", "m1", "clips", {"clip_id": "c0", "start_s": 0.0, "end_s": 40.0, "policy": "whole", "user_json": '{"day": 2}'}),
    clip("c3", "m2", 0.0, 5.0),
    *(("sig", "m1", "signals", {"t_s": t, "luma": t, "motion": None if t == 8 else 0.5, "camera": c, "black": t > 9})
      for t, c in ((7.0, "static"), (8.0, "unknown"), (9.0, "static"), (11.0, "pan_left"), (12.0, "static"))),
    span("cuts", "m1", "shots", 0.0, 12.0), span("cuts", "m1", "shots", 12.0, 40.0),
    span("cuts2", "m1", "shots", 0.0, 40.0),
    span("asr", "m1", "speech", 7.0, 9.0, text="a", confidence=0.5, origin="recognised"),
    span("asr", "m1", "speech", 8.5, 10.0, text="b", confidence=1.0, origin="recognised"),
    span("subs", "m1", "speech", 0.0, 40.0, text="c", origin="sidecar"),
    span("asr", "m1", "words", 7.9, 8.2, word="early", position=0),
    span("asr", "m1", "words", 8.5, 8.9, word="inside", position=1),
    span("ocr", "m1", "text_regions", 0.0, 10.0, text="SIGN", **BOX),
    *(("clip", "m1", "clip_scores", {"t_s": t, "until_s": u, "name": n, "prompt": n, "model": "x", "value": v})
      for t, u, n, v in ((6.0, 9.0, "cat", 1.0), (9.0, 30.0, "cat", 0.2), (6.0, 9.0, "dog", 0.5))),
    ("fn", "m1", "measurements", {"t_s": 9.0, "name": "heat", "value": 3.0}),
    ("fn", "m1", "measurements", {"t_s": 11.0, "name": "heat", "value": 5.0}),
    span("note", "m1", "captions", 0.0, 40.0, level="medium", text="a thing", model="manifest"),
    ("dup", "m1", "duplicates", {"clip_id": "c1", "duplicate_group": "c1", "members": 2, "is_duplicate": False}),
    ("select", "m1", "selection", {"clip_id": "c1", "recipe": "r", "kept": True}),
    ("select", "m1", "selection", {"clip_id": "c2", "recipe": "r", "kept": False, "rule": "dark"}),
]  # fmt: skip


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    store = build(tmp_path_factory.mktemp("world") / "root", WORLD, looked=(("asr", "m2"),))
    with Catalog(store) as opened:
        yield opened


def one(catalog: Catalog, clip_id: str) -> dict[str, Any]:
    rows = catalog.rows("SELECT * FROM clip_view WHERE clip_id = ?", [clip_id])
    assert len(rows) == 1
    return rows[0]


def test_frames_count_where_the_clip_is(catalog: Catalog) -> None:
    c1 = one(catalog, "c1")
    assert (c1["signals"], c1["luma_mean"]) == (3, pytest.approx(28 / 3))
    assert c1["black_share"] == pytest.approx(1 / 3)
    assert c1["motion_mean"] == 0.5
    assert c1["camera_static_share"] == 0.5  # the frame of unknown motion does not count
    assert c1["contrast_mean"] is None


def test_speech_is_the_union_of_recognised_segments(catalog: Catalog) -> None:
    c1 = one(catalog, "c1")
    assert c1["speech_share"] == 0.5
    assert c1["speech_confidence"] == pytest.approx((0.5 * 1.0 + 1.0 * 1.5) / 2.5)
    assert (c1["words"], c1["words_per_s"]) == (1, 0.25)


def test_text_area_is_weighted_by_time(catalog: Catalog) -> None:
    c1 = one(catalog, "c1")
    assert (c1["text_regions"], c1["text_area"]) == (1, 0.125)


def test_scores_are_weighted_by_the_time_that_a_picture_stands(catalog: Catalog) -> None:
    c1 = one(catalog, "c1")
    assert c1["scores"] == {"cat": pytest.approx((1.0 * 1 + 0.2 * 3) / 4), "dog": 0.5}
    assert c1["scores_max"] == {"cat": 1.0, "dog": 0.5}
    assert one(catalog, "c2")["scores"] == {"cat": pytest.approx(0.2)}
    assert c1["measured"] == {"heat": 4.0}
    assert catalog.rows("SELECT clip_id FROM clip_view WHERE scores['dog'] > 0.1 ORDER BY 1") == [
        {"clip_id": "c0"}, {"clip_id": "c1"},
    ]  # fmt: skip


def test_the_detector_that_sees_most_shots_counts(catalog: Catalog) -> None:
    assert [one(catalog, c)["shots"] for c in ("c0", "c1", "c2")] == [2, 1, 1]


def test_zero_needs_somebody_who_looked(catalog: Catalog) -> None:
    c2, c3 = one(catalog, "c2"), one(catalog, "c3")
    assert (c2["words"], c2["speech_share"], c2["text_regions"], c2["text_area"]) == (0, 0, 0, 0)
    assert (c3["words"], c3["words_per_s"], c3["speech_share"]) == (0, 0, 0)  # heard, nothing said
    assert (c3["text_regions"], c3["text_area"], c3["shots"], c3["captions"]) == (None, None, None, None)
    assert (c2["speech_confidence"], c3["motion_mean"], c3["scores"], c3["is_duplicate"]) == (None,) * 4


def test_a_producer_that_never_found_anything_counts_once_it_is_known(catalog: Catalog, tmp_path: Path) -> None:
    world: World = [clip("c", "m", 0.0, 5.0)]
    store = build(tmp_path / "root", world, looked=(("ocr", "m"),))
    question = "SELECT text_regions, words FROM clip_view"
    with Catalog(store) as unknown:
        assert unknown.rows(question) == [{"text_regions": None, "words": None}]
    with Catalog(store, producers={"ocr": ["text_regions"]}) as known:
        assert known.rows(question) == [{"text_regions": 0, "words": None}]


def test_a_clip_carries_its_medium_and_its_user_columns(catalog: Catalog) -> None:
    c0, c1, c3 = (one(catalog, c) for c in ("c0", "c1", "c3"))
    assert (c1["title"], c1["fps"], c1["media_duration_s"], c1["duration_s"]) == ("a.mp4", 25.0, 40.0, 4.0)
    assert (c1["has_audio"], c3["has_audio"]) == (True, False)
    assert c0["user_json"].replace(" ", "") == '{"place":"x","day":2}'
    assert c3["user_json"] is None


def test_kept_clips_and_videos(catalog: Catalog) -> None:
    assert catalog.rows("SELECT recipe, clip_id, duration_s FROM kept_clips") == [
        {"recipe": "r", "clip_id": "c1", "duration_s": 4.0}
    ]
    assert catalog.rows("SELECT media_id FROM videos ORDER BY 1") == [{"media_id": "m1"}, {"media_id": "m2"}]


@pytest.mark.parametrize(
    "query",
    [
        "DROP VIEW clips",
        "COPY clips TO 'x.csv'",
        "SELECT 1; SELECT 2",
        "",
        "SET threads = 1",
        "PRAGMA disable_profiling",
    ],
)
def test_queries_only_read(catalog: Catalog, query: str) -> None:
    with pytest.raises(QueryError, match="one statement that reads"):
        catalog.sql(query)


@pytest.mark.parametrize(
    "query", ["DESCRIBE clips", "SUMMARIZE clips", "SHOW TABLES", "EXPLAIN SELECT 1", "FROM clips"]
)
def test_every_way_of_reading_is_open(catalog: Catalog, query: str) -> None:
    assert catalog.rows(query)


def test_a_wrong_name_lists_close_ones(catalog: Catalog) -> None:
    with pytest.raises(QueryError, match="clip_view"):
        catalog.sql("SELECT * FROM clip_vew")
    with pytest.raises(QueryError, match=r"sharpness_p10 \(in clip_view\)"):
        catalog.sql("SELECT sharpnes_p10 FROM clip_view")


def test_results_come_as_arrow_too(catalog: Catalog) -> None:
    assert catalog.arrow("SELECT count(*) AS n FROM clips WHERE policy = $p", {"p": "shot"}).to_pylist() == [{"n": 3}]


def test_an_embedding_view_searches_by_similarity(tmp_path: Path) -> None:
    world: World = [
        ("e", "m", "embeddings", {"t_s": t, "model": "tiny/v1", "dimension": 2, "vector": v})
        for t, v in ((0.0, [1.0, 0.0]), (1.0, [0.6, 0.8]))
    ]
    with Catalog(build(tmp_path / "root", world)) as catalog:
        view = catalog.embedding_view("tiny/v1")
        best = catalog.rows(
            f"SELECT t_s FROM {view} ORDER BY array_cosine_similarity(vector, $1::FLOAT[2]) DESC LIMIT 1", [[0.0, 1.0]]
        )
        assert best == [{"t_s": 1.0}]
        with pytest.raises(QueryError, match="there are: tiny/v1"):
            catalog.embedding_view("other")


second = st.integers(0, 30).map(float)
spans = st.lists(st.tuples(second, st.integers(1, 30).map(float)), min_size=1, max_size=6)


@settings(max_examples=6, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(spans, spans)
def test_time_buckets_pair_each_clip_and_row_once(
    tmp_path_factory: pytest.TempPathFactory, clips: list[tuple[float, float]], rows: list[tuple[float, float]]
) -> None:
    world = [clip(f"c{i}", "m", s, s + d) for i, (s, d) in enumerate(clips)]
    world += [
        span("ocr", "m", "text_regions", s, s + d, text=str(i), x1=0.0, y1=0.0, x2=0.1, y2=0.1)
        for i, (s, d) in enumerate(rows)
    ]
    with Catalog(build(tmp_path_factory.mktemp("w") / "root", world)) as catalog:
        found = {r["clip_id"]: r for r in catalog.rows("SELECT clip_id, text_regions, text_area FROM clip_view")}
    for i, (start, length) in enumerate(clips):
        overlaps = [min(start + length, s + d) - max(start, s) for s, d in rows]
        shared = [o for o in overlaps if o > 0]
        assert found[f"c{i}"]["text_regions"] == len(shared)
        assert found[f"c{i}"]["text_area"] == pytest.approx(0.01 * sum(shared) / length)
