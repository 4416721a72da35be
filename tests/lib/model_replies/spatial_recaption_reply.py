"""A careful writer of spatial captions: relates things by the parts of the picture that the prompt says they are in."""

from __future__ import annotations

import re
from itertools import combinations
from typing import Any

from model_asked import Asked

THING = re.compile(
    r"^(?P<name>(?:obj|e)\d+): (?P<what>.+?), (?P<first>[a-z ]+?)(?:, later (?P<last>[a-z ]+))?$", re.MULTILINE
)


def places(user: str) -> dict[str, tuple[tuple[int, int], tuple[int, int]]]:
    """Column and row (0, 1, 2) of each thing, at first and at last."""
    found = {}
    for match in THING.finditer(user):
        first = match["first"]
        found[match["name"]] = (_cell(first), _cell(match["last"] or first))
    return found


def ways(a: tuple[tuple[int, int], tuple[int, int]], b: tuple[tuple[int, int], tuple[int, int]]) -> list[str]:
    """Directions in which `a` lies from `b` at first and at last, as far as the parts tell."""
    held = []
    for axis, (less, more) in enumerate((("left of", "right of"), ("above", "below"))):
        signs = {(x[axis] > y[axis]) - (x[axis] < y[axis]) for x, y in zip(a, b, strict=True)}
        held += [less] if signs == {-1} else [more] if signs == {1} else []
    return held


def reply(asked: Asked) -> dict[str, Any]:
    most = int(re.search(r"at most (\d+) sentences", asked.user)[1])  # type: ignore[index]
    sentences = []
    known = places(asked.user)
    for a, b in combinations(known, 2):
        held = ways(known[a], known[b])
        if held:
            words = " and ".join({"left of": "to the left of", "right of": "to the right of"}.get(r, r) for r in held)
            text = f"The {_slot(a)} is {words} the {_slot(b)}."
            sentences.append({"text": text, "claims": [{"subject": a, "relation": r, "object": b} for r in held]})
    return {"sentences": sentences[:most]}


def _cell(region: str) -> tuple[int, int]:
    return (
        0 if "left" in region else 2 if "right" in region else 1,
        0 if "top" in region else 2 if "bottom" in region else 1,
    )


def _slot(name: str) -> str:
    return f"sign {{{name}.text}}" if name.startswith("e") else f"{{{name}.label}}"
