"""Atomic claims of a caption, by the few forms of sentences that careful models write about composed films."""

from __future__ import annotations

import re
from typing import Any

from model_asked import Asked

_COLOURS = "red|orange|yellow|green|blue|purple|pink|white|black|brown"
_SHAPES = "circle|square|triangle|star|heart|diamond|cross|ring|hexagon|moon"
_EMPTY = {"subject": "", "attribute": "", "predicate": "", "object_text": "", "number": None, "words": "", "negated": False,
          "first": "", "second": ""}  # fmt: skip


def reply(asked: Asked) -> dict[str, Any]:
    """The claims of all numbered sentences."""
    caption = asked.user.rpartition("Caption:")[2]
    found: list[dict[str, Any]] = []
    for number, sentence in re.findall(r"^(\d+)\. (.*)$", caption, re.MULTILINE):
        found += [{**_EMPTY, "sentence": int(number), **claim} for claim in _claims(sentence)]
    return {"claims": found}


def _claims(sentence: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for verb, said in ((r"(?:reads|written)", "written"), (r"(?:says|said)", "said")):
        for match in re.finditer(rf"\b{verb} “([^”]+)”", sentence):
            words = match[1]
            told = f"The words “{words}” are {said}."
            found.append({"kind": "text", "claim": told, "quote": match[0], "predicate": said, "words": words})
    plain = re.sub(r"“[^”]*”", "", sentence)
    for match in re.finditer(rf"\ban? ((?:{_COLOURS}) (?:{_SHAPES}))\b", plain):
        found.append({"kind": "object", "claim": f"There is {match[0]}.", "quote": match[0], "subject": match[0]})
    for match in re.finditer(r"\bthe camera ((?:pans|tilts|zooms|rolls)) ((?:to the )?\w+)", plain, re.IGNORECASE):
        told = {"subject": "the camera", "predicate": match[1], "object_text": match[2]}
        found.append({"kind": "action", "claim": f"The camera {match[1]} {match[2]}.", "quote": match[0], **told})
    return found
