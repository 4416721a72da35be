"""Copies the word and the number that the doctor asks for."""

from __future__ import annotations

import re
from typing import Any

from model_asked import Asked


def reply(asked: Asked) -> dict[str, Any]:
    return {
        "word": re.findall(r"^word: (.*)$", asked.user, re.MULTILINE)[-1],
        "number": int(re.findall(r"^number: (\d+)$", asked.user, re.MULTILINE)[-1]),
    }
