"""Captions of a clip from its evidence. Asked to be careless (by a prompt of one's own), it names every colour wrongly."""

from __future__ import annotations

import re
from typing import Any

from model_asked import Asked

_WRONG = {"red": "green", "green": "red", "blue": "yellow", "yellow": "blue", "orange": "purple", "purple": "orange",
          "pink": "brown", "brown": "pink", "white": "black", "black": "white"}  # fmt: skip


def reply(asked: Asked) -> dict[str, Any]:
    """The levels that are asked for; empty ones without evidence."""
    wanted = re.findall(r"^- (brief|dense|objects):", asked.user, re.MULTILINE)
    found = {"brief": _brief(asked), "dense": _dense(asked), "objects": _objects(asked)}
    if "careless" in asked.system:
        found = {level: [{**s, "text": _wrong(s["text"])} for s in sentences] for level, sentences in found.items()}
    return {level: found[level] if level in wanted else [] for level in found}


def _brief(asked: Asked) -> list[dict[str, Any]]:
    things = asked.of_kind("object")
    if things:
        name, told = next(iter(things.items()))
        return [_sentence(f"The scene shows {told.text}.", name)]
    named = list(asked.facts)[:1]
    return [_sentence("A short scene is shown.", *named)]


def _dense(asked: Asked) -> list[dict[str, Any]]:
    found = []
    for name, told in sorted(asked.of_kind("text", "speech", "object").items(), key=lambda item: item[1].start_s):
        text = {
            "text": f"During {{{name}}}, a sign reads {{{name}.text}}.",
            "speech": f"A voice says {{{name}.text}}.",
            "object": f"During {{{name}}}, {told.text} is in the picture.",
        }[told.kind]
        found.append(_sentence(text, name))
    return found or _brief(asked)


def _objects(asked: Asked) -> list[dict[str, Any]]:
    return [_sentence(f"There is {told.text} in the picture.", name) for name, told in asked.of_kind("object").items()]


def _sentence(text: str, *names: str) -> dict[str, Any]:
    return {"text": text, "facts": list(names)}


def _wrong(text: str) -> str:
    return re.sub(r"\b[a-z]+\b(?![^{]*\})", lambda m: _WRONG.get(m[0], m[0]), text)
