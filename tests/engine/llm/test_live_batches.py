"""Batch mode against a real server: one file instead of many requests, and nothing is submitted twice, whatever happens."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from asking_models import REPLIES, asking, calls, question, role
from chronotope.engine.llm.batch import BatchEnded
from chronotope.engine.llm.errors import BudgetSpent, EndpointRefuses, ReplyRejected
from chronotope.engine.llm.settings import ModelSettings
from model_server import Abilities, Fault, ModelServer, storm

PRICE = {"input_per_million": 1.0, "output_per_million": 4.0, "batch_discount": 0.5}


@pytest.fixture
def server() -> Any:
    with ModelServer(replies=REPLIES, batch_s=0.1) as running:
        yield running


def batched(url: str, **values: Any) -> ModelSettings:
    return role(url, mode="batch", batch_gather_s=0.1, batch_poll_s=0.05, **values)


async def all_of(live: Any, count: int) -> list[str]:
    async def one(number: int) -> str:
        try:
            answered = await live.ask(question(number))
            return "cached" if answered.cached else "repaired" if answered.repaired else "asked"
        except (ReplyRejected, BatchEnded) as error:
            return getattr(error, "kind", type(error).__name__)

    done: list[str] = await live.each(range(count), one)
    return done


def test_questions_go_out_as_one_batch_at_its_price(server: ModelServer, tmp_path: Path) -> None:
    async def run() -> list[str]:
        async with asking(tmp_path, batched(server.url, price=PRICE)) as live:
            return await all_of(live, 40)

    assert asyncio.run(run()) == ["asked"] * 40
    assert len(server.batches.batches) == 1
    assert asyncio.run(run()) == ["cached"] * 40
    rows, log = calls(tmp_path), server.requests
    assert {r["batch"] for r in rows} == set(server.batches.batches)
    assert sum(r["cost"] for r in rows) == pytest.approx((log.prompt_tokens + 4 * log.reply_tokens) / 2e6)
    assert not list(tmp_path.rglob("*.jsonl")), "what was uploaded is not kept"


def test_batches_have_at_most_so_many_requests(server: ModelServer, tmp_path: Path) -> None:
    async def run() -> list[str]:
        async with asking(tmp_path, batched(server.url, batch_max_requests=16)) as live:
            return await all_of(live, 40)

    assert asyncio.run(run()) == ["asked"] * 40
    assert [b["request_counts"]["total"] for b in server.batches.batches.values()] == [16, 16, 8]


def test_every_line_ends_with_its_reason(server: ModelServer, tmp_path: Path) -> None:
    server.faults = storm(0.5, ["error_500", "rate_limited", "malformed", "refusal", "truncated", "disconnect_before"])

    async def run() -> list[str]:
        async with asking(tmp_path, batched(server.url)) as live:
            return await all_of(live, 60)

    ends = asyncio.run(run())
    assert {"asked", "repaired", "refused", "BatchEnded"} == set(ends)
    rows = calls(tmp_path)
    assert len(rows) == 60
    assert all(r["reason"] for r in rows if r["status"] in ("error", "refused"))
    assert asyncio.run(run()).count("BatchEnded") == 0, "lines that ended without a reply are submitted again"
    assert max(server.requests.by_digest.values()) <= 2


def test_a_batch_that_fails_or_is_cancelled_says_so(server: ModelServer, tmp_path: Path) -> None:
    server.settings.batch_s = 30.0

    async def run() -> None:
        async with asking(tmp_path, batched(server.url)) as live:
            asked = asyncio.create_task(live.ask(question()))
            while not server.batches.batches:
                await asyncio.sleep(0.02)
            next(iter(server.batches.batches.values()))["status"] = "expired"
            await asked

    with pytest.raises(BatchEnded, match=r"batch batch_0000\w+ expired without a reply"):
        asyncio.run(run())
    (row,) = calls(tmp_path)
    assert (row["status"], row["tries"]) == ("error", 0)


def test_an_endpoint_without_batches_refuses(server: ModelServer, tmp_path: Path) -> None:
    server.abilities = Abilities(batch=False)

    async def run() -> None:
        async with asking(tmp_path, batched(server.url)) as live:
            await live.ask(question())

    with pytest.raises(EndpointRefuses, match="404: Invalid URL"):
        asyncio.run(run())


def test_a_way_that_is_refused_in_a_batch_is_given_up_for_a_looser_one(server: ModelServer, tmp_path: Path) -> None:
    server.abilities = Abilities(json_schema="refused")

    async def run() -> list[str]:
        async with asking(tmp_path, batched(server.url)) as live:
            return await all_of(live, 5)

    assert asyncio.run(run()) == ["asked"] * 5
    assert {r["structured"] for r in calls(tmp_path)} == {"tool"}


def test_the_budget_holds_for_batches_too(server: ModelServer, tmp_path: Path) -> None:
    async def run() -> int:
        async with asking(tmp_path, batched(server.url), budget={"requests": 7}) as live:
            spent = 0

            async def one(number: int) -> None:
                nonlocal spent
                try:
                    await live.ask(question(number))
                except BudgetSpent:
                    spent += 1

            await live.each(range(20), one)
            return spent

    assert asyncio.run(run()) == 13
    assert server.requests.count == 7


CHILD = """
import asyncio, sys
from pathlib import Path
from asking_models import asking, question, role

async def run(folder, url):
    settings = role(url, mode="batch", batch_gather_s=0.1, batch_poll_s=0.05)
    async with asking(Path(folder), settings) as live:
        await live.each(range(30), lambda n: live.ask(question(n)))

asyncio.run(run(*sys.argv[1:]))
"""


def test_a_killed_build_collects_what_it_submitted(server: ModelServer, tmp_path: Path) -> None:
    server.settings.batch_s = 1.0
    server.faults = (Fault("malformed", 0.3, False),)
    lib = str(Path(__file__).parents[2] / "lib")
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path), server.url], env={**os.environ, "PYTHONPATH": lib}
    )
    while not server.batches.batches:
        assert child.poll() is None
        time.sleep(0.02)
    time.sleep(0.3)
    child.send_signal(signal.SIGKILL)
    child.wait()

    async def run() -> list[str]:
        async with asking(tmp_path, batched(server.url)) as live:
            return await all_of(live, 30)

    ends = asyncio.run(run())
    assert set(ends) == {"asked", "repaired"}
    assert server.requests.count == 30 + ends.count("repaired"), "no line was worked on twice"
    assert len(calls(tmp_path)) == 30


def test_a_batch_whose_identifier_never_arrived_is_found_again(server: ModelServer, tmp_path: Path) -> None:
    async def first() -> None:
        async with asking(tmp_path, batched(server.url)) as live:
            work = asyncio.create_task(all_of(live, 10))
            while not server.batches.batches:
                await asyncio.sleep(0.01)
            work.cancel()

    server.settings.batch_s = 0.6
    asyncio.run(first())
    from chronotope.engine.llm.record import CallRecord

    with CallRecord(tmp_path / "calls.sqlite") as record:
        record.db.execute("UPDATE batches SET batch = NULL")

    async def second() -> list[str]:
        async with asking(tmp_path, batched(server.url)) as live:
            return await all_of(live, 12)

    assert asyncio.run(second()) == ["asked"] * 12
    assert [b["request_counts"]["total"] for b in server.batches.batches.values()] == [10, 2]
