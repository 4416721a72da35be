"""A careful writer of questions: asks about what the evidence tells, in the family that the prompt names."""

from __future__ import annotations

import re
from itertools import combinations
from typing import Any

from model_asked import Asked, Told


def reply(asked: Asked) -> dict[str, Any]:
    family = re.search(r"^Family: (\w+)", asked.user, re.MULTILINE)
    count = int(re.search(r"Write (\d+) items", asked.user)[1])  # type: ignore[index]
    told = {n: t for n, t in asked.facts.items() if t.text}
    name = family[1] if family else "generic"
    items = _ordered(told) if name.startswith("temporal") else _plain(told, name)
    return {"items": items[:count]}


def _item(question: str, answer: str, used: list[str], claims: list[dict[str, Any]], rewording: str | None = None):
    return {"question": question, "rewording": rewording, "answer": answer, "claims": claims, "used": used}


def _alone(told: dict[str, Told]) -> list[str]:
    """Names of what is told once only."""
    return [n for n, t in told.items() if sum(o.text == t.text for o in told.values()) == 1]


def _ordered(told: dict[str, Told]) -> list[dict[str, Any]]:
    items = []
    for a, b in combinations(_alone(told), 2):
        if told[a].end_s <= told[b].start_s:
            claim = {"rel": "before", "a": a, "b": b}
            items.append(_item(f"What happens before {{{b}.text}}?", f"{{{a}.text}}, in {{{a}}}.", [a, b], [claim]))
            if len(items) == 2:
                break
    for n in _alone(told):
        claim = {"rel": "beginning", "a": n, "b": None}
        items.insert(1, _item(f"In which part of the footage is {{{n}.text}}?", "At the beginning.", [n], [claim]))
        break
    return items


def _plain(told: dict[str, Told], family: str) -> list[dict[str, Any]]:
    items = []
    for i, n in enumerate(told):
        rewording = f"Tell me about thing {'again ' * i}of note." if family == "consistency" else None
        question = f"Which thing {'else ' * i}of note is there, in terms of the {family} of it?"
        items.append(_item(question, f"There is {{{n}.text}}.", [n], [], rewording))
    return items
