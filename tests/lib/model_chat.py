"""Chat completions as the test server writes them: checks of a request, the responder's reply, and what a fault makes of it.

Pure functions over parsed requests; the network is in `model_server`, the faults in `model_faults`.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from model_asked import Asked, BadRequest
from model_faults import LYING, Kind, spoilt

Responder = Callable[[Asked], dict[str, Any] | str]
REPLIES = Path(__file__).parent / "model_replies"
Way = Literal["yes", "refused", "ignored"]


@dataclass(frozen=True)
class Abilities:
    """What the model behind the server can do. `ignored`: it takes the setting and writes prose around its JSON."""

    json_schema: Way = "yes"
    json_object: Way = "yes"
    tool: Way = "yes"
    images: bool = True
    videos: bool = True
    batch: bool = True
    context_tokens: int = 131_072
    names: tuple[str, ...] = ("test-model",)
    """Names of models; () takes every name."""


def check(body: dict[str, Any], asked: Asked, can: Abilities) -> None:
    """Raises `BadRequest` where a real endpoint would."""
    model = body.get("model")
    if not model:
        raise BadRequest("you must provide a model parameter", "model")
    if can.names and model not in can.names:
        raise BadRequest(
            f"The model `{model}` does not exist or you do not have access to it.", "model", "model_not_found"
        )
    if asked.images and not can.images:
        raise BadRequest("Invalid content type. image_url is only supported by certain models.", "messages")
    if asked.videos and not can.videos:
        raise BadRequest("Invalid content type. video_url is not supported by this model.", "messages")
    form = (body.get("response_format") or {}).get("type")
    if form == "json_schema":
        if can.json_schema == "refused":
            raise BadRequest(
                "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.",
                "response_format",
            )
        wanted = body["response_format"].get("json_schema") or {}
        if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", str(wanted.get("name", ""))):
            raise BadRequest("Invalid 'response_format.json_schema.name'.", "response_format")
        if wanted.get("strict"):
            _strict(wanted.get("schema") or {}, wanted["name"])
    if form == "json_object":
        if can.json_object == "refused":
            raise BadRequest(
                "'response_format' of type 'json_object' is not supported with this model.", "response_format"
            )
        if "json" not in (asked.system + asked.user).lower():
            raise BadRequest(
                "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
                "messages",
            )
    if body.get("tools") and can.tool == "refused":
        raise BadRequest(
            "tools is not supported in this model. For a list of supported models, see the documentation.", "tools"
        )
    longest = longest_reply(body) or 0
    if asked.prompt_tokens + longest > can.context_tokens:
        raise BadRequest(
            f"This model's maximum context length is {can.context_tokens} tokens. However, you requested "
            f"{asked.prompt_tokens + longest} tokens ({asked.prompt_tokens} in the messages, {longest} in the completion).",
            "messages",
            "context_length_exceeded",
        )


def longest_reply(body: Mapping[str, Any]) -> int | None:
    """Tokens that the request allows for a reply."""
    told = body.get("max_completion_tokens") or body.get("max_tokens")
    return int(told) if told else None


def _strict(schema: Any, name: str, path: tuple[str, ...] = ()) -> None:
    """The rules of strict schemas: closed objects, all fields required, no defaults, nothing beside a reference."""

    def wrong(what: str) -> BadRequest:
        return BadRequest(f"Invalid schema for response_format '{name}': In context={path}, {what}", "response_format")

    if not isinstance(schema, dict):
        return
    if not path and schema.get("type") != "object":
        raise wrong("schema must be of type 'object'.")
    if "$ref" in schema and set(schema) - {"$ref"}:
        raise wrong(f"$ref cannot have keywords {set(schema) - {'$ref'}}.")
    for keyword in ("default", "allOf", "oneOf", "not", "patternProperties", "uniqueItems"):
        if keyword in schema:
            raise wrong(f"'{keyword}' is not permitted.")
    if schema.get("type") == "object" or "properties" in schema:
        if schema.get("additionalProperties") is not False:
            raise wrong("'additionalProperties' is required to be supplied and to be false.")
        lacking = sorted(set(schema.get("properties", {})) - set(schema.get("required", [])))
        if lacking:
            raise wrong(f"'required' must include every key in properties. Missing '{lacking[0]}'.")
    for field, inner in schema.get("properties", {}).items():
        _strict(inner, name, (*path, "properties", field))
    for field, inner in schema.get("$defs", {}).items():
        _strict(inner, name, (*path, "$defs", field))
    _strict(schema.get("items"), name, (*path, "items"))
    for n, inner in enumerate(schema.get("anyOf", [])):
        _strict(inner, name, (*path, "anyOf", str(n)))


def responder_of(schema_name: str, own: Mapping[str, Responder]) -> Responder:
    """The test's own responder, the file of the reply class, or the smallest reply that the schema allows."""
    if schema_name in own:
        return own[schema_name]
    return _carried(schema_name) or smallest


