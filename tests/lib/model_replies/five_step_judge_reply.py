"""A judge that finds steps sound when the conclusion's evidence was looked up on the way."""

from __future__ import annotations

import re
from typing import Any

from model_asked import Asked

STEP = re.compile(r"^\d+\. \((\w+); ([\w, ]+)\) ", re.MULTILINE)


def reply(asked: Asked) -> dict[str, Any]:
    """5 or 2."""
    steps = [(kind, set(names.split(", "))) for kind, names in STEP.findall(asked.user)]
    looked_up = set().union(*(names for kind, names in steps if kind != "conclude"))
    sound = all(names & looked_up for kind, names in steps if kind == "conclude")
    reason = "Every step follows from what it names." if sound else "The conclusion names what no step looked at."
    return {"soundness": 5 if sound else 2, "reason": reason}
