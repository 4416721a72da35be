"""A careful reader chooses the option that the evidence at the asked time speaks for; without evidence, what the wording hints at."""

from __future__ import annotations

from model_asked import Asked
from model_reading import best, decided, question_and_options


def reply(asked: Asked) -> dict[str, object]:
    """The best option."""
    question, options = question_and_options(asked.user)
    verdict = decided(asked, question) if set(options.values()) == {"true", "false"} else None
    if verdict is not None:
        return {"choice": next(n for n, text in options.items() if text == str(verdict).lower())}
    return {"choice": best(asked, question, options)[0] if options else 1}
