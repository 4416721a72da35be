"""The record of calls: what is in it survives, goes to the table once, and comes back from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from chronotope.engine.llm.record import COLUMNS, CallRecord, RecordError


def call(request_hash: str, **values: Any) -> dict[str, Any]:
    return dict.fromkeys(COLUMNS) | {"request_hash": request_hash, "status": "ok", "reply": "{}"} | values


def test_a_call_is_there_for_the_next_process(tmp_path: Path) -> None:
    with CallRecord(tmp_path / "calls.sqlite") as record:
        record.put(call("a", reply='{"text": "ünï"}', cost=0.25, tries=2))
    with CallRecord(tmp_path / "calls.sqlite") as record:
        row = record.get("a")
        assert row is not None
        assert (row["reply"], row["cost"], row["tries"], row["batch"]) == ('{"text": "ünï"}', 0.25, 2, None)
        assert record.get("b") is None
        assert record.count() == 1


def test_new_calls_are_handed_out_until_they_are_committed(tmp_path: Path) -> None:
    with CallRecord(tmp_path / "calls.sqlite") as record:
        for name in "abc":
            record.put(call(name))
        assert [r["request_hash"] for r in record.uncommitted(2)] == ["a", "b"]
        record.mark_committed(["a", "b"])
        assert [r["request_hash"] for r in record.uncommitted(9)] == ["c"]


def test_a_call_that_was_asked_again_meanwhile_stays_uncommitted(tmp_path: Path) -> None:
    with CallRecord(tmp_path / "calls.sqlite") as driver, CallRecord(tmp_path / "calls.sqlite") as loop:
        loop.put(call("a", status="error"))
        assert len(driver.uncommitted(9)) == 1
        loop.put(call("a", status="ok"))
        driver.mark_committed(["a"])
        assert [r["status"] for r in driver.uncommitted(9)] == ["ok"]


def test_what_an_earlier_call_took_is_added_unless_the_table_has_it(tmp_path: Path) -> None:
    with CallRecord(tmp_path / "calls.sqlite") as record:
        record.put(call("a", status="error", tries=3, cost=0.5))
        record.put(call("a", status="error", tries=2, cost=0.25))
        (row,) = record.uncommitted(9)
        assert (row["tries"], row["cost"]) == (5, 0.75)
        record.mark_committed(["a"])
        record.put(call("a", tries=1, cost=0.125))
        (row,) = record.uncommitted(9)
        assert (row["tries"], row["cost"]) == (1, 0.125)


def test_calls_of_the_table_count_as_committed_and_do_not_hide_newer_ones(tmp_path: Path) -> None:
    with CallRecord(tmp_path / "calls.sqlite") as record:
        record.put(call("a", reply="new"))
        record.load([call("a", reply="old"), call("b")])
        a = record.get("a")
        assert a is not None and a["reply"] == "new"
        assert [r["request_hash"] for r in record.uncommitted(9)] == ["a"]
        assert record.count() == 2


def test_what_an_endpoint_supports_is_remembered(tmp_path: Path) -> None:
    with CallRecord(tmp_path / "calls.sqlite") as record:
        record.remember("http://h:1", "m", "structured", "tool")
        record.remember("http://h:1", "m", "structured", "prompt")
    with CallRecord(tmp_path / "calls.sqlite") as record:
        assert record.habit("http://h:1", "m", "structured") == "prompt"
        assert record.habit("http://h:1", "other", "structured") is None


def test_a_file_that_is_no_record_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "calls.sqlite").write_text("nonsense " * 999)
    with pytest.raises(RecordError, match="move it away"):
        CallRecord(tmp_path / "calls.sqlite")
