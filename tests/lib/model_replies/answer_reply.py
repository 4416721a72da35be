"""Answers a sample by guessing: the first option, half of the footage, or nothing in particular."""

from __future__ import annotations

from typing import Any

from model_asked import Asked


def reply(asked: Asked) -> dict[str, Any]:
    form = asked.user.rsplit("How to write the answer:", 1)[-1]
    if "letter" in form:
        return {"answer": "A"}
    return {"answer": form.split("`")[1] if "`" in form else "1"}
