"""A careful reader answers a free question with the evidence that it is most about."""

from __future__ import annotations

from model_asked import Asked
from model_reading import likeness, question_and_options, told


def reply(asked: Asked) -> dict[str, object]:
    """The words of the best piece of evidence."""
    question, _ = question_and_options(asked.user)
    known = told(asked, question)
    return {"answer": max(known, key=lambda text: (likeness(text, question), text), default="I cannot tell")}
