"""Moments of descriptions: the evidence that shares most words with each of them."""

from __future__ import annotations

import re
from typing import Any

from model_asked import Asked


def reply(asked: Asked) -> dict[str, Any]:
    """Only descriptions that share a long word with some evidence."""
    moments = []
    for name, text in re.findall(r"^(q\d+): (.+)$", asked.user, re.MULTILINE):
        wanted = _words(text)
        shared = {fact: len(wanted & _words(str(asked.facts[fact]))) for fact in asked.facts}
        best = max(shared, key=lambda fact: shared[fact], default=None)
        if best is not None and shared[best]:
            sure = "certain" if shared[best] >= 3 else "likely"
            moments.append({"query": name, "first": best, "last": best, "why": text[:40], "sure": sure})
    return {"moments": moments}


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]{4,}", text.lower()))
