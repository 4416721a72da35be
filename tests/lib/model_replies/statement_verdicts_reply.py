"""Verdicts on statements, from the evidence alone: objects and words that it lists are so, those that it has otherwise are not."""

from __future__ import annotations

import re
from typing import Any

from model_asked import Asked

_THING = re.compile(r"\b(\w+) (circle|square|triangle|star|heart|diamond|cross|ring|hexagon|moon)\b")


def reply(asked: Asked) -> dict[str, Any]:
    """One verdict for each statement."""
    statements = re.findall(r"^(\d+)\. (.*)$", asked.user.partition("Statements:")[2], re.MULTILINE)
    return {"verdicts": [{"statement": int(number), "says": _says(text, asked)} for number, text in statements]}


def _says(statement: str, asked: Asked) -> str:
    things = [pair for told in asked.of_kind("object").values() for pair in _THING.findall(told.text)]
    claimed = _THING.findall(statement)
    if claimed and things:
        return "yes" if all(pair in things for pair in claimed) else "no"
    said = re.findall(r"“([^”]+)”", statement)
    if said and any(told.text == said[0] for told in asked.of_kind("text", "speech").values()):
        return "yes"
    return "cannot_tell"
