"""A careful reader counts the pieces of evidence that the question is about."""

from __future__ import annotations

from model_asked import Asked
from model_reading import likeness, question_and_options


def reply(asked: Asked) -> dict[str, object]:
    """How many pieces of evidence share words with the question."""
    question, _ = question_and_options(asked.user)
    return {"value": float(sum(likeness(f.text, question) >= 0.6 for f in asked.facts.values() if f.text))}
