"""A careful reader of notes: the sentence in which the question's telling words stand, or of two things the earlier one."""

from __future__ import annotations

import re
from typing import Any

from model_asked import Asked


def reply(asked: Asked) -> dict[str, Any]:
    question = re.search(r"^Question: (.*)$", asked.user, re.MULTILINE)[1]  # type: ignore[index]
    notes = re.findall(r"^Segment (\d+): (.*)$", asked.user, re.MULTILINE)
    sentences = [(int(n), s) for n, note in notes for s in re.split(r"(?<=\.)\s+", note)]
    if either := re.search(r", (\w+) or (\w+)\?$", question):
        for n, sentence in sentences:
            for word in either.groups():
                if re.search(rf"\b{word}\b", sentence, re.IGNORECASE):
                    return {"answer": f"What has to do with {word}.", "segments": [n]}
    telling = question.rstrip("?").split()[-1]
    for n, sentence in sentences:
        if re.search(rf"\b{telling}\b", sentence, re.IGNORECASE):
            return {"answer": sentence, "segments": [n]}
    return {"answer": "unknown", "segments": []}
