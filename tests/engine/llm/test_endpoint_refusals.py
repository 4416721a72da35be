"""What an endpoint's refusal means: wait, try again, or say at once what is wrong."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from asking_models import role
from chronotope.engine.llm.budget import Budget
from chronotope.engine.llm.client import Endpoint, TryAgain, endpoint_name
from chronotope.engine.llm.errors import EndpointDown, EndpointRefuses
from chronotope.engine.llm.limits import Pace
from chronotope.engine.llm.settings import BudgetSettings, Spent


def refusal(status: int, said: str, headers: dict[str, str] | None = None, **settings: Any) -> Exception:
    async def made() -> Exception:
        given = role("https://user:pass@api.example:8443/v1?key=abc", **settings)
        return Endpoint(given, Pace(given.limits), Budget(BudgetSettings(), Spent())).refusal(
            status, said, headers or {}
        )

    return asyncio.run(made())


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504, 529])
def test_what_may_pass_is_tried_again(status: int) -> None:
    found = refusal(status, "busy", {"retry-after": "2"})
    assert isinstance(found, TryAgain)
    assert found.wait_s == 2.0


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 422, 501])
def test_what_does_not_pass_is_said_at_once(status: int) -> None:
    found = refusal(status, "the  words\nof the endpoint")
    assert isinstance(found, EndpointRefuses)
    assert str(found).startswith(f"https://api.example:8443: {status}: the words of the endpoint")


def test_a_limit_passes_and_an_empty_account_does_not() -> None:
    words = "Rate limit reached. You can increase it by adding a payment method under account/billing."
    assert isinstance(refusal(429, words), TryAgain)
    assert isinstance(refusal(429, "You exceeded your current quota (insufficient_quota)"), EndpointRefuses)


def test_only_a_busy_endpoint_pauses_everybody() -> None:
    for status, headers, busy in (
        (429, {}, True),
        (503, {"retry-after": "1"}, True),
        (503, {}, False),
        (500, {}, False),
    ):
        found = refusal(status, "no", headers)
        assert isinstance(found, TryAgain) and found.busy == busy, status


def test_a_long_pause_is_left_to_the_next_build() -> None:
    found = refusal(429, "later", {"retry-after": "3600"}, limits={"longest_pause_s": 60.0})
    assert isinstance(found, EndpointDown) and "come again in 3600 s" in str(found)


@pytest.mark.parametrize(
    "said",
    [
        "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens",
        "the request exceeds the available context size, try increasing it",
        "prompt is too long: 210000 tokens > 200000 maximum",
    ],
)
def test_a_context_that_is_too_short_says_what_to_set(said: str) -> None:
    assert "set context_tokens to what it really has" in str(refusal(400, said))


@pytest.mark.parametrize(
    "said", ["Incorrect API key provided: sk-abcd****wxyz.", "bad header Authorization: Bearer abc.def-123456"]
)
def test_what_looks_like_a_key_is_not_repeated(said: str) -> None:
    text = str(refusal(401, said))
    assert "[key]" in text
    assert not [word for word in ("wxyz", "abc.def") if word in text]


def test_an_endpoint_is_named_without_anything_secret() -> None:
    assert endpoint_name("https://user:pass@api.example/v1?key=abc") == "https://api.example"
    assert endpoint_name("http://127.0.0.1:8000/v1") == "http://127.0.0.1:8000"
