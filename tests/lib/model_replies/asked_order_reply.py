"""A careful reader orders the options by the times of the evidence that holds them; without evidence, as they are listed."""

from __future__ import annotations

from model_asked import Asked
from model_reading import likeness, question_and_options


def reply(asked: Asked) -> dict[str, object]:
    """All options by time."""
    _, options = question_and_options(asked.user)
    facts = [f for f in asked.facts.values() if f.text]

    def when(number: int) -> float:
        found = max(facts, key=lambda f: (likeness(options[number], f.text), -f.start_s), default=None)
        return found.start_s if found else float(number)

    return {"order": sorted(options, key=lambda n: (when(n), n))}
