"""Structured replies: how a pydantic model is asked for in each of the ways that endpoints know, and how a reply is read.

From the strictest way to the loosest: a strict JSON schema, a forced tool call, JSON mode, the prompt alone. Whatever the
way, the reply must be exactly one JSON object that validates without coercion (a text is no number); all that is taken
away around it is a code fence, or the thinking that some servers leave in front. What does not validate is never data.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, Literal

from pydantic import BaseModel, ValidationError

from .ask import R
from .errors import RejectKind

Way = Literal["json_schema", "tool", "json_object", "prompt"]
WAYS: tuple[Way, ...] = ("json_schema", "tool", "json_object", "prompt")
_FOREIGN = ("default", "minLength", "maxLength", "uniqueItems", "examples", "discriminator")
"""Keywords that strict endpoints refuse or ignore; pydantic checks them all the same."""
_FENCE = re.compile(r"\A```[a-zA-Z]*\s*\n(.*)\n\s*```\Z", re.DOTALL)
_THOUGHT = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
_SHOWN_ERRORS = 6
_UNSUPPORTED = re.compile(
    r"response_format|json_schema|json_object|json mode|structured|guided|grammar|tool|function|strict|schema",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Reply:
    """What came back of one request, whatever way it was asked and sent."""

    text: str
    """The text of the reply, or the arguments of the tool call."""
    refusal: str = ""
    finish: str = "stop"
    prompt_tokens: int | None = None
    reply_tokens: int | None = None
    cached_tokens: int = 0
    overlong: bool = False
    """Reading was stopped, because it was far longer than was allowed."""


@dataclass(frozen=True)
class Finding(Generic[R]):
    """What a reply is worth: a value, or the kind of what is wrong and the reason in words."""

    value: R | None
    kind: RejectKind | None = None
    reason: str = ""


class NotAReply(ValueError):
    """The endpoint's body is not that of a chat completion."""


def schema_name(reply: type[BaseModel]) -> str:
    """Name of the schema: the class's."""
    return reply.__name__


@cache
def strict_schema(reply: type[BaseModel]) -> dict[str, Any]:
    """JSON schema of the class as strict endpoints want it: nothing optional, nothing additional, no defaults."""
    return {"title": reply.__name__, **_strict(reply.model_json_schema(), top=True)}


def _strict(node: Any, *, top: bool = False) -> Any:
    if isinstance(node, list):
        return [_strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return {"$ref": node["$ref"]}
    made: dict[str, Any] = {}
    for key, value in node.items():
        if key in ("properties", "$defs"):
            made[key] = {name: _strict(part) for name, part in value.items()}
        elif key == "oneOf":
            made["anyOf"] = _strict(value)
        elif key in ("enum", "const", "required"):
            made[key] = value
        elif key not in _FOREIGN and (key != "title" or top):
            made[key] = _strict(value)
    if made.get("type") == "object":
        made["properties"] = made.get("properties", {})
        made["additionalProperties"] = False
        made["required"] = list(made["properties"])
    return made


def schema_text(reply: type[BaseModel]) -> str:
    """The schema as prompts show it."""
    return json.dumps(strict_schema(reply), ensure_ascii=False)


def system_text(system: str, reply: type[BaseModel], way: Way) -> str:
    """The system message, with the schema written out in the ways that do not send it otherwise."""
    if way in ("json_schema", "tool"):
        return system
    return (
        f"{system}\n\nReply with one JSON object and nothing else, no code fence. "
        f"It must follow this JSON schema:\n{schema_text(reply)}"
    )


def fields(reply: type[BaseModel], way: Way) -> dict[str, Any]:
    """Fields of the request's body that ask for the structure."""
    name, about = schema_name(reply), " ".join((reply.__doc__ or "").split())
    if way == "json_schema":
        described = {"name": name, "strict": True, "schema": strict_schema(reply)}
        return {"response_format": {"type": "json_schema", "json_schema": described}}
    if way == "tool":
        function = {"name": name, "description": about, "parameters": strict_schema(reply), "strict": True}
        return {
            "tools": [{"type": "function", "function": function}],
            "tool_choice": {"type": "function", "function": {"name": name}},
        }
    return {"response_format": {"type": "json_object"}} if way == "json_object" else {}


def unsupported(said: str) -> bool:
    """Whether an endpoint's refusal is about the way in which the structure was asked for."""
    return bool(_UNSUPPORTED.search(said))


def looser(way: Way) -> Way | None:
    """The next way."""
    place = WAYS.index(way) + 1
    return WAYS[place] if place < len(WAYS) else None


def reply_of(body: Any) -> Reply:
    """The reply in the body of a chat completion. Raises `NotAReply`."""
    try:
        choice = body["choices"][0]
        message = choice["message"]
        content = message.get("content")
        if isinstance(content, list):
            content = "".join(str(part.get("text", "")) for part in content if isinstance(part, Mapping))
        calls = message.get("tool_calls") or []
        if calls:
            content = calls[0]["function"]["arguments"]
            if not isinstance(content, str):
                content = json.dumps(content, ensure_ascii=False)
        usage = body.get("usage") or {}
        details = usage.get("prompt_tokens_details") or {}
        return Reply(
            text=str(content or ""),
            refusal=str(message.get("refusal") or ""),
            finish=str(choice.get("finish_reason") or ""),
            prompt_tokens=_whole(usage.get("prompt_tokens")),
            reply_tokens=_whole(usage.get("completion_tokens")),
            cached_tokens=_whole(details.get("cached_tokens")) or 0,
        )
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise NotAReply(f"no chat completion in it ({type(error).__name__}: {error})") from None


def _whole(value: Any) -> int | None:
    return int(value) if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0 else None


def read(reply: Reply, wanted: type[R]) -> Finding[R]:
    """The value of a reply, or what is wrong with it."""
    if reply.refusal:
        return Finding(None, "refused", f"the model refused: {reply.refusal[:500]}")
    if reply.finish == "content_filter":
        return Finding(None, "refused", "the endpoint's content filter held the reply back")
    if reply.overlong:
        return Finding(None, "truncated", "far longer than the limit of the reply; reading was stopped")
    if reply.finish == "length":
        return Finding(None, "truncated", "cut off at the limit of the reply; raise reply_tokens of the role")
    return read_text(reply.text, wanted)


def read_text(raw: str, wanted: type[R]) -> Finding[R]:
    """The value that a text gives, or what is wrong with it."""
    text = _THOUGHT.sub("", raw, count=1).strip()
    if not text:
        return Finding(None, "empty", "nothing was said")
    if fenced := _FENCE.match(text):
        text = fenced[1]
    try:
        return Finding(wanted.model_validate_json(text, strict=True))
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        if problems[0]["type"] == "json_invalid":
            return Finding(None, "malformed", f"not one JSON object: {problems[0]['msg']}")
        said = [f"{'.'.join(map(str, p['loc'])) or 'the whole reply'}: {p['msg']}" for p in problems[:_SHOWN_ERRORS]]
        if len(problems) > _SHOWN_ERRORS:
            said.append(f"and {len(problems) - _SHOWN_ERRORS} more")
        return Finding(None, "wrong_schema", "; ".join(said))
