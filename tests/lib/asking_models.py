"""A small question for tests of the client, and the client on a record in a folder: `async with asking(folder, url) as live`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from chronotope.engine.llm.ask import Ask
from chronotope.engine.llm.live import LiveModels
from chronotope.engine.llm.prompts import Prompt
from chronotope.engine.llm.record import CallRecord
from chronotope.engine.llm.settings import BudgetSettings, Limits, ModelSettings
from pydantic import BaseModel, ConfigDict

PROMPT = Prompt(name="heard", version=3, system="Say what is heard, using slots.", user="<<evidence>>")


class HeardReply(BaseModel):
    """What is heard."""

    model_config = ConfigDict(extra="forbid")

    text: str
    loud: bool


def heard(asked: Any) -> dict[str, Any]:
    """What the server's model replies."""
    return {"text": " ".join(f"{{{name}}}" for name in asked.facts), "loud": asked.number > 0}


REPLIES = {"HeardReply": heard}


def question(number: int = 0, **values: Any) -> Ask[HeardReply]:
    """One of many different questions."""
    about = f"clip {number}"
    return Ask("writer", PROMPT, (f"e1 (speech, 1 to 2 s): “words of {about}”",), HeardReply, about=about, **values)


def role(url: str, *, limits: dict[str, Any] | None = None, **values: Any) -> ModelSettings:
    """Settings of the role `writer`."""
    given = {"concurrency": 8, "timeout_s": 5.0} | (limits or {})
    return ModelSettings(base_url=url, model="test-model", limits=Limits(**given), **values)


@asynccontextmanager
async def asking(
    folder: Path, settings: ModelSettings | dict[str, ModelSettings], *, run: str = "run 1", **more: Any
) -> AsyncIterator[LiveModels]:
    """The client with one role, or several by name; `more`: of `LiveModels`, and `budget`."""
    models = settings if isinstance(settings, dict) else {"writer": settings}
    with CallRecord(folder / "calls.sqlite") as record:
        async with LiveModels(models, BudgetSettings(**more.pop("budget", {})), record, None, run, **more) as live:
            yield live


def calls(folder: Path) -> list[dict[str, Any]]:
    """All rows of the record, in the order in which they were written."""
    with CallRecord(folder / "calls.sqlite") as record:
        return record.uncommitted(1_000_000)
