"""A careful reader answers with the times of all evidence that says what the question is about."""

from __future__ import annotations

from model_asked import Asked
from model_reading import likeness, question_and_options


def reply(asked: Asked) -> dict[str, object]:
    """Spans of the evidence that is most alike."""
    question, _ = question_and_options(asked.user)
    facts = [f for f in asked.facts.values() if f.text and f.end_s > f.start_s]
    most = max((likeness(f.text, question) for f in facts), default=0.0)
    found = [f for f in facts if likeness(f.text, question) == most and most >= 0.6]
    return {"spans": [{"start_s": f.start_s, "end_s": f.end_s} for f in found[:3]]}
