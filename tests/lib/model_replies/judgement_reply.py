"""A strict judge: an answer that the evidence does not tell is neither grounded nor correct."""

from __future__ import annotations

import re

from model_asked import Asked
from model_reading import decided, likeness

_ANSWER = re.compile(r"^Answer held for right: (.*)$", re.MULTILINE)


def reply(asked: Asked) -> dict[str, object]:
    """Scores by what the evidence holds."""
    match = _ANSWER.search(asked.user)
    answer = match[1] if match else ""
    known = " ".join(f"{f.text} {f.start_s:g} {f.end_s:g}" for f in asked.facts.values())
    share = likeness(answer, known)
    verdict = decided(asked, asked.user.rpartition("Question:")[2])
    if verdict is not None and answer in ("true", "false"):
        share = float(answer == str(verdict).lower())
    right = 5 if share >= 0.6 else 4 if share >= 0.4 else 2
    return {
        "grounded": right, "correct": right, "answerable": 5, "unambiguous": 4, "well_worded": 5,
        "problem": "" if right == 5 else "The answer is not told by the evidence.",
    }  # fmt: skip
