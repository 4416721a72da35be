"""A careful taker of notes: what the evidence of the segment says, one sentence after the other, as far as 80 words go."""

from __future__ import annotations

from typing import Any

from model_asked import Asked


def reply(asked: Asked) -> dict[str, Any]:
    note, used = [], []
    for name, told in asked.facts.items():
        words = told.text.replace("“", "").replace("”", "").rstrip(".").split()
        if words and len(note) + len(words) <= 80:
            note += [*words[:-1], words[-1] + "."]
            used.append(name)
    return {"note": " ".join(note) or "Nothing is known.", "used": used}
