"""A careful writer of questions for moments: points to an event through the one before it."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from model_asked import Asked


def reply(asked: Asked) -> dict[str, Any]:
    count = int(re.search(r"Write (\d+) items", asked.user)[1])  # type: ignore[index]
    told = {n: t for n, t in asked.facts.items() if t.text}
    alone = [n for n, t in told.items() if sum(o.text == t.text for o in told.values()) == 1]
    items = []
    for a, b in pairwise(alone):
        if told[a].end_s <= told[b].start_s + 0.2:
            items.append(
                {
                    "question": f"When is it that the next thing of note follows upon {{{a}.text}}?",
                    "span": f"{{{b}}}",
                    "explanation": f"After {{{a}}} comes {{{b}}}, which is {{{b}.text}}.",
                    "claims": [{"rel": "starts_first", "a": a, "b": b}],
                }
            )
    return {"items": items[:count]}
