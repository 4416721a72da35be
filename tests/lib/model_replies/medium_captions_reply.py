"""Summary and chapters of a medium: a chapter for every two parts, as far as they are wanted."""

from __future__ import annotations

import re
from typing import Any

from model_asked import Asked


def reply(asked: Asked) -> dict[str, Any]:
    """Nothing without parts."""
    names = list(asked.facts)
    if not names:
        return {"summary": [], "chapters": []}
    most = int(re.search(r"At most (\d+) chapters", asked.user)[1])  # type: ignore[index]
    step = max(2, -(-len(names) // most))
    begins = names[::step]
    chapters = [
        {
            "begins_with": name,
            "title": f"The {('first', 'next', 'last')[(i > 0) + (i > 0 and i == len(begins) - 1)]} scenes",
            "summary": [{"text": f"During {{{name}}}, a scene is shown.", "facts": [name]}],
        }
        for i, name in enumerate(begins)
    ]
    first, last = names[0], names[-1]
    told = f"The film begins with {{{first}}}" + (f" and goes on until {{{last}}}." if last != first else ".")
    return {"summary": [{"text": told, "facts": [first, last]}], "chapters": chapters}
