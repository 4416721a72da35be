"""When the next request may start: rates per minute, what endpoints say in headers, busy endpoints."""

from __future__ import annotations

import asyncio
import math
from datetime import UTC, datetime

import pytest
from chronotope.engine.llm.headers import allowance, duration_s, retry_after_s
from chronotope.engine.llm.limits import Account, Pace, Rate, strictest
from chronotope.engine.llm.settings import Limits

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("6m0s", 360.0),
        ("20ms", 0.02),
        ("2m59.56s", 179.56),
        ("1h0m1s", 3601.0),
        ("1.5", 1.5),
        ("0", 0.0),
        (str(int(NOW.timestamp()) + 30), 30.0),
        (str((int(NOW.timestamp()) + 30) * 1000), 30.0),
        ("Thu, 01 Jan 2026 12:00:10 GMT", 10.0),
        ("Thu, 01 Jan 2026 11:00:00 GMT", 0.0),
        ("2026-01-01T12:00:05Z", 5.0),
        ("soon", None),
        ("-3", None),
        ("6x", None),
    ],
)
def test_times_in_headers_are_read_in_every_form(said: str, seconds: float | None) -> None:
    assert duration_s(said, NOW) == (None if seconds is None else pytest.approx(seconds))


def test_milliseconds_are_preferred_to_rounded_seconds() -> None:
    assert retry_after_s({"retry-after-ms": "120", "retry-after": "1"}) == pytest.approx(0.12)
    assert retry_after_s({"retry-after-ms": "soon", "retry-after": "1"}) == 1.0
    assert retry_after_s({}) is None


def test_an_account_without_a_reset_is_no_account() -> None:
    assert allowance({"x-ratelimit-remaining-tokens": "5"}, "tokens") is None
    said = {"x-ratelimit-remaining-tokens": "5", "x-ratelimit-reset-tokens": "2s", "x-ratelimit-limit-tokens": "100"}
    assert allowance(said, "tokens") == (5.0, 2.0, 100.0)


@pytest.mark.parametrize("per_minute", [1, 7, 60, 500, 6_000])
def test_no_minute_holds_more_requests_than_the_limit(per_minute: int) -> None:
    rate, now, starts = Rate(per_minute), 0.0, []
    for k in range(3 * per_minute + 2):
        now += rate.wait_s(now) + 0.001 * (k % 3)
        rate.take(1, now)
        starts.append(now)
    for first in range(0, len(starts), max(1, per_minute // 5)):
        assert sum(starts[first] <= t < starts[first] + 60 for t in starts) <= per_minute
    assert starts[-1] <= 60 * (len(starts) / per_minute) * 1.01 + 1


def test_tokens_that_were_not_taken_come_back() -> None:
    rate = Rate(6_000)
    rate.take(3_000, 0.0)
    waiting = rate.wait_s(0.0)
    rate.take(-2_900, 0.0)
    assert waiting == pytest.approx(30, rel=0.02)
    assert rate.wait_s(0.0) == pytest.approx(1, abs=0.3)


def test_what_remains_counts_those_that_started_since() -> None:
    account = Account()
    account.taken = 10.0
    account.hear(turn=7, taken=7.0, said=(5.0, 20.0, 60.0), now=100.0)
    assert account.wait_s(1, 101.0) == 0.0
    account.taken = 12.0
    assert account.wait_s(1, 101.0) == pytest.approx(19.0)
    account.hear(turn=6, taken=6.0, said=(59.0, 1.0, 60.0), now=101.0)
    assert account.wait_s(1, 101.0) == pytest.approx(19.0), "an older reply knows less"
    assert account.wait_s(1, 121.0) == 0.0
    account.taken = 12.0 + 60.0
    assert math.isinf(account.wait_s(1, 122.0)), "after the reset as many may start as the limit says"


def test_requests_start_in_order_and_never_more_than_places() -> None:
    async def run() -> tuple[list[int], int]:
        pace, started, most = Pace(Limits(concurrency=3)), [], 0

        async def one(number: int) -> None:
            nonlocal most
            turn = await pace.enter(10)
            started.append(number)
            most = max(most, pace.in_flight)
            await asyncio.sleep(0.001)
            pace.leave(turn, 10)

        await asyncio.gather(*(one(n) for n in range(20)))
        return started, most

    assert asyncio.run(run()) == (list(range(20)), 3)


def test_a_busy_endpoint_pauses_everybody_and_gets_fewer_places_which_come_back() -> None:
    async def run() -> tuple[float, float, float, float]:
        pace = Pace(Limits(concurrency=20))
        loop = asyncio.get_running_loop()
        pace.busy(0.1)
        pace.busy(0.1)
        cut, began = pace.places, loop.time()
        turn = await pace.enter(1)
        waited = loop.time() - began
        pace.leave(turn, 1)
        for _ in range(10):
            pace.succeeded()
        better = pace.places
        for _ in range(100):
            pace.succeeded()
        return cut, waited, better, pace.places

    cut, waited, better, whole = asyncio.run(run())
    assert cut == pytest.approx(14), "one cut for all that were told at the same time"
    assert waited >= 0.09
    assert cut < better < whole == 20


def test_a_reset_far_away_is_not_waited_for() -> None:
    async def run() -> float:
        pace = Pace(Limits(concurrency=2, longest_pause_s=0.1))
        turn = await pace.enter(1)
        pace.leave(turn, 1, {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"})
        began = asyncio.get_running_loop().time()
        await pace.enter(1)
        return asyncio.get_running_loop().time() - began

    assert 0.08 <= asyncio.run(run()) < 2


def test_roles_that_share_an_endpoint_share_the_smallest_limits() -> None:
    merged = strictest([Limits(concurrency=8, tokens_per_minute=500), Limits(concurrency=4, requests_per_minute=9)])
    assert (merged.concurrency, merged.tokens_per_minute, merged.requests_per_minute) == (4, 500, 9)
