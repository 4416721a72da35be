"""Chains worded as a careful writer does: every step again in other words, its slots kept."""

from __future__ import annotations

import re
from typing import Any

from model_asked import Asked

CHAIN = re.compile(r"^Chain ([a-z]), whose question is:.*\n((?:\d+\. .*\n)+)", re.MULTILINE)
OPENINGS = ("I can tell: {}", "Here, {}", "As far as I follow, {}", "Next, {}", "From that, {}")


def reply(asked: Asked) -> dict[str, Any]:
    """One sentence per step."""
    chains = []
    for letter, block in CHAIN.findall(asked.user + "\n"):
        steps = [line.split(". ", 1)[1] for line in block.strip().splitlines()]
        chains.append({"chain": letter, "sentences": [_said(step, i) for i, step in enumerate(steps)]})
    return {"chains": chains}


def _said(step: str, number: int) -> str:
    opening = OPENINGS[number % len(OPENINGS)]
    head = step if step.startswith("{") else step[0].lower() + step[1:]
    return opening.format(head)
