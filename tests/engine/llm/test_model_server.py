"""The test server is itself tested, through the OpenAI SDK: the protocol, its limits, and that each fault is what it says."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from typing import Any

import openai
import pytest
from model_asked import Asked, read_request
from model_chat import Abilities
from model_faults import KINDS, Fault, storm
from model_server import ModelServer, ServerLimits, ServerProcess
from PIL import Image
from pydantic import BaseModel, ConfigDict

PROMPT = """Evidence:
e1 (speech, 4.2 to 7 s): “hello there”
e2 (text, 5 to 9.25 s): "EXIT"
obj1 (object, 1 to 5 s): a red circle
f1 (frame, at 3.2 s)
Write about it."""


class Claim(BaseModel):
    model_config = ConfigDict(extra="forbid")
    rel: str
    a: str
    b: str | None


class ProbeReply(BaseModel):
    model_config = ConfigDict(extra="forbid")
    text: str
    claims: list[Claim]


FORMAT: dict[str, Any] = {
    "type": "json_schema",
    "json_schema": {"name": "ProbeReply", "schema": ProbeReply.model_json_schema(), "strict": True},
}
MESSAGES = [{"role": "system", "content": "You look."}, {"role": "user", "content": PROMPT}]


def careful(asked: Asked) -> dict[str, Any]:
    names = [*asked.of_kind("speech", "text")]
    return {
        "text": f"First {{{names[0]}}} is said, then {{{names[1]}.text}} is shown.",
        "claims": [{"rel": "before", "a": names[0], "b": names[1]}],
    }


def client(server: ModelServer, key: str = "k") -> openai.OpenAI:
    return openai.OpenAI(base_url=server.url, api_key=key, max_retries=0, timeout=10)


def ask(server: ModelServer, **more: Any) -> Any:
    with client(server) as api:
        body: dict[str, Any] = {"model": "test-model", "messages": MESSAGES, "response_format": FORMAT} | more
        return api.chat.completions.create(**body)


def test_a_careful_reply_in_each_structured_way() -> None:
    schema = ProbeReply.model_json_schema()
    tool = {"type": "function", "function": {"name": "ProbeReply", "parameters": schema}}
    told = [{"role": "user", "content": f"{PROMPT}\nReply as JSON of this schema: {json.dumps(schema)}"}]
    with ModelServer(replies={"ProbeReply": careful}) as server:
        strict = ask(server)
        free = ask(server, messages=told, response_format={"type": "json_object"})
        called = ask(server, response_format=openai.omit, tools=[tool], tool_choice="auto")
    wanted = careful(read_request({"messages": MESSAGES}))
    assert json.loads(strict.choices[0].message.content) == wanted
    assert json.loads(free.choices[0].message.content) == wanted
    assert json.loads(called.choices[0].message.tool_calls[0].function.arguments) == wanted
    assert (strict.choices[0].finish_reason, called.choices[0].finish_reason) == ("stop", "tool_calls")


def test_evidence_is_read_from_the_prompt() -> None:
    facts = read_request({"messages": MESSAGES}).facts
    assert facts["e1"] == ("speech", 4.2, 7.0, "hello there")
    assert facts["e2"].text == "EXIT" and facts["obj1"].text == "a red circle"
    assert facts["f1"].start_s == facts["f1"].end_s == 3.2


def test_usage_counts_characters_and_picture_cells() -> None:
    file = io.BytesIO()
    Image.new("RGB", (100, 57)).save(file, "PNG")
    url = f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
    content = [{"type": "text", "text": "x" * 40}, {"type": "image_url", "image_url": {"url": url}}]
    with ModelServer() as server:
        told = ask(server, messages=[{"role": "user", "content": content}], response_format=openai.omit)
    assert told.usage.prompt_tokens == 10 + 4 + 4 * 3


def test_samples_of_one_question_differ_and_repeat() -> None:
    replies = {"ProbeReply": lambda asked: {"text": f"number {asked.number}", "claims": []}}
    with ModelServer(replies=replies) as server:
        texts = [c.message.content for c in ask(server, n=3).choices]
        assert ask(server, seed=1).choices[0].message.content == texts[1]
    assert len(set(texts)) == 3


def test_what_it_cannot_do_is_refused_as_endpoints_do() -> None:
    loose = {
        "type": "json_schema",
        "json_schema": {"name": "A", "strict": True, "schema": {"type": "object", "properties": {}}},
    }
    with ModelServer(abilities=Abilities(json_schema="refused", context_tokens=500)) as server:
        with pytest.raises(openai.BadRequestError, match="json_schema"):
            ask(server)
        with pytest.raises(openai.NotFoundError, match="does not exist"):
            ask(server, model="other")
        with pytest.raises(openai.BadRequestError, match="maximum context length is 500"):
            ask(server, response_format=openai.omit, max_tokens=600)
    with (
        ModelServer(key="secret") as server,
        client(server, "wrong") as api,
        pytest.raises(openai.AuthenticationError),
    ):
        api.models.list()
    with ModelServer() as server, pytest.raises(openai.BadRequestError, match="additionalProperties"):
        ask(server, response_format=loose)


def test_limits_are_enforced_and_told() -> None:
    with ModelServer(limits=ServerLimits(requests=3, window_s=60)) as server, client(server) as api:
        for _ in range(3):
            told = api.chat.completions.with_raw_response.create(model="test-model", messages=MESSAGES)  # type: ignore[call-overload]
        assert told.headers["x-ratelimit-remaining-requests"] == "0"
        with pytest.raises(openai.RateLimitError) as busy:
            api.chat.completions.create(model="test-model", messages=MESSAGES)  # type: ignore[arg-type]
    assert 15 < float(busy.value.response.headers["retry-after"]) <= 20


def status(error: openai.APIStatusError) -> int:
    return error.status_code


FAILURES: dict[str, Callable[[Any], bool]] = {
    "rate_limited_after": lambda e: status(e) == 429 and "retry-after" in e.response.headers,
    "rate_limited": lambda e: status(e) == 429 and "retry-after" not in e.response.headers,
    "error_500": lambda e: status(e) == 500,
    "unavailable_503": lambda e: status(e) == 503,
    "disconnect_before": lambda e: isinstance(e, openai.APIConnectionError),
    "disconnect_middle": lambda e: isinstance(e, openai.APIConnectionError),
}


def valid(told: Any) -> bool:
    try:
        ProbeReply.model_validate_json(told.choices[0].message.content or "")
    except ValueError:
        return False
    return True


def text(told: Any) -> str:
    return ProbeReply.model_validate_json(told.choices[0].message.content).text


REPLIES: dict[str, Callable[[Any], bool]] = {
    "slow": valid,
    "truncated": lambda r: r.choices[0].finish_reason == "length" and not valid(r),
    "malformed": lambda r: r.choices[0].finish_reason == "stop" and not valid(r),
    "wrong_schema": lambda r: bool(json.loads(r.choices[0].message.content)) and not valid(r),
    "refusal": lambda r: r.choices[0].message.content is None and "can't" in r.choices[0].message.refusal,
    "empty": lambda r: r.choices[0].message.content == "",
    "content_filter": lambda r: r.choices[0].finish_reason == "content_filter",
    "huge": lambda r: len(r.choices[0].message.content) > 900_000,
    "invented_evidence": lambda r: valid(r) and not ("{e1}" in text(r) and "{e2.text}" in text(r)),
    "literal_time": lambda r: valid(r) and any(c.isdigit() for c in text(r).split("is shown")[1]),
    "contradictory": lambda r: json.loads(r.choices[0].message.content)["claims"][0]["rel"] == "after",
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_fault_happens_once_and_asking_again_helps(kind: Any) -> None:
    with ModelServer(
        faults=[Fault(kind)], replies={"ProbeReply": careful}, slow_s=0.05, huge_bytes=1_000_000
    ) as server:
        if kind in FAILURES:
            with pytest.raises(openai.APIError) as failure:
                ask(server)
            assert FAILURES[kind](failure.value)
        else:
            assert REPLIES[kind](ask(server))
        assert server.requests.faults == {kind: 1}
        assert text(ask(server)) == careful(read_request({"messages": MESSAGES}))["text"]
        assert server.requests.count == 2 and len(server.requests.by_digest) == 1


def test_a_storm_meets_its_share_and_the_same_requests_in_every_run() -> None:
    def run() -> list[bool]:
        with (
            ModelServer(faults=storm(0.3, ["refusal", "empty"]), replies={"ProbeReply": careful}) as server,
            client(server) as api,
        ):
            told = [
                api.chat.completions.create(model="test-model", messages=MESSAGES, response_format=FORMAT, seed=n)  # type: ignore[call-overload]
                for n in range(60)
            ]
            return [valid(reply) for reply in told]

    first = run()
    assert first == run()
    assert 8 <= first.count(False) <= 28


def test_a_batch_is_worked_through_with_errors_of_its_own() -> None:
    lines = [
        {"custom_id": f"q{n}", "method": "POST", "url": "/v1/chat/completions",
         "body": {"model": "test-model", "messages": MESSAGES, "response_format": FORMAT, "seed": n}}
        for n in range(8)
    ]  # fmt: skip
    lines.append({"custom_id": "bad", "body": {"model": "other", "messages": MESSAGES}})
    data = "\n".join(json.dumps(line) for line in lines).encode()
    with ModelServer(replies={"ProbeReply": careful}, batch_s=0.05) as server, client(server) as api:
        file = api.files.create(file=("batch.jsonl", data), purpose="batch")
        batch = api.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h")
        assert batch.status in ("validating", "in_progress")
        while batch.status != "completed":
            batch = api.batches.retrieve(batch.id)
        good = [json.loads(line) for line in api.files.content(batch.output_file_id or "").text.splitlines()]
        bad = [json.loads(line) for line in api.files.content(batch.error_file_id or "").text.splitlines()]
    names = [line["custom_id"] for line in good]
    assert sorted(names) == [f"q{n}" for n in range(8)] and names != sorted(names)
    assert [(line["custom_id"], line["response"]["status_code"]) for line in bad] == [("bad", 404)]


def test_a_responder_that_fails_fails_the_test() -> None:
    with (
        pytest.raises(AssertionError, match="no such evidence"),
        ModelServer(replies={"ProbeReply": lambda asked: {"text": asked.facts["no such evidence"].text}}) as server,
        pytest.raises(openai.BadRequestError),
    ):
        ask(server)


def test_in_a_process_of_its_own_it_tells_what_was_asked() -> None:
    with ServerProcess(("--fault", "refusal=1")) as server, openai.OpenAI(base_url=server.url, api_key="k") as api:
        told = api.chat.completions.create(model="any", messages=MESSAGES)  # type: ignore[arg-type]
        assert told.choices[0].message.refusal
        counted = server.requests()
    assert (counted["count"], counted["different"], counted["faults"]) == (1, 1, {"refusal": 1})
