"""The page about models names every setting with its meaning, as the code has it."""

from __future__ import annotations

from pathlib import Path

import pytest
from chronotope.engine.llm.settings import BudgetSettings, Limits, ModelSettings, Price
from pydantic import BaseModel

PAGE = Path(__file__).parents[2] / "docs" / "models.md"


def default(settings: type[BaseModel], name: str) -> str:
    field = settings.model_fields[name]
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        return "see below"
    return {"": "empty", "None": "none", "{}": "none"}.get(str(value), f"`{value}`")


@pytest.mark.parametrize("settings", [ModelSettings, Limits, Price, BudgetSettings])
def test_every_setting_is_on_the_page(settings: type[BaseModel]) -> None:
    text = PAGE.read_text(encoding="utf-8")
    lines = [f"| `{n}` | {default(settings, n)} | {f.description} |" for n, f in settings.model_fields.items()]
    assert "\n".join(lines) in text, "docs/models.md: write the table of the settings anew:\n" + "\n".join(lines)
