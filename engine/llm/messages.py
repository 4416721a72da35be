"""A question as the messages of a request: texts and pictures in order, each picture after the line that names it.

Pictures that do not fit into the model's context beside the reply are thinned evenly, the first and last of them kept;
their names stay, so that a reply can only name what was sent. The same question always gives the same bytes.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from .ask import Ask, Footage, Part, Still, picture_tokens
from .settings import ModelSettings
from .structured import Way, fields, schema_text, system_text

HANDED_BACK = 8_000
"""Characters of a reply that the repair round hands back, at most."""
BESIDE = 64
"""Tokens left free for what chat templates add."""


def fitted(ask: Ask[Any], settings: ModelSettings, reply_tokens: int) -> tuple[tuple[Part, ...], str]:
    """The parts that are sent, and a note of what was left out ("" when nothing)."""
    if settings.sees == "nothing":
        return tuple(p for p in ask.parts if isinstance(p, str)), ""
    parts = tuple(p for p in ask.parts if settings.sees == "video_url" or not isinstance(p, Footage))
    stills = [i for i, p in enumerate(parts) if isinstance(p, Still)]
    weights = {i: picture_tokens(parts[i], settings) for i in stills}  # type: ignore[arg-type]
    room = settings.context_tokens - reply_tokens - BESIDE - (ask.prompt_tokens(settings) - sum(weights.values()))
    kept = len(stills)
    chosen = stills
    while kept > 1 and sum(weights[i] for i in chosen) > room:
        kept -= 1
        chosen = spread(stills, kept)
    if kept == len(stills):
        return parts, ""
    sent = set(chosen)
    note = f"{kept} of {len(stills)} pictures sent: more do not fit into context_tokens {settings.context_tokens}"
    return tuple(p for i, p in enumerate(parts) if not isinstance(p, Still) or i in sent), note


def spread(items: Sequence[int], count: int) -> list[int]:
    """`count` of the items, evenly spread, with the first and the last."""
    if count == 1:
        return [items[len(items) // 2]]
    return [items[round(k * (len(items) - 1) / (count - 1))] for k in range(count)]


def messages(ask: Ask[Any], parts: Sequence[Part], way: Way) -> list[dict[str, Any]]:
    """System and user message."""
    made = [{"role": "system", "content": system_text(ask.prompt.system, ask.reply, way)}]
    if all(isinstance(p, str) for p in parts):
        return [*made, {"role": "user", "content": "\n".join(str(p) for p in parts)}]
    content: list[dict[str, Any]] = []
    for part in parts:
        if isinstance(part, str):
            content.append({"type": "text", "text": part})
            continue
        if part.label:
            content.append({"type": "text", "text": part.label})
        content.append(_seen(part))
    return [*made, {"role": "user", "content": content}]


def _seen(part: Still | Footage) -> dict[str, Any]:
    if isinstance(part, Still):
        return {"type": "image_url", "image_url": {"url": _data_url("image/jpeg", part.jpeg)}}
    return {"type": "video_url", "video_url": {"url": _data_url("video/mp4", part.mp4)}}


def _data_url(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


def repair(raw: str, problem: str, ask: Ask[Any]) -> list[dict[str, Any]]:
    """What is added to the messages to have a reply corrected: the reply itself and what is wrong with it."""
    handed: list[dict[str, Any]] = []
    if raw.strip():
        cut = raw if len(raw) <= HANDED_BACK else raw[:HANDED_BACK] + " ..."
        handed.append({"role": "assistant", "content": cut})
    handed.append(
        {
            "role": "user",
            "content": (
                f"That reply cannot be used: {problem}\n"
                "Write the whole reply again, corrected, as one JSON object and nothing else. "
                f"It must follow this JSON schema:\n{schema_text(ask.reply)}"
            ),
        }
    )
    return handed


def body(
    ask: Ask[Any], settings: ModelSettings, said: list[dict[str, Any]], way: Way, reply_tokens: int, limit_field: str
) -> dict[str, Any]:
    """The request's body."""
    temperature = settings.temperature if ask.temperature is None else ask.temperature
    made: dict[str, Any] = {"model": settings.model, "messages": said, limit_field: reply_tokens}
    if temperature is not None:
        made["temperature"] = temperature
    if settings.seed is not None:
        made["seed"] = settings.seed + ask.sample
    return {**made, **fields(ask.reply, way), **settings.extra_body}
