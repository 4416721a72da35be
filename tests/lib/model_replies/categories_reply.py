"""A careful sorter: counts telling words of the evidence; composed films, which show shapes and signs, are films."""

from __future__ import annotations

from typing import Any

from model_asked import Asked

TELLING = {
    "cooking": ("oven", "sauce", "cake", "lemon", "serve"),
    "pets": ("dog", "cat"),
    "how-to": ("screws", "repair", "clean", "tools", "fix"),
    "film": ("camera", "picture"),
}


def reply(asked: Asked) -> dict[str, Any]:
    found = {
        label: [n for n, told in asked.facts.items() if any(word in told.text.lower().split() for word in words)]
        for label, words in TELLING.items()
    }
    ranked = sorted((label for label in found if found[label]), key=lambda label: -len(found[label]))
    if not ranked:
        return {"category": None, "second": None, "reason": "Nothing tells what it is.", "used": []}
    used = found[ranked[0]][:2]
    second = ranked[1] if len(ranked) > 1 and len(found[ranked[1]]) > 1 else None
    return {"category": ranked[0], "second": second, "reason": f"It shows {{{used[0]}.text}}.", "used": used}
