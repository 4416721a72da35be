"""Digests tell equal sets of rows from different ones, whatever their order, batches or files."""

from __future__ import annotations

from typing import Any

import pytest
from chronotope.engine.digest import RowDigest, digests_by_unit, merge_hex
from chronotope.engine.files import to_arrow
from chronotope.schemas.tables import LEDGER, TABLES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

QUICK = settings(
    max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
EMBEDDINGS = TABLES["embeddings"]
text = st.none() | st.text(max_size=4)
number = st.none() | st.floats(allow_nan=True)
vector = st.none() | st.lists(st.floats(width=32, allow_nan=False), max_size=3)
row = st.fixed_dictionaries(
    {"producer": text, "unit": st.sampled_from("ab"), "model": text, "t_s": number, "vector": vector}
)


def digest(rows: list[dict[str, Any]]) -> str:
    return RowDigest(EMBEDDINGS).add(rows).hex()


@QUICK
@given(st.lists(row, max_size=6), st.randoms(use_true_random=False), st.integers(0, 6))
def test_order_and_partition_do_not_matter(rows: list[dict[str, Any]], random: Any, cut: int) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    parts = RowDigest(EMBEDDINGS).add(shuffled[:cut]).merge(RowDigest(EMBEDDINGS).add(shuffled[cut:]))
    assert parts.hex() == digest(rows)
    by_unit = digests_by_unit(EMBEDDINGS, to_arrow(EMBEDDINGS, rows))
    assert merge_hex(by_unit.values()) == digest(rows)


@QUICK
@given(row, row)
def test_different_rows_have_different_digests(first: dict[str, Any], second: dict[str, Any]) -> None:
    same = sorted(map(repr, normal(first).items())) == sorted(map(repr, normal(second).items()))
    assert (digest([first]) == digest([second])) == same


def normal(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"t_s": None if row["t_s"] is None else row["t_s"] + 0.0}


def test_no_rows_give_zeros() -> None:
    assert digest([]) == "0" * 64 == merge_hex([])


def test_a_row_counts_as_often_as_it_is_there() -> None:
    one = {"unit": "a", "t_s": 1.0}
    assert len({digest([]), digest([one]), digest([one, one])}) == 3


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ({"t_s": None}, {"t_s": 0.0}),
        ({"model": None}, {"model": ""}),
        ({"model": "x", "producer": ""}, {"model": "", "producer": "x"}),
        ({"t_s": 1.0}, {"until_s": 1.0}),
        ({"t_s": 0.1}, {"t_s": 0.1 + 2**-56}),
        ({"vector": []}, {"vector": None}),
    ],
)
def test_neighbouring_values_differ(a: dict[str, Any], b: dict[str, Any]) -> None:
    assert digest([a]) != digest([b])


def test_volatile_columns_do_not_count() -> None:
    a = {"producer": "p", "unit": "u", "status": "done"}
    assert RowDigest(LEDGER).add([a | {"seconds": 1.0, "run_id": "x"}]).hex() == RowDigest(LEDGER).add([a]).hex()
    assert RowDigest(LEDGER).add([a | {"status": "failed"}]).hex() != RowDigest(LEDGER).add([a]).hex()


def test_nested_columns_count() -> None:
    samples = TABLES["samples"]
    one = {"turns": [{"role": "user", "text": "a"}], "needs": ["vision"]}
    other = {"turns": [{"role": "user", "text": "b"}], "needs": ["vision"]}
    assert RowDigest(samples).add([one]).hex() != RowDigest(samples).add([other]).hex()


def test_the_digest_of_given_rows_is_fixed() -> None:
    """A changed digest would make every unit of every dataset stale."""
    rows = [EMBEDDINGS.complete({"t_s": 0.5, "model": "m", "dimension": 2, "vector": [0.6, 0.8]}, "p", "u", "u")]
    assert digest(rows) == "bd57f0658134ccf4561f2e1e646a8d36e14f3173c97cf254e94e8fbea8b971ab"