@cache
def _carried(schema_name: str) -> Responder | None:
    file = REPLIES / f"{snake(schema_name)}.py"
    if not schema_name or not file.exists():
        return None
    spec = importlib.util.spec_from_file_location(f"model_replies_{file.stem}", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Responder = module.reply
    return found


def snake(name: str) -> str:
    """`VideoQuestionsReply` as `video_questions_reply`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def smallest(asked: Asked) -> dict[str, Any] | str:
    """The smallest reply of the right form; its words differ between questions and between samples of one."""
    words = f"nothing {hashlib.sha256(f'{asked.user} {asked.number}'.encode()).hexdigest()[:8]}"
    if not asked.schema:
        return words
    made = _least(asked.schema, asked.schema.get("$defs", {}), words)
    return made if isinstance(made, dict) else {}


def _least(schema: dict[str, Any], shared: dict[str, Any], words: str) -> Any:
    if "$ref" in schema:
        return _least(shared[schema["$ref"].rsplit("/", 1)[-1]], shared, words)
    for key in ("anyOf", "allOf"):
        if key in schema:
            return _least(schema[key][0], shared, words)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object":
        return {name: _least(inner, shared, words) for name, inner in schema.get("properties", {}).items()}
    if kind == "array":
        return [_least(schema.get("items", {}), shared, words) for _ in range(schema.get("minItems", 0))]
    if kind in ("integer", "number"):
        return schema.get("minimum", 0)
    return {"boolean": False, "null": None}.get(str(kind), words)


def choice(asked: Asked, body: Mapping[str, Any], fault: Kind | None, responder: Responder, can: Abilities, digest: str,
           huge_bytes: int) -> tuple[dict[str, Any], bool]:  # fmt: skip
    """One choice of a completion, and whether the fault could be put into it."""
    answer = responder(asked)
    done = True
    if fault in LYING:
        worse = spoilt(fault, answer, asked.facts, digest) if isinstance(answer, dict) else None
        done = worse is not None
        answer = worse if worse is not None else answer
    text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
    if fault == "wrong_schema":
        text = json.dumps({"result": "ok", "items": [1, 2, 3]})
    elif fault == "malformed":
        text = text[:-1].replace('": ', '" = ', 1) + ",,"
    elif fault == "huge":
        text = _blown(answer, huge_bytes)
    elif isinstance(answer, dict) and not _keeps_form(asked.structured, can):
        text = f"```json\n{text}\n```"
        if asked.structured != "prompt" and not asked.repairing:
            text = f"Sure! Here is what you asked for:\n\n{text}\n"
    finish = "stop"
    longest = longest_reply(body)
    if fault == "truncated" or (longest and fault != "huge" and tokens_of(text) > longest):
        upto = 4 * longest if longest and fault != "truncated" else len(text)
        text, finish = text[: min(upto, max(1, len(text) // 2) if fault == "truncated" else upto)], "length"
    message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None}
    if fault == "refusal":
        message |= {"content": None, "refusal": "I'm sorry, but I can't help with that request."}
    elif fault == "content_filter":
        message["content"], finish = text[: len(text) // 3], "content_filter"
    elif fault == "empty":
        message["content"] = ""
    elif asked.structured == "tool" and can.tool == "yes":
        call = {
            "id": f"call_{digest[:16]}",
            "type": "function",
            "function": {"name": asked.schema_name, "arguments": text},
        }
        message |= {"content": None, "tool_calls": [call]}
        finish = "tool_calls" if finish == "stop" and _tool_left_free(body) else finish
    return {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}, done


def _tool_left_free(body: Mapping[str, Any]) -> bool:
    return body.get("tool_choice") in (None, "auto", "required")


def _keeps_form(way: str, can: Abilities) -> bool:
    return way != "prompt" and getattr(can, way) == "yes"


def _blown(answer: Any, size: int) -> str:
    text = json.dumps(answer, ensure_ascii=False)
    for match in re.finditer(r'": "', text):
        return text[: match.end()] + "word " * (size // 5) + text[match.end() :]
    return text + " " * size


def tokens_of(text: str) -> int:
    """Tokens of a reply, as this server counts: a quarter of its characters."""
    return math.ceil(len(text) / 4)


def completion(
    body: Mapping[str, Any], asked: Asked, choices: list[dict[str, Any]], digest: str, created: int
) -> dict[str, Any]:
    """The whole answer to a request."""
    written = 0
    for made in choices:
        message = made["message"]
        calls = message.get("tool_calls") or []
        written += tokens_of(
            (message["content"] or message["refusal"] or "") + "".join(c["function"]["arguments"] for c in calls)
        )
    return {
        "id": f"chatcmpl-{digest[:24]}",
        "object": "chat.completion",
        "created": created,
        "model": body["model"],
        "choices": choices,
        "usage": {
            "prompt_tokens": asked.prompt_tokens,
            "completion_tokens": written,
            "total_tokens": asked.prompt_tokens + written,
            "prompt_tokens_details": {"cached_tokens": 0},
        },
        "system_fingerprint": "fp_test",
    }


def error(message: str, kind: str, param: str | None = None, code: str | None = None) -> dict[str, Any]:
    """The body of an error."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}
