"""A careful writer who changes the last word of a scene into another thing."""

from __future__ import annotations

from model_asked import Asked

THINGS = ("lantern", "violin", "pumpkin", "anchor", "teapot")


def reply(asked: Asked) -> dict[str, object]:
    """The last word of the first scene whose last word stands there once."""
    for name, told in asked.facts.items():
        words = told.text.lower().split()
        if words and words[-1].isalpha() and words.count(words[-1]) == 1:
            new, other = [w for w in THINGS if w not in words][:2]
            return {"scene": name, "old_word": words[-1], "new_word": new, "other_word": other}
    return {"scene": "e1", "old_word": "it", "new_word": "that", "other_word": "this"}
