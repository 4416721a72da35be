"""Groups: whatever shares footage lands in one split, and nothing else decides it."""

from __future__ import annotations

from collections import Counter

import pytest
from chronotope.annotators.temporal.groups import Groups, GroupsParams
from chronotope.engine.annotator import Rows, Unit
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError


def media(media_id: str, group_id: str | None = None, official: str | None = None) -> dict:
    return {
        "media_id": media_id,
        "group_id": group_id or media_id,
        "official_split": official,
        "title": f"{media_id}.mp4",
    }


def sample(sample_id: str, *media_ids: str, pair_id: str | None = None) -> dict:
    return {"sample_id": sample_id, "media": [{"media_id": m} for m in media_ids], "pair_id": pair_id}


def run(params: GroupsParams | None = None, seed: int = 0, **tables) -> dict[str, tuple[str, str]]:
    unit = Unit("corpus", "corpus", None, "r", seed)
    rows = Groups(params or GroupsParams()).annotate(unit, Rows(tables))
    return {r["sample_id"]: (r["group_id"], r["split"]) for _, r in rows}


ids = st.integers(0, 15).map(lambda i: f"m{i:02d}")


@given(
    st.lists(st.tuples(ids, st.integers(0, 6)), max_size=12),
    st.lists(st.tuples(ids, ids), max_size=6),
    st.lists(st.tuples(ids, ids), max_size=6),
    st.randoms(use_true_random=False),
)
def test_linked_footage_shares_a_split_and_order_does_not_matter(duplicates, edits, pairs, random) -> None:
    tables = {
        "media": [media(f"m{i:02d}") for i in range(16)],
        "duplicates": [{"media_id": m, "duplicate_group": f"d{g}"} for m, g in duplicates],
        "edits": [{"media_id": a, "source_media_id": b} for a, b in edits],
        "samples": [sample(f"s{i}", m) for i, m in enumerate(f"m{i:02d}" for i in range(16))]
        + [sample(f"p{i}{k}", m, pair_id=f"p{i}") for i, pair in enumerate(pairs) for k, m in enumerate(pair)],
    }
    found = run(**tables)
    for a, b in [*edits, *pairs]:
        assert found[f"s{int(a[1:])}"] == found[f"s{int(b[1:])}"]
    for m, g in duplicates:
        other = next(n for n, h in duplicates if h == g)
        assert found[f"s{int(m[1:])}"] == found[f"s{int(other[1:])}"]
    for rows in tables.values():
        random.shuffle(rows)
    assert run(**tables) == found


def test_a_channel_of_the_manifest_stays_together() -> None:
    found = run(
        media=[media("a", "news"), media("b", "news"), media("c")],
        samples=[sample("1", "a"), sample("2", "b"), sample("3", "c")],
    )
    assert found["1"] == found["2"] and found["1"][0] == "a" and found["3"][0] == "c"


def test_the_shares_are_kept_and_the_seed_moves_them() -> None:
    names = [f"m{i}" for i in range(2000)]
    tables = {"media": [media(m) for m in names], "samples": [sample(m, m) for m in names]}
    params = GroupsParams(train=0.8, validation=0.15, test=0.05)
    first = run(params, **tables)
    counts = Counter(split for _, split in first.values())
    assert abs(counts["train"] / 2000 - 0.8) < 0.04 and abs(counts["test"] / 2000 - 0.05) < 0.02
    assert run(params, seed=1, **tables) != first


def test_footage_added_later_moves_nothing() -> None:
    few = {"media": [media("a"), media("b")], "samples": [sample("1", "a"), sample("2", "b")]}
    more = {"media": [*few["media"], media("c")], "samples": [*few["samples"], sample("3", "c")]}
    assert run(**more).items() >= run(**few).items()


def test_an_official_split_stands_for_the_whole_group() -> None:
    found = run(
        media=[media("a", official="val"), media("b")],
        edits=[{"media_id": "b", "source_media_id": "a"}],
        samples=[sample("1", "a"), sample("2", "b")],
    )
    assert {split for _, split in found.values()} == {"validation"}


def test_contradicting_official_splits_are_an_error_or_the_strictest_wins() -> None:
    tables = {
        "media": [media("a", "g", "train"), media("b", "g", "test")],
        "samples": [sample("1", "a"), sample("2", "b")],
    }
    with pytest.raises(ValueError, match=r"a\.mp4 is officially in train and b\.mp4 in test.*strictest"):
        run(**tables)
    strict = run(GroupsParams(on_conflict="strictest"), **tables)
    assert {split for _, split in strict.values()} == {"test"}


def test_shares_and_split_names_are_checked() -> None:
    with pytest.raises(ValidationError, match=r"add up to 1\.1"):
        GroupsParams(train=1.0)
    with pytest.raises(ValueError, match="official_split 'holdout' is unknown"):
        run(media=[media("a", official="holdout")], samples=[sample("1", "a")])
