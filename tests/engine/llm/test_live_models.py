"""The client against a real server: nothing is paid twice, nothing is taken for data, every end has its reason."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import logging
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from asking_models import REPLIES, HeardReply, asking, calls, question, role
from chronotope.engine.llm.ask import Footage, Still
from chronotope.engine.llm.errors import BudgetSpent, EndpointDown, EndpointRefuses, NoModel, ReplyRejected
from model_faults import KINDS
from model_server import Abilities, Fault, ModelServer, ServerLimits, storm
from PIL import Image


@pytest.fixture
def server() -> Any:
    with ModelServer(replies=REPLIES, keep_bodies=True, slow_s=0.2, huge_bytes=2_000_000) as running:
        yield running


async def outcome(live: Any, ask: Any) -> str:
    try:
        return "cached" if (await live.ask(ask)).cached else "asked"
    except ReplyRejected as error:
        return error.kind


def test_a_question_is_paid_once_across_units_and_runs(server: ModelServer, tmp_path: Path) -> None:
    async def run(number: int) -> list[str]:
        async with asking(tmp_path, role(server.url), run=f"run {number}") as live:
            mine, other = live.of("captions"), live.of("chapters")
            return [
                *await asyncio.gather(*(outcome(mine if k % 2 else other, question(k % 3)) for k in range(9))),
                await outcome(mine, question(0)),
                await outcome(mine, question(0, sample=1)),
            ]

    assert sorted(asyncio.run(run(1))) == ["asked"] * 4 + ["cached"] * 7
    assert asyncio.run(run(2)) == ["cached"] * 11
    assert server.requests.count == 4
    rows = calls(tmp_path)
    assert len(rows) == 4
    assert {r["asked_by"] for r in rows[:3]} == {"captions", "chapters"}
    assert {(r["status"], r["run_id"], r["tries"], r["prompt"], r["schema_name"]) for r in rows} == {
        ("ok", "run 1", 1, "heard@3", "HeardReply")
    }


def test_the_row_says_what_was_paid_and_where(server: ModelServer, tmp_path: Path) -> None:
    price = {"input_per_million": 2.0, "output_per_million": 10.0}

    async def run() -> Any:
        async with asking(tmp_path, role(server.url, price=price, revision="r2")) as live:
            return await live.of("captions").ask(question())

    answered = asyncio.run(run())
    assert answered.value == HeardReply(text="{e1}", loud=False)
    (row,) = calls(tmp_path)
    log = server.requests
    assert (row["prompt_tokens"], row["reply_tokens"]) == (log.prompt_tokens, log.reply_tokens)
    assert row["cost"] == pytest.approx((2 * log.prompt_tokens + 10 * log.reply_tokens) / 1e6)
    assert row["endpoint"] == server.url.removesuffix("/v1")
    assert (row["model"], row["reply"], row["about"]) == ("test-model@r2", answered.raw, "clip 0")
    assert row["predicted_tokens"] == question().prompt_tokens(role(server.url))
    assert answered.request_hash == row["request_hash"]


@pytest.mark.parametrize(
    ("kind", "always", "status", "tries"),
    [
        ("slow", True, "ok", 1),
        ("rate_limited_after", False, "ok", 2),
        ("rate_limited", False, "ok", 2),
        ("error_500", False, "ok", 2),
        ("unavailable_503", False, "ok", 2),
        ("disconnect_before", False, "ok", 2),
        ("disconnect_middle", False, "ok", 2),
        ("malformed", False, "repaired", 2),
        ("wrong_schema", False, "repaired", 2),
        ("empty", False, "repaired", 2),
        ("truncated", False, "repaired", 2),
        ("malformed", True, "malformed", 2),
        ("wrong_schema", True, "wrong_schema", 2),
        ("empty", True, "empty", 2),
        ("truncated", True, "truncated", 2),
        ("refusal", True, "refused", 1),
        ("content_filter", True, "refused", 1),
        ("huge", True, "truncated", 1),
        ("error_500", True, "error", 3),
        ("disconnect_middle", True, "error", 3),
        ("rate_limited_after", True, "error", 3),
    ],
)
def test_every_fault_ends_as_it_should(
    server: ModelServer, tmp_path: Path, kind: Any, always: bool, status: str, tries: int
) -> None:
    server.faults = (Fault(kind, 1.0, always),)

    async def run() -> Any:
        async with asking(tmp_path, role(server.url, limits={"retries": 2})) as live:
            return await live.ask(question())

    if status in ("ok", "repaired"):
        answered = asyncio.run(run())
        assert answered.value.text == "{e1}"
        assert answered.repaired == (status == "repaired")
    else:
        with pytest.raises(EndpointDown if status == "error" else ReplyRejected) as raised:
            asyncio.run(run())
        assert str(raised.value)
    (row,) = calls(tmp_path)
    assert (row["status"], row["tries"], server.requests.count) == (status, tries, tries)
    assert bool(row["reason"]) == (status not in ("ok", "repaired"))
    assert (row["reply"] is None) == (status == "error")
    assert (row["first_reply"] is not None) == (status == "repaired" or (always and tries == 2))


def test_rejected_replies_are_known_and_errors_are_asked_again(server: ModelServer, tmp_path: Path) -> None:
    server.faults = (Fault("wrong_schema", 1.0, True),)

    async def run(name: str, **more: Any) -> list[str]:
        async with asking(tmp_path, role(server.url, limits={"retries": 0}), run=name, **more) as live:
            return [await outcome(live, question(0)), await outcome(live, question(0))]

    assert asyncio.run(run("one")) == ["wrong_schema"] * 2
    assert asyncio.run(run("two")) == ["wrong_schema"] * 2
    assert server.requests.count == 2
    server.faults = ()
    assert asyncio.run(run("three", retry_rejected=True)) == ["asked", "cached"]
    (row,) = calls(tmp_path)
    assert (row["status"], row["tries"]) == ("ok", 3), "what was paid before is not forgotten"

    server.faults = (Fault("error_500", 1.0, True),)

    async def fail() -> None:
        async with asking(tmp_path, role(server.url, limits={"retries": 0})) as live:
            await live.ask(question(1))

    with pytest.raises(EndpointDown, match="500: The server had an error"):
        asyncio.run(fail())
    server.faults = ()
    asyncio.run(fail())
    assert [r["status"] for r in calls(tmp_path)] == ["ok", "ok"]


def test_a_complaint_of_the_asker_starts_one_repair_and_is_never_an_error(server: ModelServer, tmp_path: Path) -> None:
    asked: list[str] = []

    def reply(told: Any) -> dict[str, Any]:
        asked.append(told.user)
        return {"text": "{e9}" if len(asked) == 1 or "clip 1" in told.user else "{e1}", "loud": False}

    server.replies["HeardReply"] = reply

    def complaint(value: HeardReply) -> str:
        return "there is no e9" if "e9" in value.text else ""

    async def run() -> list[Any]:
        async with asking(tmp_path, role(server.url)) as live:
            return [await live.ask(question(n, check=complaint)) for n in (0, 1)]

    first, second = asyncio.run(run())
    assert (first.value.text, first.repaired) == ("{e1}", True)
    assert "there is no e9" in asked[1]
    assert second.value.text == "{e9}", "the asker rejects it by its own rule"
    assert server.requests.count == 4
    assert [r["reason"] for r in calls(tmp_path)] == ["", "still: there is no e9"]


@pytest.mark.parametrize(
    ("abilities", "way", "refusals"),
    [
        ({}, "json_schema", 0),
        ({"json_schema": "refused"}, "tool", 1),
        ({"json_schema": "refused", "tool": "refused"}, "json_object", 2),
        ({"json_schema": "refused", "tool": "refused", "json_object": "refused"}, "prompt", 3),
        ({"json_schema": "ignored"}, "json_schema", 0),
    ],
)
def test_the_strictest_way_that_the_endpoint_knows_is_found_and_remembered(
    server: ModelServer, tmp_path: Path, abilities: dict[str, Any], way: str, refusals: int
) -> None:
    server.abilities = Abilities(**abilities)

    async def run(number: int) -> Any:
        async with asking(tmp_path, role(server.url)) as live:
            return await live.ask(question(number))

    assert asyncio.run(run(0)).value.text == "{e1}"
    assert asyncio.run(run(1)).value.text == "{e1}"
    rows = calls(tmp_path)
    assert [r["structured"] for r in rows] == [way, way]
    repairs = 2 if "ignored" in abilities.values() else 0
    assert server.requests.by_status[400] == refusals
    assert server.requests.count == 2 + refusals + repairs


def test_a_way_that_the_recipe_names_is_kept(server: ModelServer, tmp_path: Path) -> None:
    server.abilities = Abilities(tool="refused")

    async def run() -> None:
        async with asking(tmp_path, role(server.url, structured="tool")) as live:
            await live.ask(question())

    with pytest.raises(EndpointRefuses, match="tools is not supported"):
        asyncio.run(run())
    assert server.requests.count == 1


def test_what_cannot_be_helped_by_asking_again_is_not_asked_again(server: ModelServer, tmp_path: Path) -> None:
    async def ask(**values: Any) -> None:
        async with asking(tmp_path, role(server.url).model_copy(update=values)) as live:
            await live.ask(question())

    with pytest.raises(EndpointRefuses, match="404: The model `other` does not exist"):
        asyncio.run(ask(model="other"))
    server.abilities = Abilities(context_tokens=1_000)
    with pytest.raises(EndpointRefuses, match="do not fit into the context of test-model; set context_tokens"):
        asyncio.run(ask())
    assert server.requests.count == 2
    assert [r["status"] for r in calls(tmp_path)] == ["error", "error"]


def test_keys_are_read_when_asking_and_stand_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    key = "secret-7f3a-of-the-test"
    said = {"text": f"the key is {key}", "loud": False}
    with ModelServer(replies={"HeardReply": lambda asked: said}, key=key) as server:
        settings = role(server.url, key_variable="A_KEY_OF_TESTS")

        async def ask(number: int) -> Any:
            async with asking(tmp_path, settings) as live:
                return await live.ask(question(number))

        monkeypatch.delenv("A_KEY_OF_TESTS", raising=False)
        with pytest.raises(EndpointRefuses, match="environment variable A_KEY_OF_TESTS"):
            asyncio.run(ask(0))
        assert server.requests.count == 0
        monkeypatch.setenv("A_KEY_OF_TESTS", "wrong-" + key)
        with pytest.raises(EndpointRefuses, match="401: Incorrect API key provided"):
            asyncio.run(ask(0))
        monkeypatch.setenv("A_KEY_OF_TESTS", key)
        assert asyncio.run(ask(0)).value.text == "the key is [key]"
    for file in tmp_path.rglob("*"):
        assert key.encode() not in file.read_bytes()
    assert key not in caplog.text


def test_a_key_that_the_endpoint_repeats_is_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = "sk-echoed-0123456789"
    monkeypatch.setenv("A_KEY_OF_TESTS", key)
    with ModelServer(replies=REPLIES, abilities=Abilities(names=())) as server:

        def echo(asked: Any) -> str:
            return "{}"

        server.replies["HeardReply"] = echo
        settings = role(server.url, key_variable="A_KEY_OF_TESTS").model_copy(update={"model": key})
        server.abilities = Abilities(names=("another",))

        async def ask() -> None:
            async with asking(tmp_path, settings) as live:
                await live.ask(question())

        with pytest.raises(EndpointRefuses) as raised:
            asyncio.run(ask())
    assert key not in str(raised.value) and "[key]" in str(raised.value)


@pytest.mark.parametrize(
    ("budget", "faulty", "used"),
    [
        ({"requests": 20}, 0.3, 1.0),
        ({"tokens": 10_000}, 0.0, 0.9),
        ({"tokens": 10_000}, 0.3, 0.4),
        ({"money": 0.03}, 0.0, 0.75),
        ({"money": 0.03}, 0.3, 0.2),
    ],
)
def test_a_budget_is_never_exceeded_and_as_nearly_used_up_as_is_sure(
    server: ModelServer, tmp_path: Path, budget: dict[str, Any], faulty: float, used: float
) -> None:
    """Replies that were lost count as the longest ones, so faults leave more of it."""
    server.settings.latency_s = 0.01
    price = {"input_per_million": 1.0, "output_per_million": 20.0}
    settings = role(server.url, reply_tokens=256, price=price)
    server.faults = storm(faulty, [k for k in KINDS if k not in ("slow", "huge")])

    async def run() -> tuple[int, list[str], Any]:
        async with asking(tmp_path, settings, budget=budget) as live:
            done, refused = 0, []

            async def one(number: int) -> None:
                nonlocal done
                try:
                    await live.ask(question(number))
                    done += 1
                except BudgetSpent as error:
                    refused.append(str(error))
                except ReplyRejected:
                    done += 1

            await live.each(range(400), one)
            return done, refused, live.budget.spent

    done, refused, counted = asyncio.run(run())
    log = server.requests
    really = {
        "requests": log.count,
        "tokens": log.prompt_tokens + log.reply_tokens,
        "money": (log.prompt_tokens + 20 * log.reply_tokens) / 1e6,
    }
    ((name, limit),) = budget.items()
    assert really["requests"] == counted.requests
    assert used * limit <= really[name] <= limit
    assert done + len(refused) == 400
    assert f"budget.{name}" in refused[0] and "not asked again" in refused[0]


def test_requests_wait_for_others_that_may_come_back_cheaper(server: ModelServer, tmp_path: Path) -> None:
    server.settings.latency_s = 0.02
    settings = role(server.url, reply_tokens=1_000)

    async def run() -> int:
        async with asking(tmp_path, settings, budget={"tokens": 2_500}) as live:
            done = [await live.each(range(12), lambda n: live.ask(question(n)))]
            return len(done[0])

    assert asyncio.run(run()) == 12, "twelve replies of a few tokens fit, though two of the longest would not"


def test_a_reply_that_was_paid_before_the_budget_ended_is_repaired_by_the_next_run(
    server: ModelServer, tmp_path: Path
) -> None:
    server.faults = (Fault("wrong_schema", 1.0, False),)

    async def run(requests: int) -> Any:
        async with asking(tmp_path, role(server.url), budget={"requests": requests}) as live:
            return await live.ask(question())

    with pytest.raises(BudgetSpent):
        asyncio.run(run(1))
    assert asyncio.run(run(1)).repaired
    assert server.requests.count == 2
    (row,) = calls(tmp_path)
    assert (row["status"], row["tries"]) == ("repaired", 2)


def test_limits_of_the_server_are_followed_from_its_headers(tmp_path: Path) -> None:
    limits = ServerLimits(requests=30, window_s=1.5)
    with ModelServer(replies=REPLIES, limits=limits, latency_s=0.01) as server:

        async def run() -> float:
            async with asking(tmp_path, role(server.url, limits={"concurrency": 4})) as live:
                began = time.monotonic()
                await live.each(range(75), lambda n: live.ask(question(n)))
                return time.monotonic() - began

        took = asyncio.run(run())
        assert took < 8
        assert server.requests.by_status[429] <= 4


def test_an_endpoint_that_is_full_is_asked_by_fewer_and_all_come_through(tmp_path: Path) -> None:
    limits = ServerLimits(in_flight=4, tell_when=False)
    with ModelServer(replies=REPLIES, limits=limits, latency_s=0.02) as server:

        async def run() -> list[Any]:
            async with asking(tmp_path, role(server.url, limits={"concurrency": 16, "retries": 8})) as live:
                return await live.each(range(30), lambda n: live.ask(question(n)))

        assert len(asyncio.run(run())) == 30


def test_a_pause_longer_than_allowed_ends_at_once(server: ModelServer, tmp_path: Path) -> None:
    server.faults = (Fault("rate_limited_after", 1.0, True),)
    server.settings.retry_after_s = 900.0

    async def run() -> float:
        async with asking(tmp_path, role(server.url, limits={"longest_pause_s": 2.0})) as live:
            began = time.monotonic()
            for _ in range(2):
                with pytest.raises(EndpointDown, match="come again in 900 s, longer than longest_pause_s 2"):
                    await live.ask(question())
            return time.monotonic() - began

    assert asyncio.run(run()) < 2
    assert server.requests.count == 1, "others need not find out for themselves"


def test_requests_per_minute_are_kept(server: ModelServer, tmp_path: Path) -> None:
    async def run() -> float:
        async with asking(tmp_path, role(server.url, limits={"requests_per_minute": 600})) as live:
            began = time.monotonic()
            await live.each(range(13), lambda n: live.ask(question(n)))
            return time.monotonic() - began

    assert 0.9 <= asyncio.run(run()) < 4


def test_two_roles_of_one_endpoint_share_its_places(server: ModelServer, tmp_path: Path) -> None:
    server.settings.latency_s = 0.03
    roles = {"writer": role(server.url, limits={"concurrency": 3}), "judge": role(server.url)}

    async def run() -> None:
        async with asking(tmp_path, roles) as live:
            await asyncio.gather(*(live.ask(replace(question(n), role=name)) for n in range(10, 20) for name in roles))

    asyncio.run(run())
    assert server.requests.peak <= 3
    assert server.requests.count == 10, "the same model with the same settings has answered for both"


def test_pictures_and_videos_reach_the_model(server: ModelServer, tmp_path: Path) -> None:
    data = io.BytesIO()
    Image.new("RGB", (56, 28)).save(data, "JPEG")
    seen: list[Any] = []
    server.replies["HeardReply"] = lambda asked: seen.append((asked.user, asked.images)) or REPLIES["HeardReply"](asked)
    ask = replace(question(), parts=("Look.", Still(data.getvalue(), 56, 28, "f1 at 3.2 s"), Footage(b"mp4", 1.0)))

    async def run() -> None:
        async with asking(tmp_path, role(server.url)) as live:
            await live.ask(ask)

    asyncio.run(run())
    assert seen == [("Look.\nf1 at 3.2 s", (data.getvalue(),))], "a model that sees frames gets no video"
    sent = server.requests.bodies[0]["messages"][1]["content"][2]["image_url"]["url"]
    assert base64.b64decode(sent.partition(",")[2]) == data.getvalue()
    assert "x-stainless" not in json.dumps(server.requests.bodies[0])


def test_the_first_error_ends_it_after_what_was_in_flight(server: ModelServer, tmp_path: Path) -> None:
    server.settings.latency_s = 0.05
    started: list[int] = []

    async def run() -> None:
        async with asking(tmp_path, role(server.url, limits={"concurrency": 4})) as live:

            async def one(number: int) -> int:
                started.append(number)
                await live.ask(question(number))
                if number in (3, 2):
                    raise ValueError(f"number {number}")
                return number

            assert await live.each([7, 9, 8], one) == [7, 9, 8]
            await live.each(range(100), one)

    with pytest.raises(ValueError, match="number 2"):
        asyncio.run(run())
    assert len(started) < 30
    assert len(calls(tmp_path)) == len(set(started)), "what was under way is on record"


def test_stopping_keeps_replies_that_are_on_their_way(server: ModelServer, tmp_path: Path) -> None:
    server.settings.latency_s = 0.3

    async def run() -> None:
        async with asking(tmp_path, role(server.url, limits={"concurrency": 4})) as live:
            work = asyncio.create_task(live.each(range(100), lambda n: live.ask(question(n))))
            await asyncio.sleep(0.15)
            work.cancel()

    asyncio.run(run())
    assert server.requests.count == 4
    assert [r["status"] for r in calls(tmp_path)] == ["ok"] * 4


def test_a_role_without_an_endpoint_says_what_to_set(server: ModelServer, tmp_path: Path) -> None:
    async def run() -> None:
        async with asking(tmp_path, {"judge": role(server.url)}) as live:
            assert live.of("x").has("judge") and not live.of("x").has("writer")
            await live.of("x").ask(question())

    with pytest.raises(NoModel, match="no model for the role writer"):
        asyncio.run(run())


def test_a_question_that_breaks_the_endpoint_does_not_stop_others(server: ModelServer, tmp_path: Path) -> None:
    server.faults = (Fault("error_500", 0.25, True),)

    async def run() -> list[str]:
        async with asking(tmp_path, role(server.url, limits={"retries": 0, "concurrency": 1})) as live:

            async def one(number: int) -> str:
                try:
                    return await outcome(live, question(number))
                except EndpointDown:
                    return "down"

            return [await one(n) for n in range(40)]

    ends = asyncio.run(run())
    assert any(pair == ("down", "asked") for pair in pairwise(ends))


def test_an_endpoint_that_is_gone_is_not_asked_by_everybody(tmp_path: Path) -> None:
    async def run() -> float:
        began = time.monotonic()
        async with asking(tmp_path, role("http://127.0.0.1:9/v1", limits={"retries": 1, "concurrency": 4})) as live:

            async def one(number: int) -> None:
                with pytest.raises(EndpointDown, match="not reached"):
                    await live.ask(question(number))

            await live.each(range(200), one)
            return time.monotonic() - began

    assert asyncio.run(run()) < 6
    assert sum(r["tries"] for r in calls(tmp_path)) < 20


def test_an_address_that_is_none_is_said_at_once(tmp_path: Path) -> None:
    async def run() -> None:
        async with asking(tmp_path, role("localhost:8000/v1")) as live:
            await live.ask(question())

    with pytest.raises(EndpointRefuses, match="is no address"):
        asyncio.run(run())


def test_units_at_the_same_time_share_the_places_for_work_and_may_nest(server: ModelServer, tmp_path: Path) -> None:
    async def run() -> tuple[int, int]:
        running = most = 0
        async with asking(tmp_path, role(server.url, limits={"concurrency": 4})) as live:

            async def part(number: int) -> int:
                await live.ask(question(number))
                return number

            async def one(number: int) -> int:
                nonlocal running, most
                running += 1
                most = max(most, running)
                assert await live.each([number, number + 1], part) == [number, number + 1]
                running -= 1
                return number

            units = await asyncio.gather(*(live.each(range(100 * u, 100 * u + 6), one) for u in range(8)))
            assert units[1] == list(range(100, 106))
            return most, live.at_once

    most, at_once = asyncio.run(run())
    assert most == at_once == 6
