"""Rewordings by rule, as a careful model writes them: the question behind another opening, slots and all its words kept."""

from __future__ import annotations

import re

from model_asked import Asked

OPENINGS = (
    "Going by what the footage shows, I would really like to be told this:",
    "Could somebody who has watched this carefully please tell me:",
    "Have a good look and a good listen, and then answer me this question:",
    "Here is what I would like to know about the footage, if you please:",
)
LINE = re.compile(
    r"^(?P<name>s\d+) \(sample\): (?P<question>.*?)(?: \[[^\]]*\])? =>(?: (?P<answer>.*))?$", re.MULTILINE
)


def reply(asked: Asked) -> dict[str, object]:
    """Each question with another opening, and each answer with a few words in front."""
    items = []
    for i, line in enumerate(LINE.finditer(asked.user)):
        answer = line["answer"]
        items.append(
            {
                "sample": line["name"],
                "question": f"{OPENINGS[(i + asked.number) % len(OPENINGS)]} {line['question']}",
                "answer": f"As far as I can tell: {answer}" if answer else None,
            }
        )
    return {"items": items}
