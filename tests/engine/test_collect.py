"""Packets of a media wave arrive in any order; units are finished once, with all their rows, or failed without any."""

from __future__ import annotations

from chronotope.engine.collect import Collector
from chronotope.engine.files import DataFile
from chronotope.engine.media_work import Ended, Looked, Written
from chronotope.engine.ray_waves import Attempts
from chronotope.engine.results import Outcome, PassReceipt, UnitKey
from hypothesis import given
from hypothesis import strategies as st

FRAME = UnitKey("signals", "m1", "m1", "medium", "f1")
BATCH = UnitKey("text_regions", "m1", "m1", "medium", "f2")
BROKEN = UnitKey("shots", "m1", "m1", "medium", "f3")


def file(key: UnitKey, number: int, rows: int) -> Written:
    digest = f"{number + 1:064x}"
    data = DataFile("signals", f"{number}.parquet", 100, rows, "{}", key.producer, {key.unit: rows}, {key.unit: digest})
    return Written(key.producer, key.unit, data)


PACKETS = (
    file(FRAME, 0, 40),
    file(FRAME, 1, 2),
    Ended(FRAME, Outcome(), rows=42, seconds=1.0),
    file(BATCH, 2, 3),
    file(BATCH, 3, 4),
    Looked("text_regions", "m1", 32, 3, 0.5, 2),
    Looked("text_regions", "m1", 8, 4, 0.5, 1),
    Ended(BATCH, Outcome(), pictures=40),
    file(BROKEN, 4, 5),
    Ended(BROKEN, Outcome("failed", error="no", error_kind="permanent")),
    PassReceipt(10.0, 10.0, "m1"),
)


@given(st.permutations(PACKETS))
def test_any_order_of_packets_gives_the_same_units(packets: list[object]) -> None:
    collector = Collector()
    finished = [result for packet in packets for result in collector.take(packet)]  # type: ignore[arg-type]
    by_producer = {r.key.producer: r for r in finished}
    assert len(finished) == len(by_producer) == 3
    assert (by_producer["signals"].rows, len(by_producer["signals"].files)) == (42, 2)
    assert by_producer["signals"].digest == f"{3:064x}"
    assert (by_producer["text_regions"].rows, by_producer["text_regions"].model_calls) == (7, 3)
    assert by_producer["shots"].outcome.status == "failed"
    assert by_producer["shots"].files == [] and by_producer["shots"].rows == 0
    assert collector.unfinished() == [] and collector.source_s == 10.0


def test_a_unit_with_pictures_missing_is_not_finished() -> None:
    collector = Collector()
    packets = (Ended(BATCH, Outcome(), pictures=40), Looked("text_regions", "m1", 39, 0, 0.1, 1))
    assert [r for p in packets for r in collector.take(p)] == []
    assert collector.unfinished() == [("text_regions", "m1")]


def test_work_that_killed_two_workers_is_not_begun_again(tmp_path) -> None:
    first, second, third = (Attempts(str(tmp_path), "run") for _ in range(3))
    assert first.begin("media", "m1") is not None
    mark = second.begin("media", "m1")
    assert mark is not None
    assert third.begin("media", "m1") is None
    assert third.begin("media", "m2") is not None
    second.end(mark)
    assert third.begin("media", "m1") is not None
    assert Attempts(str(tmp_path), "another run").begin("media", "m1") is not None
