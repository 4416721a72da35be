"""A careful writer of questions over long footage: asks with one word that only the evidence clip has, and answers with another."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from model_asked import Asked

WORD = re.compile(r"[a-z]+")
LITTLE = {
    "a",
    "an",
    "the",
    "in",
    "of",
    "to",
    "and",
    "it",
    "is",
    "be",
    "at",
    "on",
    "we",
    "you",
    "my",
    "his",
    "her",
    "its",
    "was",
}


def words(text: str) -> list[str]:
    return [w for w in WORD.findall(text.lower()) if len(w) > 2 and w not in LITTLE]


def reply(asked: Asked) -> dict[str, Any]:
    single, pairs = (int(n) for n in re.search(r"Write (\d+) items.*?and (\d+) that", asked.user, re.DOTALL).groups())  # type: ignore[union-attr]
    clips = [re.findall(r"\be\d+\b", line) for line in re.findall(r"^\d+\. clip: (.*)$", asked.user, re.MULTILINE)]
    spread = [{w for n in names for w in words(asked.facts[n].text)} for names in clips]
    own: list[tuple[str, list[str]]] = []
    for i, names in enumerate(clips):
        elsewhere = {w for k, other in enumerate(spread) if k != i for w in other}
        for n in names:
            mine = [w for w in dict.fromkeys(words(asked.facts[n].text)) if w not in elsewhere]
            if len(mine) > 1:
                own.append((n, mine))
                break
    items = [
        _item("single", f"What is it that goes with {mine[0]}?", f"It goes with {mine[-1]}.", [mine[-1]], [n], [])
        for n, mine in own
    ]
    orders = []
    for (a, first), (b, second) in pairwise(own):
        claim = {"rel": "starts_first", "a": a, "b": b}
        question = f"Which of the two is told of earlier, {second[0]} or {first[0]}?"
        orders.append(_item("order", question, f"What has to do with {first[0]}.", [first[0]], [a, b], [claim]))
    return {"items": items[:single] + orders[:pairs]}


def _item(form: str, question: str, answer: str, keys: list[str], evidence: list[str], claims: list[dict[str, Any]]):
    reason = " and ".join(f"{{{n}.text}} in {{{n}}}" for n in evidence)
    return {
        "form": form, "question": question, "answer": answer, "keys": keys, "evidence": evidence,
        "reason": f"It rests on {reason}.", "claims": claims,
    }  # fmt: skip
